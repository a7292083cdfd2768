// Imports that take a path. Owns decoding their arguments and encoding their results; fs/files.ts does the work.
import { AT, MODE_BITS, O, S, TIMESPEC, UTIME_NOW, UTIME_OMIT } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { FileTime } from './fs/node-store.js'
import type { Location } from './fs/tree.js'
import type { ImportFunction } from './guard.js'
import { sizeOf, writeStat, writeStatfs } from './structs.js'

export function fileImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory } = context

  /** Walks from `dirfd`. With AT_EMPTY_PATH and an empty path (or no path at all), returns the location of `dirfd` itself. */
  const locate = (dirfd: number, pathPointer: number, follow: boolean, emptyPath: boolean): Location => {
    const { fileSystem } = context
    const path = pathPointer === 0 && emptyPath ? '' : memory.path(pathPointer)
    if (path === '' && emptyPath) {
      return dirfd === AT.FDCWD ? fileSystem.files.cwd : fileSystem.descriptors.get(dirfd)
    }
    const fd = descriptorOf(path)
    if (fd >= 0) return fileSystem.descriptors.find(fd) ?? fail('ENOENT')
    return fileSystem.files.find(fileSystem.start(dirfd, path, AT.FDCWD), path, follow)
  }
  const stat = (dirfd: number, pathPointer: number, buffer: number, follow: boolean): number => {
    const { fileSystem } = context
    const path = memory.path(pathPointer)
    if (path === '' || descriptorOf(path) >= 0) {
      const { store, node } = locate(dirfd, pathPointer, follow, false)
      writeStat(memory, buffer, store.id, store.status(node))
    } else {
      const start = fileSystem.start(dirfd, path, AT.FDCWD)
      const { location, status } = fileSystem.files.status(start, path, follow)
      writeStat(memory, buffer, location.store.id, status)
    }
    return 0
  }
  /** Where the path starts, and the path. */
  const from = (dirfd: number, pathPointer: number): readonly [Location, string] => {
    const path = memory.path(pathPointer)
    return [context.fileSystem.start(dirfd, path, AT.FDCWD), path]
  }
  const time = (pointer: number): FileTime | null => {
    const nanoseconds = memory.i32(pointer + TIMESPEC.nsec)
    if (nanoseconds === UTIME_OMIT) return null
    if (nanoseconds === UTIME_NOW) return context.fileSystem.nodes.now()
    if (nanoseconds < 0 || nanoseconds > 999_999_999) fail('EINVAL')
    return { seconds: memory.i64(pointer + TIMESPEC.sec), nanoseconds }
  }

  return {
    __syscall_openat: (dirfd: number, pathPointer: number, flags: number, modePointer: number) => {
      const [start, path] = from(dirfd, pathPointer)
      const { files, descriptors } = context.fileSystem
      const duplicated = descriptorOf(path)
      if (duplicated >= 0) return descriptors.duplicate(duplicated, 0, (flags & O.CLOEXEC) !== 0)
      const mode = (flags & O.CREAT) !== 0 && modePointer !== 0 ? memory.u32(modePointer) : 0
      descriptors.requireFree(1)
      return descriptors.open(files.open(start, path, flags, mode & MODE_BITS), flags)
    },
    __syscall_stat64: (path: number, buffer: number) => stat(AT.FDCWD, path, buffer, true),
    __syscall_lstat64: (path: number, buffer: number) => stat(AT.FDCWD, path, buffer, false),
    __syscall_newfstatat: (dirfd: number, path: number, buffer: number, flags: number) => {
      const follow = (flags & AT.SYMLINK_NOFOLLOW) === 0
      if ((flags & AT.EMPTY_PATH) === 0) return stat(dirfd, path, buffer, follow)
      const { store, node } = locate(dirfd, path, follow, true)
      writeStat(memory, buffer, store.id, store.status(node))
      return 0
    },
    __syscall_statfs64: (path: number, _size: number, buffer: number) => {
      const { store } = locate(AT.FDCWD, path, true, false)
      writeStatfs(memory, buffer, store)
      return 0
    },
    __syscall_faccessat: (dirfd: number, pathPointer: number, wanted: number, flags: number) => {
      if ((wanted & ~7) !== 0) fail('EINVAL')
      const [start, path] = from(dirfd, pathPointer)
      context.fileSystem.files.access(start, path, wanted, (flags & AT.SYMLINK_NOFOLLOW) === 0)
      return 0
    },
    __syscall_chdir: (path: number) => {
      context.fileSystem.files.chdir(locate(AT.FDCWD, path, true, false))
      return 0
    },
    __syscall_getcwd: (buffer: number, size: number) => {
      if (size === 0) fail('EINVAL')
      const text = `${context.fileSystem.files.getcwd()}\0`
      if (text.length > size >>> 0) fail('ERANGE')
      memory.setText(buffer, text)
      return text.length
    },
    __syscall_chmod: (path: number, mode: number) => {
      context.fileSystem.files.chmod(locate(AT.FDCWD, path, true, false), mode)
      return 0
    },
    __syscall_fchmodat2: (dirfd: number, path: number, mode: number, flags: number) => {
      const follow = (flags & AT.SYMLINK_NOFOLLOW) === 0
      context.fileSystem.files.chmod(locate(dirfd, path, follow, (flags & AT.EMPTY_PATH) !== 0), mode)
      return 0
    },
    // There is only one user: any owner is accepted and ignored.
    __syscall_fchownat: (dirfd: number, path: number, _owner: number, _group: number, flags: number) => {
      locate(dirfd, path, (flags & AT.SYMLINK_NOFOLLOW) === 0, (flags & AT.EMPTY_PATH) !== 0)
      return 0
    },
    __syscall_mkdirat: (dirfd: number, path: number, mode: number) => {
      context.fileSystem.files.mkdir(...from(dirfd, path), mode)
      return 0
    },
    __syscall_mknodat: (dirfd: number, path: number, mode: number, _device: number) => {
      const type = mode & S.IFMT
      if (type !== 0 && type !== S.IFREG) fail('EPERM')
      context.fileSystem.files.makeFile(...from(dirfd, path), mode)
      return 0
    },
    __syscall_unlinkat: (dirfd: number, path: number, flags: number) => {
      const { files } = context.fileSystem
      if ((flags & ~AT.REMOVEDIR) !== 0) fail('EINVAL')
      if (flags === 0) files.unlink(...from(dirfd, path))
      else files.rmdir(...from(dirfd, path))
      return 0
    },
    __syscall_rmdir: (path: number) => {
      context.fileSystem.files.rmdir(...from(AT.FDCWD, path))
      return 0
    },
    __syscall_renameat: (fromDirfd: number, fromPath: number, toDirfd: number, toPath: number) => {
      context.fileSystem.files.rename(...from(fromDirfd, fromPath), ...from(toDirfd, toPath))
      return 0
    },
    __syscall_symlinkat: (target: number, dirfd: number, path: number) => {
      context.fileSystem.files.symlink(memory.path(target), ...from(dirfd, path))
      return 0
    },
    __syscall_readlinkat: (dirfd: number, path: number, buffer: number, size: number) => {
      if (size <= 0) fail('EINVAL')
      const target = context.fileSystem.files.readlink(...from(dirfd, path)).slice(0, size)
      memory.setText(buffer, target)
      return target.length
    },
    __syscall_truncate64: (path: number, size: bigint) => {
      context.fileSystem.files.truncate(locate(AT.FDCWD, path, true, false), sizeOf(size))
      return 0
    },
    __syscall_utimensat: (dirfd: number, path: number, times: number, flags: number) => {
      const { files, nodes } = context.fileSystem
      const location = locate(dirfd, path, (flags & AT.SYMLINK_NOFOLLOW) === 0, true)
      if (times === 0) {
        const now = nodes.now()
        files.setTimes(location, now, now)
      } else files.setTimes(location, time(times), time(times + TIMESPEC.BYTES))
      return 0
    },
  }
}

const DESCRIPTORS = '/dev/fd/'
const MAX_DIGITS = 4

/** The N of a path "/dev/fd/N", in decimal without leading zeros; -1 for any other path. */
function descriptorOf(path: string): number {
  if (!path.startsWith(DESCRIPTORS)) return -1
  const digits = path.length - DESCRIPTORS.length
  if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && path[DESCRIPTORS.length] === '0')) return -1
  let fd = 0
  for (let at = DESCRIPTORS.length; at < path.length; at++) {
    const digit = path.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return -1
    fd = 10 * fd + digit
  }
  return fd
}
