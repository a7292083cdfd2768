// Open files, pipes, listings and the working directory are restored unchanged (I1).
import { describe, expect, it } from 'vitest'
import { O } from '../../workers/host/abi.js'
import { errno } from '../../workers/host/errno.js'
import type { Guest } from './guest.js'
import { freeze, moved, newGuest, still, thaw } from './thaw.js'

const CREATE = O.CREAT | O.RDWR
const GETFD = 1
const GETFL = 3

describe('open files', () => {
  it('keep their position', () => {
    const guest = newGuest()
    guest.put('/tmp/file', 'hello world')
    const fd = guest.open('/tmp/file')
    guest.read(fd, 6)
    expect(moved(guest).read(fd, 100)).toBe('world')
  })

  it('of the image keep their position, however large', () => {
    const guest = newGuest()
    const fd = guest.open('/lib/data')
    guest.seek(fd, 123_456)
    const other = moved(guest)
    expect(other.read(fd, 100)).toBe(guest.read(fd, 100))
    other.seek(fd, Number.MAX_SAFE_INTEGER)
    expect(moved(other).seek(fd, 0, 1)).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('with O_APPEND write at the end', () => {
    const guest = newGuest()
    guest.put('/tmp/log', 'one\n')
    const fd = guest.open('/tmp/log', O.WRONLY | O.APPEND)
    const other = moved(guest)
    other.seek(fd, 0)
    other.write(fd, 'two\n')
    expect(other.get('/tmp/log')).toBe('one\ntwo\n')
    expect(other.read(fd, 1)).toBe(-errno.EBADF)
  })

  it('for reading and writing can do both', () => {
    const guest = newGuest()
    const fd = guest.open('/tmp/both', CREATE)
    guest.write(fd, 'abcdef')
    guest.seek(fd, 2)
    const other = moved(guest)
    expect(other.write(fd, 'X')).toBe(1)
    expect(other.read(fd, 10)).toBe('def')
    expect(other.get('/tmp/both')).toBe('abXdef')
  })

  it('that dup created share their position, others do not', () => {
    const guest = newGuest()
    guest.put('/tmp/file', 'abcdefgh')
    const first = guest.open('/tmp/file')
    const shared = guest.number('__syscall_dup', first)
    const alone = guest.open('/tmp/file')
    guest.read(first, 2)
    const other = moved(guest)
    expect(other.read(shared, 2)).toBe('cd')
    expect(other.read(first, 2)).toBe('ef')
    expect(other.read(alone, 2)).toBe('ab')
    other.call('fd_close', first)
    expect(other.read(shared, 2)).toBe('gh')
  })

  it('keep their numbers, gaps, flags and close-on-exec', () => {
    const guest = newGuest()
    guest.put('/tmp/file', 'x')
    const files = [0, O.NONBLOCK, O.CLOEXEC, O.APPEND | O.WRONLY, 0o4_010_000].map((flags) =>
      guest.open('/tmp/file', flags),
    )
    guest.call('__syscall_dup3', files[0], 1000, O.CLOEXEC)
    guest.call('fd_close', 0)
    guest.call('fd_close', files[1])
    const other = moved(guest)
    for (const fd of [0, 1, 2, ...files, 1000]) {
      for (const command of [GETFD, GETFL]) {
        const call = [fd, command, 0] as const
        expect(other.call('__syscall_fcntl64', ...call)).toBe(guest.call('__syscall_fcntl64', ...call))
      }
    }
    expect(other.open('/tmp/file')).toBe(0)
    expect(other.open('/tmp/file')).toBe(files[1])
  })

  it('that were unlinked live until they are closed', () => {
    const guest = newGuest()
    const fd = guest.open('/tmp/gone', CREATE)
    guest.write(fd, 'still here')
    guest.unlink('/tmp/gone')
    const other = moved(guest)
    expect(other.stat('/tmp/gone').error).toBe(-errno.ENOENT)
    other.seek(fd, 0)
    expect(other.read(fd, 100)).toBe('still here')
    expect(other.host.usage.fileBytes).toBe(guest.host.usage.fileBytes)
    const before = other.host.usage.fileBytes
    other.call('fd_close', fd)
    expect(other.host.usage.fileBytes).toBe(before - 10)
  })

  it('of the image that were unlinked live until they are closed', () => {
    const guest = newGuest()
    const fd = guest.open('/lib/dir/a')
    guest.unlink('/lib/dir/a')
    const other = moved(guest)
    expect(other.list('/lib/dir')).toEqual(['b', 'c'])
    expect(other.read(fd, 100)).toBe(guest.read(fd, 100))
    other.call('fd_close', fd)
    expect(freeze(other).state.removed).toHaveLength(1)
    expect(moved(other).list('/lib/dir')).toEqual(['b', 'c'])
  })

  it('can be closed altogether, and standard output can be a file', () => {
    const guest = newGuest()
    for (const fd of [0, 1, 2]) guest.call('fd_close', fd)
    const none = moved(guest)
    expect(none.write(1, 'x')).toBe(-errno.EBADF)
    expect([guest.open('/tmp/in', CREATE), guest.open('/tmp/out', CREATE)]).toEqual([0, 1])
    const other = moved(guest)
    other.write(1, 'into the file')
    expect(other.get('/tmp/out')).toBe('into the file')
    expect(other.output).toEqual([])
  })

  it('write to the new host’s output', () => {
    const guest = newGuest()
    const copy = guest.number('__syscall_dup', 2)
    const other = moved(guest)
    other.write(copy, 'here')
    expect(other.output).toEqual([{ stream: 2, text: 'here', bytes: 4 }])
    expect(guest.output).toEqual([])
  })
})

describe('pipes', () => {
  it('keep unread bytes and both ends', () => {
    const guest = newGuest()
    const { readable, writable } = openPipe(guest)
    guest.write(writable, 'read unread')
    guest.read(readable, 5)
    const other = moved(guest)
    expect(other.read(readable, 100)).toBe('unread')
    expect(other.read(readable, 100)).toBe(-errno.EAGAIN)
    expect(other.write(writable, 'more')).toBe(4)
    expect(other.read(readable, 100)).toBe('more')
    other.call('fd_close', writable)
    expect(other.read(readable, 100)).toBe('')
  })

  it('with one closed end are at end of file, or broken', () => {
    const guest = newGuest()
    const ending = openPipe(guest)
    guest.write(ending.writable, 'last')
    guest.call('fd_close', ending.writable)
    const broken = openPipe(guest)
    guest.call('fd_close', broken.readable)
    const other = moved(guest)
    expect(other.read(ending.readable, 100)).toBe('last')
    expect(other.read(ending.readable, 100)).toBe('')
    expect(other.write(broken.writable, 'x')).toBe(-errno.EPIPE)
  })

  it('that are full accept no more and have the same free space', () => {
    const guest = newGuest()
    const { readable, writable } = openPipe(guest)
    guest.write(writable, 'x'.repeat(60_000))
    guest.read(readable, 100)
    const other = moved(guest)
    expect(other.host.usage).toEqual(guest.host.usage)
    expect(other.write(writable, 'y'.repeat(10_000))).toBe(guest.write(writable, 'y'.repeat(10_000)))
    expect(other.write(writable, 'z')).toBe(-errno.EAGAIN)
    expect(other.read(readable, 70_000) === guest.read(readable, 70_000)).toBe(true)
    for (const fd of [readable, writable]) other.call('fd_close', fd)
    expect(other.host.usage.fileBytes).toBe(newGuest().host.usage.fileBytes)
  })

  it('shared by dup count each end once', () => {
    const guest = newGuest()
    const { readable, writable } = openPipe(guest)
    const copy = guest.number('__syscall_dup', writable)
    const other = moved(guest)
    other.call('fd_close', writable)
    expect(other.read(readable, 1)).toBe(-errno.EAGAIN)
    other.call('fd_close', copy)
    expect(other.read(readable, 1)).toBe('')
  })
})

describe('directory listings', () => {
  it('in progress continue: every entry once, and no new ones', () => {
    const guest = newGuest()
    for (let index = 0; index < 50; index += 1) guest.put(`/tmp/${index}`, '')
    const fd = guest.open('/tmp', O.DIRECTORY)
    const seen = guest.entries(fd, 600)
    guest.put('/tmp/late', '')
    guest.unlink('/tmp/30')
    const other = moved(guest)
    other.put('/tmp/later', '')
    other.unlink('/tmp/40')
    for (;;) {
      const found = other.entries(fd, 600)
      if (typeof found === 'number' || typeof seen === 'number') throw new Error('getdents64')
      if (found.length === 0) break
      seen.push(...found)
    }
    const names = (seen as { name: string }[]).map(({ name }) => name).slice(2)
    const expected = Array.from({ length: 50 }, (_, index) => `${index}`)
    expect(names).toEqual(expected.filter((name) => name !== '30' && name !== '40'))
    other.seek(fd, 0)
    expect(other.entries(fd, 10_000)).toHaveLength(2 + 48 + 2)
  })

  it('keep their order and cookies, also in directories of the image', () => {
    const guest = newGuest()
    guest.put('/lib/dir/new', '')
    guest.rename('/lib/dir/a', '/lib/dir/last')
    guest.rename('/lib/dir/new', '/lib/dir/a')
    guest.put('/lib/dir/b', 'changed')
    for (const size of [70, 4096]) {
      const fd = guest.open('/lib/dir', O.DIRECTORY)
      guest.entries(fd, size)
    }
    const fd = guest.open('/lib/dir', O.DIRECTORY)
    const other = moved(guest)
    expect(other.entries(fd)).toEqual(guest.entries(fd))
    expect(still(freeze(other))).toEqual(still(freeze(guest)))
  })
})

describe('the working directory', () => {
  it('is the base of relative paths', () => {
    const guest = newGuest()
    guest.mkdir('/tmp/here')
    guest.put('/tmp/here/file', 'found')
    guest.call('__syscall_chdir', guest.text('/tmp/here'))
    const other = moved(guest)
    expect(other.get('file')).toBe('found')
    expect(directory(other)).toBe('/tmp/here')
  })

  it('still exists without a path if it was removed', () => {
    const guest = newGuest()
    guest.mkdir('/tmp/gone')
    guest.call('__syscall_chdir', guest.text('/tmp/gone'))
    guest.rmdir('/tmp/gone')
    const other = moved(guest)
    expect(directory(other)).toBe(-errno.ENOENT)
    expect(other.stat('.').error).toBe(0)
    expect(other.mkdir('x')).toBe(-errno.ENOENT)
    const { nodes } = freeze(other).state
    other.call('__syscall_chdir', other.text('/'))
    expect(freeze(other).state.nodes).toHaveLength(nodes.length - 1)
  })

  it('from the image can be removed too', () => {
    const guest = newGuest()
    expect(guest.rmdir('/home/user')).toBe(0)
    const removed = moved(guest)
    expect(directory(removed)).toBe(-errno.ENOENT)
    guest.call('__syscall_chdir', guest.text('/tmp'))
    const other = moved(guest)
    expect(directory(other)).toBe('/tmp')
    expect(other.stat('/home/user').error).toBe(-errno.ENOENT)
    removed.host.reset()
    expect(directory(removed)).toBe('/home/user')
  })

  it('and the umask are kept', () => {
    const guest = newGuest()
    guest.call('__syscall_umask_js', 0o137)
    const other = moved(guest)
    other.put('/tmp/file', '')
    expect(other.stat('/tmp/file').mode & 0o777).toBe(0o640 & 0o666 & ~0o137)
  })
})

it('devices of the image can be removed and renamed, and open ones keep working', () => {
  const guest = newGuest()
  const zero = guest.open('/dev/zero')
  guest.unlink('/dev/zero')
  guest.rename('/dev/null', '/tmp/null')
  const other = thaw(freeze(guest))
  expect(other.read(zero, 3)).toBe('\0\0\0')
  expect(other.write(other.open('/tmp/null', O.WRONLY), 'x')).toBe(1)
  expect(other.open('/dev/null')).toBe(-errno.ENOENT)
  other.call('fd_close', zero)
  expect(other.open('/dev/zero')).toBe(-errno.ENOENT)
})

function openPipe(guest: Guest): { readable: number; writable: number } {
  const at = guest.room(8)
  guest.call('__syscall_pipe', at)
  return { readable: guest.view.getInt32(at, true), writable: guest.view.getInt32(at + 4, true) }
}

/** @returns the working directory, or a negative error number */
function directory(guest: Guest): string | number {
  const buffer = guest.room(4096)
  const length = guest.number('__syscall_getcwd', buffer, 4096)
  return length < 0 ? length : guest.bytes.toString('latin1', buffer, buffer + length - 1)
}
