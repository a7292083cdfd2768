// A session's state outside WebAssembly memory is restored unchanged, on any host of the same image (I1).
import { describe, expect, it, vi } from 'vitest'
import { O } from '../../workers/host/abi.js'
import { errno } from '../../workers/host/errno.js'
import { HostStateError } from '../../workers/host/host.js'
import { cpuMsOf } from '../support/cpu-time.js'
import { AT_FDCWD, Guest } from './guest.js'
import { DATA_BYTES, freeze, imageOptions, moved, newGuest, still, thaw } from './thaw.js'

const READ = 0
const CREATE = O.CREAT | O.RDWR

describe('a capture', () => {
  it('of a fresh host has no files and no contents', () => {
    const { state, contents, files, moreFiles } = newGuest().host.capture()
    expect(state).toMatchObject({ removed: [], nodes: [], timeZone: 'UTC', umask: 0o022 })
    expect(state.descriptors).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [2, 2, 0],
    ])
    expect([contents, files, moreFiles]).toEqual([[], [], 0])
    expect(JSON.stringify(state).length).toBeLessThan(300)
  })

  it('takes no time for unchanged files of the image', () => {
    const files = Array.from({ length: 30_000 }, (_, index) => ({
      ...{ kind: 'file', mode: 0o644, offset: 0, length: 100 },
      path: `/lib/${index}`,
    })) as typeof imageOptions extends () => { files: infer Files } ? Files : never
    const guest = new Guest({ files, bytes: imageOptions().bytes })
    guest.put('/lib/7', 'changed')
    guest.unlink('/lib/8')
    const captures = () => {
      for (let round = 0; round < 1000; round += 1) guest.host.capture()
    }
    expect(cpuMsOf(captures)).toBeLessThan(1000)
    const { state } = guest.host.capture()
    expect([state.nodes.length, state.removed.length]).toEqual([2, 1])
    expect(thaw(freeze(guest), {}, new Guest({ files, bytes: imageOptions().bytes })).get('/lib/7')).toBe(
      'changed',
    )
  })

  it('changes nothing: a second one is the same', () => {
    const guest = busy()
    const first = freeze(guest)
    expect(still(freeze(guest))).toEqual(still(first))
  })

  it('of a restored state is the same again', () => {
    const first = freeze(busy())
    const again = freeze(thaw(first))
    expect(still(again)).toEqual(still(first))
    expect(still(freeze(thaw(again)))).toEqual(still(first))
  })

  it('shares no memory with the host or with hosts restored from it', () => {
    const guest = newGuest()
    const fd = guest.open('/tmp/file', CREATE)
    guest.write(fd, 'before')
    const { state, contents } = guest.host.capture()
    guest.seek(fd, 0)
    guest.write(fd, 'AFTER!')
    const bytes = Buffer.concat(contents)
    expect(bytes.toString()).toBe('before')
    const other = thaw({ state, contents: bytes })
    bytes.fill(0)
    expect(other.get('/tmp/file')).toBe('before')
    const third = thaw({ state, contents: Buffer.from('before') })
    other.put('/tmp/file', 'other')
    expect(third.get('/tmp/file')).toBe('before')
  })

  it('names up to 1000 files that are not the image’s', () => {
    const guest = newGuest()
    guest.put('/tmp/größe', 'four')
    guest.put('/lib/dir/a', 'changed')
    guest.mkdir('/tmp/directory')
    guest.symlink('x', '/tmp/link')
    guest.open('/tmp/gone', CREATE)
    guest.unlink('/tmp/gone')
    const { files, moreFiles } = guest.host.capture()
    expect(files).toEqual([
      { path: '/lib/dir/a', sizeBytes: 7 },
      { path: '/tmp/größe', sizeBytes: 4 },
    ])
    expect(moreFiles).toBe(0)
    for (let index = 0; index < 1010; index += 1) {
      guest.recycle()
      guest.put(`/tmp/${index}`, '')
    }
    const many = guest.host.capture()
    expect([many.files.length, many.moreFiles]).toEqual([1000, 12])
  })
})

describe('files', () => {
  it('keep contents, mode and times', () => {
    const guest = newGuest()
    guest.put('/tmp/file', 'hello')
    guest.call('__syscall_chmod', guest.text('/tmp/file'), 0o4755)
    utime(guest, '/tmp/file', [-5n, 7], [2n ** 40n, 999_999_999])
    const before = statBytes(guest, '/tmp/file')
    const other = moved(guest)
    expect(other.get('/tmp/file')).toBe('hello')
    expect(statBytes(other, '/tmp/file')).toEqual(before)
    expect(other.stat('/tmp/file').mode).toBe(0o104755)
    utime(guest, '/tmp/file', [-(2n ** 63n), 0], [2n ** 63n - 1n, 0])
    expect(statBytes(moved(guest), '/tmp/file')).toEqual(statBytes(guest, '/tmp/file'))
  })

  it('of every size are restored byte for byte, including holes and zeros', () => {
    const guest = newGuest()
    for (const size of [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 200_000]) {
      guest.recycle()
      const bytes = Buffer.alloc(size, size % 251)
      guest.put(`/tmp/${size}`, bytes.toString('latin1'))
    }
    const fd = guest.open('/tmp/holes', CREATE)
    for (const position of [100, 65_530, 262_144, 524_287, 900_000]) {
      guest.seek(fd, position)
      guest.write(fd, 'some bytes and zeros\0\0\0')
    }
    guest.call('__syscall_ftruncate64', fd, 1_000_000n)
    const other = moved(guest)
    for (const name of guest.list('/tmp')) {
      guest.recycle()
      expect(whole(other, `/tmp/${name}`) === whole(guest, `/tmp/${name}`), name).toBe(true)
    }
  })

  it('of 2^40 bytes with one byte at the end take little memory', () => {
    const guest = newGuest()
    const fd = guest.open('/tmp/sparse', CREATE)
    guest.seek(fd, 2 ** 40 - 1)
    guest.write(fd, 'x')
    const frozen = freeze(guest)
    expect(frozen.contents.length).toBeLessThanOrEqual(65_536)
    const other = thaw(frozen)
    expect(other.stat('/tmp/sparse').size).toBe(2 ** 40)
    other.seek(fd, 2 ** 40 - 2)
    expect(other.read(fd, 10)).toBe('\0x')
    expect(other.host.usage).toEqual(guest.host.usage)
  })

  it('that are large take one extent in the state', () => {
    const guest = newGuest()
    guest.put('/tmp/large', 'x'.repeat(1_000_000))
    const { state, contents } = guest.host.capture()
    expect(state.nodes.at(-1)?.at(-1)).toEqual([0, 1_000_000])
    expect(contents.length).toBeLessThanOrEqual(2)
  })

  it('full of zeros take no room', () => {
    const guest = newGuest()
    guest.put('/tmp/zeros', '\0'.repeat(500_000))
    expect(freeze(guest).contents.length).toBe(0)
    expect(whole(moved(guest), '/tmp/zeros')).toBe('\0'.repeat(500_000))
  })

  it('can have names and link targets of any bytes', () => {
    const guest = newGuest()
    const name = Buffer.from(
      Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 47),
    )
    const path = Buffer.concat([Buffer.from('/tmp/'), name])
    guest.call(
      'fd_close',
      guest.number('__syscall_openat', AT_FDCWD, guest.text(path), CREATE, guest.word(0o600)),
    )
    guest.call('__syscall_symlinkat', guest.text(name), AT_FDCWD, guest.text('/tmp/link'))
    const other = moved(guest)
    const fd = other.number('__syscall_openat', AT_FDCWD, other.text(path), READ, 0)
    expect(fd).toBe(3)
    const buffer = other.room(300)
    expect(other.number('__syscall_readlinkat', AT_FDCWD, other.text('/tmp/link'), buffer, 300)).toBe(254)
    expect(other.bytes.subarray(buffer, buffer + 254)).toEqual(name)
  })

  it('that are symbolic links keep their targets', () => {
    const guest = newGuest()
    guest.put('/tmp/file', 'there')
    guest.symlink('file', '/tmp/link')
    guest.symlink('nowhere', '/tmp/dangling')
    const other = moved(guest)
    expect(other.get('/tmp/link')).toBe('there')
    expect(other.get('/tmp/dangling')).toBe(-errno.ENOENT)
    expect(other.get('/lib/link')).toHaveLength(65_536)
  })

  it('in deep directories are restored and can be removed', () => {
    const guest = newGuest()
    let path = '/tmp'
    for (let depth = 0; depth < 300; depth += 1) {
      guest.recycle()
      path += '/d'
      guest.mkdir(path)
    }
    guest.put(`${path}/file`, 'deep')
    const other = moved(guest)
    expect(other.get(`${path}/file`)).toBe('deep')
    expect(other.rmdir(path)).toBe(-errno.ENOTEMPTY)
    expect(other.unlink(`${path}/file`)).toBe(0)
    expect(other.rmdir(path)).toBe(0)
  })
})

describe('files of the image', () => {
  it('that were written to keep their other bytes, which are not in the state', () => {
    const guest = newGuest()
    const fd = guest.open('/lib/data', O.RDWR)
    guest.seek(fd, 70_000)
    guest.write(fd, 'changed')
    guest.seek(fd, DATA_BYTES)
    guest.write(fd, 'more')
    const frozen = freeze(guest)
    expect(frozen.contents.length).toBeLessThanOrEqual(2 * 65_536)
    const other = thaw(frozen)
    expect(whole(other, '/lib/data') === whole(guest, '/lib/data')).toBe(true)
    expect(other.host.usage).toEqual(guest.host.usage)
    other.host.reset()
    expect(whole(other, '/lib/data') === whole(newGuest(), '/lib/data')).toBe(true)
  })

  it('that were overwritten with zeros stay zeros', () => {
    const guest = newGuest()
    const fd = guest.open('/lib/data', O.RDWR)
    guest.write(fd, '\0'.repeat(100_000))
    const other = moved(guest)
    expect(whole(other, '/lib/data') === whole(guest, '/lib/data')).toBe(true)
  })

  it.each([0, 1, 65_536, 150_000])(
    'that were truncated to %d bytes and extended again have zeros there',
    (size) => {
      const guest = newGuest()
      const path = guest.text('/lib/data')
      expect(guest.call('__syscall_truncate64', path, BigInt(size))).toBe(0)
      const cut = moved(guest)
      expect(cut.stat('/lib/data').size).toBe(size)
      guest.call('__syscall_truncate64', path, 180_000n)
      cut.call('__syscall_truncate64', cut.text('/lib/data'), 180_000n)
      expect(whole(cut, '/lib/data') === whole(guest, '/lib/data')).toBe(true)
      expect(whole(moved(guest), '/lib/data') === whole(guest, '/lib/data')).toBe(true)
      expect(cut.host.usage).toEqual(guest.host.usage)
    },
  )

  it('that were removed stay removed, including whole directories', () => {
    const guest = newGuest()
    guest.unlink('/lib/data')
    guest.unlink('/lib/link')
    for (const name of ['a', 'b', 'c']) guest.unlink(`/lib/dir/${name}`)
    guest.rmdir('/lib/dir')
    const other = moved(guest)
    expect(other.list('/lib')).toEqual([])
    expect(other.host.usage).toEqual(guest.host.usage)
    other.host.reset()
    expect(other.list('/lib/dir')).toEqual(['a', 'b', 'c'])
  })

  it('that were renamed, swapped or moved have their contents at the new paths', () => {
    const guest = newGuest()
    guest.rename('/lib/dir/a', '/lib/dir/x')
    guest.rename('/lib/dir/b', '/lib/dir/a')
    guest.rename('/lib/dir/x', '/lib/dir/b')
    guest.rename('/lib/dir/c', '/tmp/c')
    guest.rename('/lib/dir', '/tmp/dir')
    guest.rename('/lib/link', '/tmp/dir/link')
    const { contents, state } = freeze(guest)
    expect(contents.length).toBe(0)
    const other = thaw({ contents, state })
    for (const path of ['/tmp/c', '/tmp/dir/a', '/tmp/dir/b']) expect(other.get(path)).toBe(guest.get(path))
    expect(other.list('/lib')).toEqual(['data'])
    expect(other.list('/tmp')).toEqual(['c', 'dir'])
    expect(other.host.usage.fileBytes).toBe(newGuest().host.usage.fileBytes)
  })

  it('that were only opened, read and listed are not in the state', () => {
    const guest = newGuest()
    const fd = guest.open('/lib/data')
    guest.read(fd, 1000)
    guest.stat('/lib/dir/a')
    guest.list('/lib')
    guest.call('fd_close', fd)
    expect(freeze(guest).state.nodes).toEqual([])
  })

  it('keep a changed mode', () => {
    const guest = newGuest()
    guest.call('__syscall_chmod', guest.text('/lib/dir/a'), 0o200)
    const other = moved(guest)
    expect(other.get('/lib/dir/a')).toBe(-errno.EACCES)
    expect(other.host.usage).toEqual(guest.host.usage)
  })
})

describe('a restored state', () => {
  it('replaces the previous state completely', () => {
    const frozen = freeze(busy())
    const other = newGuest()
    other.put('/tmp/mine', 'x')
    other.put('/lib/dir/b', 'mine')
    other.unlink('/lib/dir/c')
    other.open('/tmp/mine')
    other.call('__syscall_chdir', other.text('/tmp'))
    other.call('__syscall_umask_js', 0)
    thaw(frozen, {}, other)
    expect(still(freeze(other))).toEqual(still(frozen))
    expect(other.stat('/tmp/mine').error).toBe(-errno.ENOENT)
    thaw(freeze(newGuest()), {}, other)
    expect(still(freeze(other))).toEqual(still(freeze(newGuest())))
  })

  it('does not touch the host until it is installed', () => {
    const other = newGuest()
    const fd = other.open('/tmp/mine', CREATE)
    other.write(fd, 'still here')
    const before = freeze(other)
    const frozen = freeze(busy())
    other.host.prepare(frozen.state, frozen.contents, {
      memoryBytes: null,
      outputBytes: null,
      fileBytes: null,
    })
    expect(still(freeze(other))).toEqual(still(before))
    expect(other.get('/tmp/mine')).toBe('still here')
  })

  it('can be built into unused files, which are fresh again if it is rejected or discarded', () => {
    const guest = newGuest()
    const frozen = freeze(busy())
    const limits = { memoryBytes: null, outputBytes: null, fileBytes: null }
    const prepare = (state: unknown) => guest.host.prepare(state, frozen.contents, limits, null, true)
    expect(() => prepare({ ...frozen.state, descriptors: [[0, 1000, 0]] })).toThrow(HostStateError)
    expect(still(freeze(guest))).toEqual(still(freeze(newGuest())))
    guest.host.discard(prepare(frozen.state))
    expect(still(freeze(guest))).toEqual(still(freeze(newGuest())))
    guest.host.install(prepare(frozen.state))
    expect(still(freeze(guest))).toEqual(still(frozen))
  })

  it('is gone after a reset, including descriptors, directory and umask', () => {
    const guest = thaw(freeze(busy()))
    guest.host.reset()
    expect(still(freeze(guest))).toEqual(still(freeze(newGuest())))
  })

  it('has exactly the same free space', () => {
    const limits = { fileBytes: 1_000_000 }
    const guest = newGuest({ limits })
    guest.put('/tmp/file', 'x'.repeat(300_000))
    guest.symlink('y'.repeat(1000), '/tmp/link')
    const held = guest.open('/tmp/held', CREATE)
    guest.write(held, 'z'.repeat(70_000))
    guest.unlink('/tmp/held')
    const pipe = openPipe(guest)
    guest.write(pipe.writable, 'unread'.repeat(100))
    guest.write(guest.open('/lib/data', O.RDWR), 'c')
    guest.recycle()
    const other = moved(guest, { limits })
    expect(other.host.usage.fileBytes).toBe(guest.host.usage.fileBytes)
    const room = limits.fileBytes - guest.host.usage.fileBytes
    for (const one of [guest, other]) {
      const fd = one.open('/tmp/filler', CREATE)
      expect(one.number('__syscall_ftruncate64', fd, BigInt(room + 1))).toBe(-errno.ENOSPC)
      expect(one.number('__syscall_ftruncate64', fd, BigInt(room))).toBe(0)
      expect(one.write(pipe.writable, 'q'.repeat(2000))).toBe(-errno.ENOSPC)
      expect(one.call('fd_close', held)).toBe(0)
      expect(one.host.usage.fileBytes).toBe(limits.fileBytes - 70_000)
    }
  })

  it('continues its timestamps: none is used twice', () => {
    // All writes happen within one millisecond.
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_123)
    try {
      const guest = newGuest()
      for (const name of ['a', 'b', 'c']) guest.put(`/tmp/${name}`, 'x')
      const other = moved(guest)
      const latest = Math.max(...['a', 'b', 'c', '.'].map((name) => changedAt(other, `/tmp/${name}`)))
      other.write(other.open('/tmp/a', O.WRONLY), 'x')
      expect(changedAt(other, '/tmp/a')).toBeGreaterThan(latest)
    } finally {
      now.mockRestore()
    }
  })

  it('continues its node numbers: none is used twice', () => {
    const guest = newGuest()
    guest.put('/tmp/a', '')
    guest.put('/tmp/b', '')
    guest.unlink('/tmp/b')
    const other = moved(guest)
    guest.put('/tmp/c', '')
    other.put('/tmp/c', '')
    expect(inode(other, '/tmp/c')).toBe(inode(guest, '/tmp/c'))
    expect(inode(other, '/tmp/a')).toBe(inode(guest, '/tmp/a'))
  })
})

describe('clock and zone', () => {
  it('continue: the monotonic clock never goes back or stands still', async () => {
    const guest = newGuest()
    const { state, contents } = freeze(guest)
    const other = thaw({ state: { ...state, clockMs: 5_000_000.25 }, contents })
    const first = other.call('emscripten_get_now') as number
    expect(first).toBeGreaterThanOrEqual(5_000_000.25)
    expect(first).toBeLessThan(5_060_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(other.call('emscripten_get_now')).toBeGreaterThan(first + 10)
    const back = freeze(other).state.clockMs
    expect(thaw(freeze(other)).call('emscripten_get_now')).toBeGreaterThanOrEqual(back)
    other.host.reset()
    expect(other.call('emscripten_get_now')).toBeLessThan(60_000)
  })

  it('are those of the session, and a reset restores the configured zone', () => {
    const guest = newGuest({ timeZone: 'Asia/Kolkata' })
    const other = moved(guest, { timeZone: 'Europe/Berlin' })
    expect(offset(other)).toBe(19_800)
    expect(freeze(other).state.timeZone).toBe('Asia/Kolkata')
    other.host.reset()
    expect(offset(other)).toBe(3600)
  })

  it('a signal due for the previous state is dropped', () => {
    const guest = newGuest({ limits: { outputBytes: 1 } })
    guest.host.beginExecution(1)
    guest.write(1, 'too much')
    thaw(freeze(newGuest()), {}, guest)
    expect(guest.call('_Py_CheckEmscriptenSignals_Helper')).toBe(0)
  })
})

/** A guest with something of everything in progress. */
function busy(): Guest {
  const guest = newGuest()
  guest.put('/tmp/file', 'hello')
  guest.mkdir('/tmp/dir')
  guest.put('/tmp/dir/big', `${'x'.repeat(70_000)}\0\0`)
  guest.symlink('file', '/tmp/link')
  guest.unlink('/lib/dir/a')
  guest.rename('/lib/dir/b', '/tmp/b')
  guest.write(guest.open('/lib/data', O.RDWR), 'changed')
  const held = guest.open('/tmp/held', CREATE)
  guest.write(held, 'held')
  guest.unlink('/tmp/held')
  guest.call('__syscall_dup', held)
  const pipe = openPipe(guest)
  guest.write(pipe.writable, 'unread')
  guest.read(pipe.readable, 2)
  guest.entries(guest.open('/tmp', O.DIRECTORY), 60)
  guest.mkdir('/tmp/gone')
  guest.call('__syscall_chdir', guest.text('/tmp/gone'))
  guest.rmdir('/tmp/gone')
  guest.call('__syscall_umask_js', 0o77)
  guest.call('__syscall_chmod', guest.text('/dev/null'), 0o600)
  return guest
}

function openPipe(guest: Guest): { readable: number; writable: number } {
  const at = guest.room(8)
  guest.call('__syscall_pipe', at)
  return { readable: guest.view.getInt32(at, true), writable: guest.view.getInt32(at + 4, true) }
}

function whole(guest: Guest, path: string): string {
  guest.recycle()
  const fd = guest.open(path)
  const bytes = guest.read(fd, 1_048_576) as string
  guest.call('fd_close', fd)
  return bytes
}

/** struct stat without the node's number. */
function statBytes(guest: Guest, path: string): string {
  const buffer = guest.room(96)
  guest.call('__syscall_lstat64', guest.text(path), buffer)
  return guest.bytes.toString('hex', buffer, buffer + 88)
}

/** Nanoseconds of st_ctim. */
function changedAt(guest: Guest, path: string): number {
  const buffer = guest.room(96)
  guest.call('__syscall_lstat64', guest.text(path), buffer)
  return guest.view.getInt32(buffer + 80, true)
}

function inode(guest: Guest, path: string): bigint {
  const buffer = guest.room(96)
  guest.call('__syscall_lstat64', guest.text(path), buffer)
  return guest.view.getBigInt64(buffer + 88, true)
}

function utime(guest: Guest, path: string, ...times: [bigint, number][]): void {
  const at = guest.room(32)
  for (const [index, [seconds, nanoseconds]] of times.entries()) {
    guest.view.setBigInt64(at + 16 * index, seconds, true)
    guest.view.setInt32(at + 16 * index + 8, nanoseconds, true)
  }
  if (guest.call('__syscall_utimensat', AT_FDCWD, guest.text(path), at, 0) !== 0) throw new Error('utimensat')
}

/** Seconds east of UTC in January. */
function offset(guest: Guest): number {
  const tm = guest.room(44)
  guest.call('_localtime_js', 1_704_067_200n, tm)
  return guest.view.getInt32(tm + 36, true)
}
