// Locks on ranges of files, for `fcntl`. Owns reading and writing C's `struct flock`, and waiting for a lock; the storage owns the locks.
import { F, F_RDLCK, F_UNLCK, F_WRLCK, FLOCK, O, SEEK } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { LockRange } from './fs/node-store.js'
import type { OpenFile } from './fs/open-file.js'

/** Longest sleep between two attempts to get a lock that another session holds. */
const LONGEST_LOCK_WAIT_MS = 16

/** Private files have no other process, so every lock on them is free and granted. */
export function lockFile(
  { memory, signals }: HostContext,
  file: OpenFile,
  pointer: number,
  command: number,
): number {
  const { store, node, flags } = file
  const type = memory.i16(pointer + FLOCK.type)
  if (store.paths === null || file.kind !== 'file') {
    if (command === F.GETLK) memory.setU16(pointer + FLOCK.type, F_UNLCK)
    return 0
  }
  const [start, end] = lockedBytes(memory, file, pointer)
  if (type === F_UNLCK) {
    store.paths.unlock(node, start, end)
    return 0
  }
  if (type !== F_RDLCK && type !== F_WRLCK) fail('EINVAL')
  const range: LockRange = { exclusive: type === F_WRLCK, start, end }
  if (command === F.GETLK) {
    const found = store.paths.blocking(node, range)
    memory.setU16(pointer + FLOCK.type, found === undefined ? F_UNLCK : found.exclusive ? F_WRLCK : F_RDLCK)
    if (found === undefined) return 0
    memory.setU16(pointer + FLOCK.whence, SEEK.SET)
    memory.setI64(pointer + FLOCK.start, found.start)
    memory.setI64(pointer + FLOCK.len, found.end === Number.POSITIVE_INFINITY ? 0 : found.end - found.start)
    memory.setU32(pointer + FLOCK.pid, 1)
    return 0
  }
  const needed = range.exclusive ? O.RDONLY : O.WRONLY
  if ((flags & O.ACCESS_MODE) === needed) fail('EBADF')
  // Polls, so that the storage has no waiters that belong to sessions that may be gone.
  for (let waitMs = 1; !store.paths.lock(node, range); waitMs = Math.min(2 * waitMs, LONGEST_LOCK_WAIT_MS)) {
    if (command === F.SETLK) fail('EAGAIN')
    if (signals.wait(waitMs) === 'interrupted') fail('EINTR')
  }
  return 0
}

/** Start and end of the range. The end is Infinity for a length of 0. */
function lockedBytes(memory: HostContext['memory'], file: OpenFile, pointer: number): [number, number] {
  const whence = memory.i16(pointer + FLOCK.whence)
  const base =
    whence === SEEK.SET ? 0 : whence === SEEK.CUR ? file.position : file.store.status(file.node).size
  const from = base + memory.i64(pointer + FLOCK.start)
  const length = memory.i64(pointer + FLOCK.len)
  const [start, end] = length < 0 ? [from + length, from] : [from, from + length]
  if (start < 0 || whence < 0 || whence > SEEK.END) fail('EINVAL')
  if (!Number.isSafeInteger(start) || end > Number.MAX_SAFE_INTEGER) fail('EOVERFLOW')
  return [start, length === 0 ? Number.POSITIVE_INFINITY : end]
}
