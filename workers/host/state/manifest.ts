// The files that a snapshot's manifest lists. Owns which and how many: the list is for people, the main thread reads it (H1), and it
// says how many files it leaves out.

import { FsError } from '../errno.js'
import type { FileSystem } from '../file-system.js'
import type { NodeId } from '../fs/node-store.js'

const MAX_FILES = 1000
const MAX_PATH_BYTES = 262_144

export interface ChangedFiles {
  /** Regular files in the tree that a fresh host of the image lacks or has with other contents or attributes, in order of creation. */
  readonly files: readonly ChangedFile[]
  /** How many more there are, beyond the limits or with paths that are too long. */
  readonly moreFiles: number
}

export interface ChangedFile {
  /** As text. Bytes that are not valid UTF-8 are replaced. */
  readonly path: string
  readonly sizeBytes: number
}

export function changedFiles(fileSystem: FileSystem): ChangedFiles {
  const { nodes: inodes, touched } = fileSystem.nodes.table
  const files: ChangedFile[] = []
  let pathBytes = 0
  let found = 0
  for (const id of [...touched].sort((a, b) => a - b)) {
    const inode = inodes.get(id)
    if (inode?.kind !== 'file' || !inode.linked) continue
    found += 1
    if (files.length >= MAX_FILES || pathBytes >= MAX_PATH_BYTES) continue
    const path = pathOf(fileSystem, id)
    if (path === undefined) continue
    pathBytes += path.length
    files.push({ path, sizeBytes: inode.contents.size })
  }
  return { files, moreFiles: found - files.length }
}

/** Undefined if the path is too long. */
function pathOf({ files: { tree }, nodes }: FileSystem, node: NodeId): string | undefined {
  try {
    return Buffer.from(tree.pathOf({ store: nodes, node }), 'latin1').toString('utf8')
  } catch (error) {
    if (error instanceof FsError) return undefined
    throw error
  }
}
