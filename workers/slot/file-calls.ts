// Serves the main thread's requests for a session's private files. Owns the requests for parts of a file and the format of replies; the
// operations are shared with storages (host/fs/host-calls.ts). Mounted storages are not visible here: they have their own host side.
import type { FileAnswer, FileRequest, SlotReply } from '../../src/shared/messages/slot.js'
import type { FileStatus } from '../../src/shared/messages/storage.js'
import { FsError, fail } from '../host/errno.js'
import { Files } from '../host/fs/files.js'
import { hostCalls } from '../host/fs/host-calls.js'
import type { NodeId, NodeStore } from '../host/fs/node-store.js'
import { Tree } from '../host/fs/tree.js'

/** The largest time that a Date can hold, in milliseconds since 1970. */
const MAX_TIME_MS = 8.64e15

const NOTHING: FileAnswer = { bytes: null, names: null, status: null, node: 0 }

/**
 * @param covered directories where a storage is mounted: no link and no path with `..` leads to what they hide
 * @throws any error that is not a file-system failure; those are returned as replies
 */
export function serveFile(store: NodeStore, covered: readonly NodeId[], request: FileRequest): SlotReply {
  try {
    return { kind: 'file', ...serve(store, covered, request) }
  } catch (error) {
    if (error instanceof FsError) return { kind: 'file-error', code: error.message }
    // Allocating the bytes of a large file failed.
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
  // Would delete every file, Python's own included. Compares nodes, so no other path to the root gets through.
  if (request.name === 'remove' && isRecursive && isRoot(files, top as string)) fail('EBUSY')
  // The main thread is trusted to send the parameters that the operation takes.
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

/** Python can set a file's time to values outside the range of a JavaScript Date, so clamp it. */
function datable({ modifiedMs, ...status }: FileStatus): FileStatus {
  return { ...status, modifiedMs: Math.max(-MAX_TIME_MS, Math.min(modifiedMs, MAX_TIME_MS)) }
}

/** Copies a view of a larger buffer, because posting a view would send the whole buffer. */
function ownBuffer(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice()
}
