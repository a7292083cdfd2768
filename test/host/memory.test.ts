import { beforeEach, describe, expect, it } from 'vitest'
import { errno } from '../../workers/host/errno.js'
import { Guest } from './guest.js'

const MEBIBYTE = 1024 * 1024
const READ = 1
const WRITE = 2
const SHARED = 1
const PRIVATE = 2

describe('growth of memory (B6)', () => {
  it('stops at memoryBytes and reports that bound', () => {
    const guest = new Guest({ limits: { memoryBytes: 4 * MEBIBYTE + 1000 } })
    expect(guest.call('emscripten_get_heap_max')).toBe(4 * MEBIBYTE)
    expect(guest.call('emscripten_resize_heap', 3 * MEBIBYTE)).toBe(1)
    expect(guest.memory.buffer.byteLength).toBeGreaterThanOrEqual(3 * MEBIBYTE)
    expect(guest.call('emscripten_resize_heap', 4 * MEBIBYTE + 1)).toBe(0)
    expect(guest.call('emscripten_resize_heap', -1)).toBe(0)
    expect(guest.call('emscripten_resize_heap', 4 * MEBIBYTE)).toBe(1)
    expect(guest.host.usage).toMatchObject({ memoryBytes: 4 * MEBIBYTE, peakMemoryBytes: 4 * MEBIBYTE })
  })

  it('returns 0 without an exception when the engine refuses', () => {
    const guest = new Guest()
    expect(guest.call('emscripten_resize_heap', 65 * MEBIBYTE)).toBe(0)
  })

  it('does not leave the host with a stale view of memory', () => {
    const guest = new Guest()
    guest.put('/tmp/file', 'before')
    guest.call('emscripten_resize_heap', 10 * MEBIBYTE)
    guest.memory.grow(1)
    expect(guest.get('/tmp/file')).toBe('before')
    const high = guest.memory.buffer.byteLength - 4096
    expect(guest.number('__syscall_getcwd', high, 100)).toBe(11)
    expect(guest.bytes.toString('latin1', high, high + 10)).toBe('/home/user')
  })
})

describe('mmap', () => {
  let guest: Guest
  let fd: number

  beforeEach(() => {
    guest = new Guest()
    guest.put('/tmp/file', '0123456789')
    fd = guest.open('/tmp/file', 2)
  })

  const map = (length: number, protection: number, flags: number, file = fd, offset = 0n): number => {
    const results = guest.room(8)
    const error = guest.number('_mmap_js', length, protection, flags, file, offset, results, results + 4)
    if (error !== 0) return error
    expect(guest.view.getInt32(results, true)).toBe(1)
    return guest.view.getUint32(results + 4, true)
  }

  it('copies the file, followed by zeros', () => {
    const address = map(20, READ, PRIVATE)
    expect(guest.bytes.toString('latin1', address, address + 20)).toBe(`0123456789${'\0'.repeat(10)}`)
  })

  it('writes a shared mapping back on msync and munmap, but not beyond the end of the file', () => {
    const address = map(100, READ | WRITE, SHARED)
    guest.bytes.write('AB', address)
    guest.bytes.write('XX', address + 50)
    expect(guest.get('/tmp/file')).toBe('0123456789')
    expect(guest.call('_msync_js', address, 100, READ | WRITE, SHARED, fd, 0n)).toBe(0)
    expect(guest.get('/tmp/file')).toBe('AB23456789')
    guest.bytes.write('CD', address)
    expect(guest.call('_munmap_js', address, 100, READ | WRITE, SHARED, fd, 0n)).toBe(0)
    expect(guest.get('/tmp/file')).toBe('CD23456789')
  })

  it('does not write a private mapping back', () => {
    const address = map(10, READ | WRITE, PRIVATE)
    guest.bytes.write('AB', address)
    guest.call('_munmap_js', address, 10, READ | WRITE, PRIVATE, fd, 0n)
    expect(guest.get('/tmp/file')).toBe('0123456789')
  })

  it.each([
    ['nothing', () => map(0, READ, SHARED), errno.EINVAL],
    ['a directory', () => map(10, READ, SHARED, guest.open('/tmp')), errno.ENODEV],
    ['what is not open', () => map(10, READ, SHARED, 99), errno.EBADF],
    ['a write-only file', () => map(10, READ, SHARED, guest.open('/tmp/file', 1)), errno.EACCES],
    [
      'a read-only file to write',
      () => map(10, READ | WRITE, SHARED, guest.open('/tmp/file', 0)),
      errno.EACCES,
    ],
    ['more than there is memory', () => map(64 * MEBIBYTE, READ, SHARED), errno.ENOMEM],
    ['a negative offset', () => map(10, READ, SHARED, fd, -1n), errno.EINVAL],
  ])('rejects %s', (_, attempt, expected) => {
    expect(attempt()).toBe(-expected)
  })
})

describe('entropy', () => {
  it('fills exactly the requested range', () => {
    const guest = new Guest()
    const address = guest.room(200_002)
    expect(guest.call('random_get', address + 1, 200_000)).toBe(0)
    const { bytes } = guest
    expect([bytes[address], bytes[address + 200_001]]).toEqual([0, 0])
    const filled = bytes.subarray(address + 1, address + 200_001)
    for (const from of [0, 65_536, 131_072, 199_900]) {
      expect(new Set(filled.subarray(from, from + 100)).size).toBeGreaterThan(50)
    }
    expect(guest.call('random_get', address, 2 ** 30)).toBe(errno.EFAULT)
    expect(guest.call('random_get', address, -1)).toBe(errno.EFAULT)
  })
})
