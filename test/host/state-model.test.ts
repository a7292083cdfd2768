// Two guests take the same steps, and one of them is repeatedly saved and restored on another host. Neither can see any difference
// (I1).
import { describe, expect, it } from 'vitest'
import { O } from '../../workers/host/abi.js'
import { AT_FDCWD, type Guest } from './guest.js'
import { freeze, newGuest, thaw } from './thaw.js'

/** Steps per seed. HOST_MODEL_STEPS sets another number. */
const STEPS = Number(process.env.HOST_MODEL_STEPS ?? 1500)
const LIMITS = { fileBytes: 600_000 }
const DIRECTORIES = ['/tmp', '/lib', '/lib/dir', '/tmp/d', '/tmp/d/e', '.', '..']
const NAMES = ['a', 'b', 'c', 'd', 'e', 'data', 'link', 'dir']
const PATHS = [...DIRECTORIES, '/dev/null', '/dev/zero', '/home/user', '/dev/fd/5']
const FLAGS = [0, O.WRONLY, O.RDWR, O.CREAT | O.RDWR, O.CREAT | O.RDWR, O.CREAT | O.EXCL | O.RDWR]
const MORE_FLAGS = [0, 0, 0, O.APPEND, O.TRUNC, O.CLOEXEC, O.DIRECTORY, O.NOFOLLOW, O.PATH]

type Step = (guest: Guest) => unknown

describe('a guest that is saved and restored between steps', () => {
  it.each([11, 12, 13, 14])('behaves exactly like one that was not (seed %d)', (seed) => {
    const random = numbers(seed)
    const steady = newGuest({ limits: LIMITS })
    let present = newGuest({ limits: LIMITS })
    let other = newGuest({ limits: LIMITS })
    const errors = new Set<number>()
    let done = 0
    for (let count = 0; count < STEPS; count += 1) {
      const [name, step] = randomStep(random)
      steady.recycle()
      present.recycle()
      const expected = step(steady)
      expect(step(present), `step ${count}: ${name}`).toEqual(expected)
      if (typeof expected === 'number' && expected < 0) errors.add(expected)
      else done += 1
      expect(present.host.usage.fileBytes, `after step ${count}: ${name}`).toBe(steady.host.usage.fileBytes)
      if (random() < 0.1) {
        // The other guest still has an earlier state, which the restore has to replace.
        thaw(freeze(present), { limits: LIMITS }, other)
        ;[present, other] = [other, present]
      }
    }
    expect(done).toBeGreaterThan(STEPS / 4)
    expect(errors.size).toBeGreaterThan(8)
    expect([steady.host.ended, present.host.ended]).toEqual([null, null])
  })
})

function randomStep(random: () => number): readonly [name: string, step: Step] {
  const below = (limit: number): number => Math.floor(random() * limit)
  const one = <T>(from: readonly T[]): T => from[below(from.length)] as T
  const path = random() < 0.25 ? one(PATHS) : `${one(DIRECTORIES)}/${one(NAMES)}`
  const to = random() < 0.1 ? one(PATHS) : `${one(DIRECTORIES)}/${one(NAMES)}`
  const fd = below(14)
  const second = below(14)
  const size = one([0, 1, 10, 300, 5000, 70_000])
  const offset = one([0, 1, 255, 256, 65_535, 65_536, 65_537, 150_000, 250_000, 1_000_000])
  const flags = one(FLAGS) | one(MORE_FLAGS)
  const mode = one([0o777, 0o666, 0o400, 0, 0o200, 0o300])
  const entry = one(NAMES)
  const mask = one([0, 0o22, 0o77])
  const settable = one([0, O.APPEND, O.NONBLOCK])
  const text = String.fromCharCode(97 + below(26)).repeat(size)
  const steps: Record<string, Step> = {
    open: (guest) => guest.open(path, flags, mode),
    openAgain: (guest) => guest.open(path, O.RDWR),
    openat: (guest) => guest.open(entry, flags, mode, fd),
    close: (guest) => guest.call('fd_close', fd),
    read: (guest) => guest.read(fd, size),
    write: (guest) => (fd === 1 || fd === 2 ? 0 : guest.write(fd, text)),
    writeZeros: (guest) => (fd === 1 || fd === 2 ? 0 : guest.write(fd, '\0'.repeat(size))),
    seek: (guest) => guest.seek(fd, offset),
    tell: (guest) => guest.seek(fd, 0, 1),
    cut: (guest) => guest.call('__syscall_ftruncate64', fd, BigInt(offset)),
    truncate: (guest) => guest.call('__syscall_truncate64', guest.text(path), BigInt(offset)),
    list: (guest) => guest.entries(fd, 100),
    listAll: (guest) => guest.entries(fd, 5000),
    unlink: (guest) => guest.unlink(path),
    mkdir: (guest) => guest.mkdir(path),
    rmdir: (guest) => guest.rmdir(path),
    rename: (guest) => guest.rename(path, to),
    symlink: (guest) => guest.symlink(to, path),
    readlink: (guest) => {
      const buffer = guest.room(300)
      const length = guest.number('__syscall_readlinkat', AT_FDCWD, guest.text(path), buffer, 300)
      return length < 0 ? length : guest.bytes.toString('latin1', buffer, buffer + length)
    },
    dup: (guest) => guest.call('__syscall_dup', fd),
    dup3: (guest) => guest.call('__syscall_dup3', fd, second, 0),
    pipe: (guest) => guest.call('__syscall_pipe', guest.room(8)),
    chdir: (guest) => guest.call('__syscall_chdir', guest.text(path)),
    fchdir: (guest) => guest.call('__syscall_fchdir', fd),
    home: (guest) => guest.call('__syscall_chdir', guest.text('/tmp')),
    cwd: (guest) => {
      const buffer = guest.room(4096)
      const length = guest.number('__syscall_getcwd', buffer, 4096)
      return length < 0 ? length : guest.bytes.toString('latin1', buffer, buffer + length)
    },
    chmod: (guest) => guest.call('__syscall_chmod', guest.text(path), mode | 0o300),
    umask: (guest) => guest.call('__syscall_umask_js', mask),
    flags: (guest) => guest.call('__syscall_fcntl64', fd, 3, guest.room(4)),
    setFlags: (guest) => guest.call('__syscall_fcntl64', fd, 4, guest.word(settable)),
    closeOnExec: (guest) => guest.call('__syscall_fcntl64', fd, 1, guest.room(4)),
    stat: (guest) => status(guest, '__syscall_stat64', guest.text(path)),
    fstat: (guest) => status(guest, '__syscall_fstat64', fd),
    statfs: (guest) => {
      const buffer = guest.room(88)
      guest.call('__syscall_statfs64', guest.text('/'), 88, buffer)
      return guest.bytes.toString('hex', buffer, buffer + 88)
    },
    whole: (guest) => guest.get(path),
  }
  const name = one(Object.keys(steps))
  const step = steps[name] as Step
  return [`${name} ${path} ${to} ${fd} ${flags} ${size} ${offset}`, step]
}

/** All of struct stat except the times. */
function status(guest: Guest, name: string, what: number): unknown {
  const buffer = guest.room(96)
  const error = guest.number(name, what, buffer)
  if (error !== 0) return error
  const bytes = guest.bytes.subarray(buffer, buffer + 96)
  return [bytes.toString('hex', 0, 40), bytes.toString('hex', 88, 96)]
}

/** Numerical Recipes' generator. The same seed reproduces a failure. */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
