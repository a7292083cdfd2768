import { beforeEach, describe, expect, it } from 'vitest'
import { errno } from '../../workers/host/errno.js'
import { Guest } from './guest.js'

const APPEND = 0o2002
const READ_WRITE = 0o102

let guest: Guest

beforeEach(() => {
  guest = new Guest()
  guest.put('/tmp/file', '0123456789')
})

const fcntl = (fd: number, command: number, argument = 0) =>
  guest.number('__syscall_fcntl64', fd, command, guest.word(argument))

describe('file positions', () => {
  it('are shared by duplicates, but not by a second open', () => {
    const fd = guest.open('/tmp/file')
    const copy = guest.number('__syscall_dup', fd)
    const other = guest.open('/tmp/file')
    guest.seek(fd, 4)
    expect(guest.read(copy, 2)).toBe('45')
    expect(guest.read(other, 2)).toBe('01')
    guest.call('fd_close', fd)
    expect(guest.read(copy, 2)).toBe('67')
  })

  it('move to the end before each write with O_APPEND', () => {
    const fd = guest.open('/tmp/file', APPEND)
    guest.write(fd, 'a')
    guest.put('/tmp/file', 'short')
    guest.write(fd, 'b')
    expect(guest.get('/tmp/file')).toBe('shortb')
  })

  it.each([
    ['before the start', -1n, 0, errno.EINVAL],
    ['beyond what a number holds', 2n ** 60n, 0, errno.EOVERFLOW],
    ['with an unknown whence', 0n, 9, errno.EINVAL],
  ])('cannot be set %s', (_, offset, whence, expected) => {
    expect(guest.seek(guest.open('/tmp/file'), offset, whence)).toBe(-expected)
  })

  it('do not exist for output', () => {
    expect(guest.seek(1, 0)).toBe(-errno.ESPIPE)
  })
})

describe('descriptors', () => {
  it('get the lowest free number', () => {
    guest.open('/tmp/file')
    const fd = guest.open('/tmp/file')
    guest.call('fd_close', 0)
    expect(guest.open('/tmp/file')).toBe(0)
    expect(guest.open('/tmp/file')).toBe(fd + 1)
  })

  it('can be duplicated to a given number with dup3', () => {
    const fd = guest.open('/tmp/file')
    expect(guest.number('__syscall_dup3', fd, 40, 0)).toBe(40)
    expect(guest.read(40, 3)).toBe('012')
    expect(guest.number('__syscall_dup3', fd, fd, 0)).toBe(-errno.EINVAL)
    expect(guest.number('__syscall_dup3', fd, 1024, 0)).toBe(-errno.EBADF)
    expect(guest.number('__syscall_dup3', fd, -1, 0)).toBe(-errno.EBADF)
    expect(guest.number('__syscall_dup3', 99, 41, 0)).toBe(-errno.EBADF)
  })

  it('keep their flags', () => {
    const fd = guest.open('/tmp/file', APPEND | 0o2000000)
    expect(fcntl(fd, 1)).toBe(1)
    expect(fcntl(fd, 3)).toBe(APPEND)
    fcntl(fd, 4, 0)
    expect(fcntl(fd, 3)).toBe(2)
    fcntl(fd, 2, 0)
    expect(fcntl(fd, 1)).toBe(0)
    expect(fcntl(fd, 0, 30)).toBe(30)
    expect(fcntl(fd, 0, -1)).toBe(-errno.EINVAL)
  })

  it('report every lock as free', () => {
    const lock = guest.room(32)
    expect(guest.number('__syscall_fcntl64', guest.open('/tmp/file'), 12, guest.word(lock))).toBe(0)
    expect(guest.view.getInt16(lock, true)).toBe(2)
  })

  it('reject operations they were not opened for', () => {
    expect(guest.write(guest.open('/tmp/file', 0), 'x')).toBe(-errno.EBADF)
    expect(guest.read(guest.open('/tmp/file', 1), 1)).toBe(-errno.EBADF)
    expect(guest.read(guest.open('/tmp'), 1)).toBe(-errno.EISDIR)
    expect(guest.number('__syscall_ftruncate64', guest.open('/tmp/file', 0), 1n)).toBe(-errno.EINVAL)
    expect(guest.number('__syscall_ioctl', 1, 21_523, 0)).toBe(-errno.ENOTTY)
  })
})

describe('a file that was removed while open', () => {
  it('can be read, written and stat-ed until it is closed', () => {
    const fd = guest.open('/tmp/file', 2)
    guest.unlink('/tmp/file')
    expect(guest.stat('/tmp/file').error).toBe(-errno.ENOENT)
    expect(guest.read(fd, 4)).toBe('0123')
    expect(guest.write(fd, 'x'.repeat(1000))).toBe(1000)
    const buffer = guest.room(96)
    guest.call('__syscall_fstat64', fd, buffer)
    expect(guest.view.getUint32(buffer + 8, true)).toBe(0)
    expect(guest.host.usage.fileBytes).toBe(1004)
    guest.call('fd_close', fd)
    expect(guest.host.usage.fileBytes).toBe(0)
  })
})

describe('vectors', () => {
  it('are written in order', () => {
    const fd = guest.open('/tmp/vector', READ_WRITE)
    const parts = ['one', '', 'three'].map((part) => [guest.text(part), part.length])
    const iovecs = guest.room(28)
    for (const [index, word] of parts.flat().entries()) guest.view.setUint32(iovecs + 4 * index, word, true)
    expect(guest.number('fd_write', fd, iovecs, 3, iovecs + 24)).toBe(0)
    expect(guest.view.getUint32(iovecs + 24, true)).toBe(8)
    expect(guest.get('/tmp/vector')).toBe('onethree')
  })

  it.each([
    ['more than 1,024', 1025, 8, errno.EINVAL],
    ['a negative count', -1, 8, errno.EINVAL],
    ['a range outside memory', 1, 2 ** 21, errno.EFAULT],
  ])('are rejected with %s', (_, count, size, expected) => {
    const iovecs = guest.room(8 * 1100)
    guest.view.setUint32(iovecs, iovecs, true)
    guest.view.setUint32(iovecs + 4, size, true)
    expect(guest.number('fd_write', guest.open('/tmp/file', 2), iovecs, count, iovecs)).toBe(expected)
  })

  it('are rejected if their total length exceeds the memory', () => {
    const iovecs = guest.room(8 * 1024)
    for (let i = 0; i < 1024; i += 1) {
      guest.view.setUint32(iovecs + 8 * i, 8, true)
      guest.view.setUint32(iovecs + 8 * i + 4, 2 ** 21 - 8, true)
    }
    expect(guest.number('fd_write', 1, iovecs, 1024, iovecs)).toBe(errno.EINVAL)
    expect(guest.output).toEqual([])
  })
})

describe('pipes', () => {
  let reader: number
  let writer: number

  beforeEach(() => {
    const pair = guest.room(8)
    guest.call('__syscall_pipe', pair)
    reader = guest.view.getInt32(pair, true)
    writer = guest.view.getInt32(pair + 4, true)
  })

  it('return what was written, in order, and then EAGAIN', () => {
    guest.write(writer, 'abc')
    guest.write(writer, 'def')
    expect(guest.read(reader, 4)).toBe('abcd')
    expect(guest.read(reader, 100)).toBe('ef')
    expect(guest.read(reader, 1)).toBe(-errno.EAGAIN)
  })

  it('reach end of file when the last writer is closed', () => {
    guest.write(writer, 'x')
    const copy = guest.number('__syscall_dup', writer)
    guest.call('fd_close', writer)
    guest.read(reader, 1)
    expect(guest.read(reader, 1)).toBe(-errno.EAGAIN)
    guest.call('fd_close', copy)
    expect(guest.read(reader, 1)).toBe('')
  })

  it('give EPIPE when the last reader is closed', () => {
    guest.call('fd_close', reader)
    expect(guest.write(writer, 'x')).toBe(-errno.EPIPE)
  })

  it('hold 65,536 bytes, and then give EAGAIN', () => {
    const block = 'x'.repeat(40_000)
    expect(guest.write(writer, block)).toBe(40_000)
    expect(guest.write(writer, block)).toBe(25_536)
    expect(guest.write(writer, 'x')).toBe(-errno.EAGAIN)
    guest.read(reader, 30_000)
    expect(guest.write(writer, block)).toBe(30_000)
  })

  it('return their memory to the quota', () => {
    guest.write(writer, 'x'.repeat(5000))
    expect(guest.host.usage.fileBytes).toBeGreaterThanOrEqual(5010)
    guest.call('fd_close', reader)
    guest.call('fd_close', writer)
    expect(guest.host.usage.fileBytes).toBe(10)
  })

  it('are reported as ready by poll', () => {
    const poll = guest.room(16)
    const ask = (): number[] => {
      guest.view.setInt32(poll, reader, true)
      guest.view.setInt16(poll + 4, 5, true)
      guest.view.setInt32(poll + 8, writer, true)
      guest.view.setInt16(poll + 12, 5, true)
      guest.call('__syscall_poll', poll, 2, 0)
      return [guest.view.getInt16(poll + 6, true), guest.view.getInt16(poll + 14, true)]
    }
    expect(ask()).toEqual([0, 4])
    guest.write(writer, 'x')
    expect(ask()).toEqual([1, 4])
    guest.call('fd_close', writer)
    expect(ask()).toEqual([0x11, 0x20])
  })
})

describe('devices', () => {
  it.each([
    ['/dev/null', ''],
    ['/dev/zero', '\0\0\0\0'],
    ['/dev/stdin', ''],
  ])('%s reads as expected', (path, expected) => {
    expect(guest.read(guest.open(path), 4)).toBe(expected)
  })

  it('/dev/urandom gives different bytes each time', () => {
    const fd = guest.open('/dev/urandom')
    expect(guest.read(fd, 32)).not.toBe(guest.read(fd, 32))
  })

  it('/dev/null discards writes, and /dev/stderr and /dev/fd/1 pass them on', () => {
    expect(guest.write(guest.open('/dev/null', 1), 'gone')).toBe(4)
    guest.write(guest.open('/dev/stderr', 1), 'kept')
    guest.write(guest.open('/dev/fd/1', 1), 'too')
    expect(guest.output.map(({ stream, text }) => [stream, text])).toEqual([
      [2, 'kept'],
      [1, 'too'],
    ])
  })
})
