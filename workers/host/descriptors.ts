// Imports that take a descriptor. Owns decoding their arguments and encoding their results; fs/ does the work.
import { MAX_TIME_ZONE_LENGTH } from '../../src/shared/time-zone.js'
import {
  DISPLAY_FD,
  DOOR_FD,
  F,
  FD_CLOEXEC,
  FDSTAT,
  FILETYPE,
  FLOCK,
  IO_MAX,
  IOV_MAX,
  IOVEC,
  MODE_BITS,
  O,
  SEEK,
} from './abi.js'
import type { HostContext } from './context.js'
import { listDirectory } from './directory-listing.js'
import type { DisplaySink } from './displays.js'
import { FsError, fail } from './errno.js'
import { lockFile } from './file-locks.js'
import type { OpenFile } from './fs/open-file.js'
import type { ImportFunction } from './guard.js'
import type { HostCallDoor } from './host-calls.js'
import { offsetOf, positionOf, sizeOf, writeStat, writeStatfs } from './structs.js'

/** Flags that F_SETFL changes. */
const SETTABLE_FLAGS = O.APPEND | O.NONBLOCK

/** Moves bytes between a file and one range of memory. Returns how many bytes it moved. */
type Transfer = (file: OpenFile, position: number, start: number, end: number) => number

export function descriptorImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory } = context
  const get = (fd: number): OpenFile => context.fileSystem.descriptors.get(fd)

  /** The usual case: one range. `counted` is checked before any byte moves. */
  const transferOne = (
    file: OpenFile,
    iovecs: number,
    position: number,
    counted: number,
    transfer: Transfer,
  ): number => {
    memory.range(counted, 4)
    const iovec = memory.range(iovecs, IOVEC.BYTES)
    const length = memory.u32(iovec + IOVEC.len)
    const start = memory.range(memory.u32(iovec + IOVEC.base), length)
    if (length > IO_MAX) fail('EINVAL')
    memory.setU32(counted, transfer(file, position, start, start + length))
    return 0
  }
  // For readv and writev. Every range is checked before the first byte moves.
  const transferAll = (
    fd: number,
    iovecs: number,
    count: number,
    position: number,
    counted: number,
    transfer: Transfer,
  ): number => {
    const file = get(fd)
    if (count === 1) return transferOne(file, iovecs, position, counted, transfer)
    if (count < 0 || count > IOV_MAX) fail('EINVAL')
    memory.range(counted, 4)
    const first = memory.range(iovecs, count * IOVEC.BYTES)
    let wanted = 0
    for (let at = first; at < first + count * IOVEC.BYTES; at += IOVEC.BYTES) {
      const length = memory.u32(at + IOVEC.len)
      memory.range(memory.u32(at + IOVEC.base), length)
      wanted += length
    }
    // A total larger than memory is only possible if ranges overlap.
    if (wanted > Math.min(IO_MAX, memory.bytes.length)) fail('EINVAL')
    let moved = 0
    for (let at = first; at < first + count * IOVEC.BYTES; at += IOVEC.BYTES) {
      // Read again: a transfer into memory may have changed the list itself.
      const length = memory.u32(at + IOVEC.len)
      const start = memory.range(memory.u32(at + IOVEC.base), length)
      const part = transferPart(file, position + moved, start, start + length, moved, transfer)
      if (part < 0) break
      moved += part
      if (part < length) break
    }
    if (count === 0) transfer(file, position, 0, 0)
    memory.setU32(counted, moved)
    return 0
  }
  const read: Transfer = (file, _position, start, end) =>
    context.fileSystem.io.read(file, memory.bytes, start, end)
  const write: Transfer = (file, _position, start, end) =>
    context.fileSystem.io.write(file, memory.bytes, start, end)
  const readAt: Transfer = (file, position, start, end) =>
    context.fileSystem.io.readAt(file, position, memory.bytes, start, end)
  const writeAt: Transfer = (file, position, start, end) =>
    context.fileSystem.io.writeAt(file, position, memory.bytes, start, end)

  /** Passes one request, answer or display, which must be whole and in one range. */
  const throughDoor = <Door>(
    door: Door,
    iovecs: number,
    count: number,
    counted: number,
    pass: (door: Door, bytes: Buffer<ArrayBufferLike>, start: number, length: number) => void,
  ): number => {
    if (count !== 1) fail('EINVAL')
    memory.range(counted, 4)
    const iovec = memory.range(iovecs, IOVEC.BYTES)
    const length = memory.u32(iovec + IOVEC.len)
    const start = memory.range(memory.u32(iovec + IOVEC.base), length)
    pass(door, memory.bytes, start, length)
    memory.setU32(counted, length)
    return 0
  }

  /** A positioned write (pwrite) to the door is not a host call: it sets the time zone by name. */
  const setTimeZone = (iovecs: number, count: number, counted: number): number => {
    if (count !== 1) fail('EINVAL')
    memory.range(counted, 4)
    const iovec = memory.range(iovecs, IOVEC.BYTES)
    const length = memory.u32(iovec + IOVEC.len)
    const start = memory.range(memory.u32(iovec + IOVEC.base), length)
    if (length > MAX_TIME_ZONE_LENGTH) fail('EINVAL')
    if (!context.setTimeZone(memory.bytes.toString('latin1', start, start + length))) fail('EINVAL')
    memory.setU32(counted, length)
    return 0
  }

  const sync = (fd: number): number => {
    const { store, node, kind, device } = get(fd)
    if (kind === 'file') store.sync(node)
    else if (device !== null) context.signals.flushOutput()
    return 0
  }

  /** The argument of a variadic C call, which is in memory. */
  const argument = (pointer: number): number => memory.i32(pointer)

  return {
    fd_read: (fd: number, iovecs: number, count: number, counted: number) =>
      fd === DOOR_FD && context.door !== undefined
        ? throughDoor(context.door, iovecs, count, counted, takeAnswer)
        : transferAll(fd, iovecs, count, 0, counted, read),
    fd_write: (fd: number, iovecs: number, count: number, counted: number) =>
      fd === DOOR_FD && context.door !== undefined
        ? throughDoor(context.door, iovecs, count, counted, sendRequest)
        : fd === DISPLAY_FD
          ? throughDoor(context.displays, iovecs, count, counted, show)
          : transferAll(fd, iovecs, count, 0, counted, write),
    fd_pread: (fd: number, iovecs: number, count: number, position: bigint, counted: number) =>
      transferAll(fd, iovecs, count, positionOf(position), counted, readAt),
    fd_pwrite: (fd: number, iovecs: number, count: number, position: bigint, counted: number) =>
      fd === DOOR_FD
        ? setTimeZone(iovecs, count, counted)
        : transferAll(fd, iovecs, count, positionOf(position), counted, writeAt),
    fd_close: (fd: number) => {
      context.fileSystem.descriptors.close(fd)
      return 0
    },
    fd_seek: (fd: number, offset: bigint, whence: number, result: number) => {
      memory.range(result, 8)
      if (fd === DOOR_FD && context.door !== undefined) {
        // The door's "end of file" is the size of the next answer.
        if (offset !== 0n || whence !== SEEK.END) fail('ESPIPE')
        memory.setI64(result, context.door.nextBytes)
        return 0
      }
      memory.setI64(result, context.fileSystem.io.seek(get(fd), offsetOf(offset), whence))
      return 0
    },
    fd_sync: (fd: number) => sync(fd),
    __syscall_fdatasync: (fd: number) => sync(fd),
    fd_fdstat_get: (fd: number, buffer: number) => {
      const { kind } = get(fd)
      const at = memory.range(buffer, FDSTAT.BYTES)
      memory.bytes.fill(0, at, at + FDSTAT.BYTES)
      // No descriptor is a terminal, so none is reported as a character device.
      memory.setU8(at + FDSTAT.filetype, kind === 'directory' ? FILETYPE.DIRECTORY : FILETYPE.REGULAR)
      return 0
    },
    __syscall_fstat64: (fd: number, buffer: number) => {
      const { store, node } = get(fd)
      writeStat(memory, buffer, store.id, store.status(node))
      return 0
    },
    __syscall_fstatfs64: (fd: number, _size: number, buffer: number) => {
      writeStatfs(memory, buffer, get(fd).store)
      return 0
    },
    __syscall_fchdir: (fd: number) => {
      context.fileSystem.files.chdir(get(fd))
      return 0
    },
    __syscall_fchmod: (fd: number, mode: number) => {
      context.fileSystem.files.chmod(get(fd), mode & MODE_BITS)
      return 0
    },
    // There is only one user: any owner is accepted and ignored.
    __syscall_fchown32: (fd: number, _owner: number, _group: number) => {
      get(fd)
      return 0
    },
    __syscall_ftruncate64: (fd: number, size: bigint) => {
      const file = get(fd)
      if (file.kind !== 'file' || (file.flags & O.ACCESS_MODE) === O.RDONLY) fail('EINVAL')
      file.store.resize(file.node, sizeOf(size))
      return 0
    },
    __syscall_fallocate: (fd: number, mode: number, offset: bigint, length: bigint) => {
      const file = get(fd)
      if (mode !== 0) fail('EOPNOTSUPP')
      if (file.kind === 'pipe') fail('ESPIPE')
      if (file.kind !== 'file') fail('ENODEV')
      context.fileSystem.io.requireWritable(file)
      if (length <= 0n) fail('EINVAL')
      const size = sizeOf(offset) + sizeOf(length)
      const { store, node } = file
      if (store.paths !== null) store.paths.extend(node, sizeOf(BigInt(size)))
      else if (size > store.status(node).size) store.resize(node, sizeOf(BigInt(size)))
      return 0
    },
    __syscall_fadvise64: (fd: number, _offset: bigint, _length: bigint, _advice: number) => {
      if (get(fd).kind === 'pipe') fail('ESPIPE')
      return 0
    },
    __syscall_getdents64: (fd: number, buffer: number, size: number) => {
      const file = get(fd)
      if (file.kind !== 'directory') fail('ENOTDIR')
      const start = memory.range(buffer, size >>> 0)
      return listDirectory(context, file, start, start + (size >>> 0))
    },
    __syscall_dup: (fd: number) => context.fileSystem.descriptors.duplicate(fd, 0, false),
    __syscall_dup3: (fd: number, copy: number, flags: number) =>
      context.fileSystem.descriptors.replace(fd, copy, (flags & O.CLOEXEC) !== 0),
    __syscall_pipe: (pointer: number) => {
      memory.range(pointer, 8)
      const [readable, writable] = context.fileSystem.openPipe()
      memory.setU32(pointer, readable)
      memory.setU32(pointer + 4, writable)
      return 0
    },
    __syscall_fcntl64: (fd: number, command: number, pointer: number) => {
      const { descriptors } = context.fileSystem
      const descriptor = descriptors.descriptor(fd)
      const { file } = descriptor
      switch (command) {
        case F.DUPFD:
        case F.DUPFD_CLOEXEC:
          return descriptors.duplicate(fd, argument(pointer), command === F.DUPFD_CLOEXEC)
        case F.GETFD:
          return descriptor.closeOnExec ? FD_CLOEXEC : 0
        case F.SETFD:
          descriptor.closeOnExec = (argument(pointer) & FD_CLOEXEC) !== 0
          return 0
        case F.GETFL:
          return file.flags
        case F.SETFL:
          file.flags = (file.flags & ~SETTABLE_FLAGS) | (argument(pointer) & SETTABLE_FLAGS)
          return 0
        case F.GETLK:
        case F.SETLK:
        case F.SETLKW:
          return lockFile(context, file, memory.range(argument(pointer), FLOCK.BYTES), command)
        default:
          return fail('EINVAL')
      }
    },
    // Fails for every request, because no descriptor is a terminal.
    __syscall_ioctl: (fd: number, _request: number, _pointer: number) => {
      get(fd)
      return fail('ENOTTY')
    },
  }
}

function show(displays: DisplaySink, bytes: Uint8Array, start: number, length: number): void {
  displays.show(bytes, start, length)
}

function sendRequest(
  door: HostCallDoor,
  bytes: Buffer<ArrayBufferLike>,
  start: number,
  length: number,
): void {
  const outcome = door.send(Uint8Array.prototype.slice.call(bytes, start, start + length))
  if (outcome === 'full') fail('EAGAIN')
  if (outcome === 'too-large') fail('EFBIG')
}

/**
 * The guest must ask for exactly the size of the answer, so that no part of it gets lost. If it has no memory for that, it may ask for the
 * id alone; the rest is then dropped, because a kept answer would block all later ones.
 */
function takeAnswer(door: HostCallDoor, bytes: Buffer<ArrayBufferLike>, start: number, length: number): void {
  if (door.nextBytes === 0) fail('EAGAIN')
  if (length !== door.nextBytes && length !== ANSWER_ID_BYTES) fail('EINVAL')
  bytes.set(door.take()?.subarray(0, length) ?? [], start)
}

const ANSWER_ID_BYTES = 4

/** Transfers one range. Returns -1 if it fails after others succeeded: the call then reports what it moved, and the next call fails. */
function transferPart(
  file: OpenFile,
  position: number,
  start: number,
  end: number,
  moved: number,
  transfer: Transfer,
): number {
  if (moved === 0) return transfer(file, position, start, end)
  try {
    return transfer(file, position, start, end)
  } catch (error) {
    if (error instanceof FsError) return -1
    throw error
  }
}
