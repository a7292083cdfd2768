// What the main thread asks of a session's private files. Owns the requests for parts of a file, and the form of answers; the operations are
// those of a storage (host/fs/host-calls.ts). Mounted storages are not seen here: they have a host's side of their own.
import type { FileAnswer, FileRequest, SlotReply } from '../../src/shared/messages/slot.js'
import type { FileStatus } from '../../src/shared/messages/storage.js'
import { FsError, fail } from '../host/errno.js'
import { Files } from '../host/fs/files.js'
import { hostCalls } from '../host/fs/host-calls.js'
import type { NodeId, NodeStore } from '../host/fs/node-store.js'
import { Tree } from '../host/fs/tree.js'

/** Milliseconds from 1970 that a Date can hold. */
const MAX_TIME_MS = 8.64e15

const NOTHING: FileAnswer = { bytes: null, names: null, status: null, node: 0 }

/**
 * @param covered where a storage is mounted: no link and no path with `..` leads to what is below it
 * @throws whatever is no failure of the file system
 */
export function serveFile(store: NodeStore, covered: readonly NodeId[], request: FileRequest): SlotReply {
  try {
    return { kind: 'file', ...serve(store, covered, request) }
  } catch (error) {
    if (error instanceof FsError) return { kind: 'file-error', code: error.message }
    // There is no memory for the bytes of a large file.
    if (error instanceof RangeError) return { kind: 'file-error', code: 'ENOMEM' }
    throw error
  }
}

function serve(store: NodeStore, covered: readonly NodeId[], request: FileRequest): FileAnswer {
  const tree = new Tree(store)
  for (const directory of covered) tree.close(directory)
  const files = new Files(tree, '/')
  files.umask = 0
  const calls = hostCalls(files)
  if (request.name === 'readPart' || request.name === 'writePart') {
    const { path, position } = request
    const isFirst = request.node === 0
    const { node } = calls.open(path, request.name === 'writePart' && isFirst)
    try {
      if (!isFirst && node !== request.node) fail('ESTALE')
      if (request.name === 'readPart')
        return { ...NOTHING, node, bytes: calls.readAt(node, position, request.length) }
      calls.writeAt(node, position, request.bytes)
      return { ...NOTHING, node }
    } finally {
      calls.release(node)
    }
  }
  const [top, isRecursive] = request.parameters
  // Everything there is, Python's own files included, by whatever path.
  if (request.name === 'remove' && isRecursive && isRoot(files, top as string)) fail('EBUSY')
  // Our own main thread sends them with the parameters that they take.
  const call = calls[request.name] as (...parameters: readonly unknown[]) => unknown
  const value = call(...request.parameters)
  if (value instanceof Uint8Array) return { ...NOTHING, bytes: ownBuffer(value) }
  if (Array.isArray(value)) return { ...NOTHING, names: value.join('/') }
  return value === undefined ? NOTHING : { ...NOTHING, status: datable(value as FileStatus) }
}

function isRoot(files: Files, path: string): boolean {
  const { root } = files.tree
  return files.find(root, path, false).node === root.node
}

/** Python can give a file any time, also one that JavaScript has no Date for. */
function datable({ modifiedMs, ...status }: FileStatus): FileStatus {
  return { ...status, modifiedMs: Math.max(-MAX_TIME_MS, Math.min(modifiedMs, MAX_TIME_MS)) }
}

/** A message takes all of the buffer. */
function ownBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice()
}
