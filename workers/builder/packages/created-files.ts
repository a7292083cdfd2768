// Files and directories that packages created while they were imported. Memory may refer to them, so the image must contain them. Owns
// finding and reading them. Leaves out everything in /tmp.
import type { FileIndex } from '../../../src/shared/image/file-index.js'
import type { NodeState } from '../../host/state/node-state.js'
import type { SourceFile } from '../files.js'

/** Kinds of nodes in a host's state. */
const FILE = 0
const DIRECTORY = 1
/** Limit for all files together, such as caches of fonts. */
const MAX_BYTES = 64 * 1024 * 1024

export interface Created {
  readonly files: readonly SourceFile[]
  readonly directories: readonly string[]
}

/**
 * @param nodes - nodes of the host's state
 * @param index - index of the files that existed before
 */
export function createdFiles(
  nodes: readonly NodeState[],
  index: FileIndex,
  read: (path: string) => Uint8Array,
): Created {
  const own = new Map(nodes.filter(([id]) => !index.has(id)).map((node) => [node[0], node]))
  /** Undefined if it is no longer in a directory. */
  const pathOf = (id: number): string | undefined => {
    if (index.has(id)) return index.path(id)
    const [, , , parent = 0, name = ''] = own.get(id) ?? []
    const above = parent === 0 ? undefined : pathOf(parent)
    return above === undefined ? undefined : `${above}/${Buffer.from(name, 'latin1').toString('utf8')}`
  }
  const files: SourceFile[] = []
  const directories: string[] = []
  let bytesLeft = MAX_BYTES
  for (const [id, kind] of own.values()) {
    const path = pathOf(id)
    if (path === undefined || path.startsWith('/tmp/')) continue
    if (kind === DIRECTORY) directories.push(path)
    else if (kind === FILE) {
      const bytes = read(path)
      bytesLeft -= bytes.length
      if (bytesLeft < 0)
        throw new Error(
          `modules that are preloaded write more than ${MAX_BYTES} bytes of files: leave them out`,
        )
      files.push({ path, bytes })
    }
  }
  return { files, directories }
}
