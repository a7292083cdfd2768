// Files and directories that packages made while they were imported: memory may know of them, so the image has them, too. Owns finding
// and reading them. What lies in /tmp is left out.
import type { FileIndex } from '../../../src/shared/image/file-index.js'
import type { NodeState } from '../../host/state/node-state.js'
import type { SourceFile } from '../files.js'

/** Kinds of nodes in a host's state. */
const FILE = 0
const DIRECTORY = 1
/** Of all files together: caches of fonts and the like. */
const MAX_BYTES = 64 * 1024 * 1024

export interface Created {
  readonly files: readonly SourceFile[]
  readonly directories: readonly string[]
}

/**
 * @param nodes - of the host's state
 * @param index - of the files that were there before
 */
export function createdFiles(
  nodes: readonly NodeState[],
  index: FileIndex,
  read: (path: string) => Uint8Array,
): Created {
  const own = new Map(nodes.filter(([id]) => !index.has(id)).map((node) => [node[0], node]))
  /** Undefined if it is in no directory any more. */
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
