import { beforeEach, describe, expect, it } from 'vitest'
import type { ImageFile } from '../../src/shared/image/image.js'
import { errno, fail } from '../../workers/host/errno.js'
import { emptyContents, readContents, resizeContents, writeContents } from '../../workers/host/fs/contents.js'
import { ContentsReader } from '../../workers/host/state/extents.js'
import { type ImageReader, NO_IMAGE } from '../../workers/image-bytes.js'
import { imageBytes } from '../support/image-bytes.js'
import { Guest } from './guest.js'
import { freeze, imageOptions, thaw } from './thaw.js'

const MEBIBYTE = 1024 * 1024
const IMAGE_BYTES = 200_000

const IMAGE = Uint8Array.from({ length: IMAGE_BYTES + 100 }, (_, index) => index % 251)

function imageFile(): { files: ImageFile[]; bytes: ImageReader } {
  const file: ImageFile = { kind: 'file', path: '/lib/data', mode: 0o644, offset: 100, length: IMAGE_BYTES }
  return { files: [file], bytes: imageBytes(IMAGE) }
}

describe('E: contents of files', () => {
  it('behave like a plain buffer under random writes, truncations and reads', () => {
    let state = 12_345
    const random = (limit: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    }
    const image = imageFile()
    const guest = new Guest(image)
    const fd = guest.open('/lib/data', 2)
    let model = Buffer.from(IMAGE.subarray(100))
    for (let step = 0; step < 600; step += 1) {
      guest.recycle()
      const at = random(260_000)
      const kind = random(10)
      if (kind < 5) {
        const data = Buffer.alloc(random(kind === 0 ? 140_000 : 3000), 1 + random(255))
        if (model.length < at + data.length && data.length > 0) {
          model = Buffer.concat([model, Buffer.alloc(at + data.length - model.length)])
        }
        guest.seek(fd, at)
        expect(guest.write(fd, data)).toBe(data.length)
        data.copy(model, at)
      } else if (kind === 5) {
        const grown = Buffer.alloc(at)
        model.copy(grown, 0, 0, at)
        model = grown
        guest.call('__syscall_ftruncate64', fd, BigInt(at))
      } else {
        guest.seek(fd, at)
        const read = guest.read(fd, random(140_000)) as string
        const expected = model.toString('latin1', at, at + read.length)
        expect(read === expected).toBe(true)
        expect(at + read.length <= model.length || read === '').toBe(true)
      }
    }
    guest.recycle()
    guest.seek(fd, 0)
    expect(guest.read(fd, 500_000) === model.toString('latin1')).toBe(true)
  })

  it('read as zeros where they were truncated and then extended', () => {
    for (const size of [10, 65_536, 100_000, 196_608 + 10, 196_608 + 60_000]) {
      const contents = emptyContents()
      writeContents(contents, NO_IMAGE, 0, new Uint8Array(262_144).fill(1), 0, 262_144)
      resizeContents(contents, size)
      resizeContents(contents, 262_144)
      const into = new Uint8Array(262_144).fill(9)
      expect(readContents(contents, NO_IMAGE, 0, into, 0, 262_144)).toBe(262_144)
      expect(into.indexOf(0)).toBe(size)
      expect(into.lastIndexOf(1)).toBe(size - 1)
    }
  })

  it('of adjacent chunks can be written and read across chunk boundaries', () => {
    const contents = emptyContents()
    writeContents(contents, NO_IMAGE, 65_536, new Uint8Array(196_608).fill(1), 0, 196_608)
    writeContents(contents, NO_IMAGE, 100_000, new Uint8Array(100_000).fill(2), 0, 100_000)
    const into = new Uint8Array(120_000)
    expect(readContents(contents, NO_IMAGE, 90_000, into, 0, 120_000)).toBe(120_000)
    expect([into.indexOf(2), into.lastIndexOf(2)]).toEqual([10_000, 109_999])
    expect(into[0]).toBe(1)
  })

  it('restored from a snapshot share one buffer, except for a partial last chunk', () => {
    const contents = { ...emptyContents(), size: 200_000 }
    const captured = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251)
    new ContentsReader(captured).takeFile(contents, [0, 200_000])
    const chunks = [...contents.chunks.values()]
    expect(chunks.map(({ byteOffset }) => byteOffset)).toEqual([0, 65_536, 131_072, 0])
    expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBe(2)
    const into = new Uint8Array(200_000)
    readContents(contents, NO_IMAGE, 0, into, 0, 200_000)
    expect(Buffer.compare(into, captured)).toBe(0)
  })

  it('never write to the image (I1)', () => {
    const image = imageFile()
    const guest = new Guest(image)
    const fd = guest.open('/lib/data', 2)
    guest.write(fd, 'changed')
    guest.call('__syscall_ftruncate64', fd, 5n)
    guest.unlink('/lib/data')
    const bytes = new Uint8Array(IMAGE.length)
    image.bytes.read(0, bytes, 0, bytes.length)
    expect(Buffer.compare(bytes, IMAGE)).toBe(0)
    expect(new Guest(image).get('/lib/data')).toHaveLength(65_536)
  })

  it('I1: changed by a write that failed midway are included in a snapshot', () => {
    const { files, bytes } = imageOptions()
    let isDamaged = true
    const guest = new Guest({
      files,
      bytes: {
        view: (...range) => bytes.view(...range),
        read: (from, into, at, count) => {
          if (isDamaged && from + count > 65_536) fail('EIO')
          bytes.read(from, into, at, count)
        },
      },
    })
    // The first chunk is overwritten whole. The second is not, so the rest of it has to be read from the image.
    expect(guest.write(guest.open('/lib/data', 2), Buffer.alloc(65_546, 'x'))).toBe(-errno.EIO)
    isDamaged = false
    for (const one of [guest, thaw(freeze(guest))]) {
      const fd = one.open('/lib/data')
      expect(one.read(fd, 65_536) === 'x'.repeat(65_536)).toBe(true)
      expect(one.read(fd, 10)).not.toBe('x'.repeat(10))
    }
  })

  it('of the image use no quota until they are changed, and a reset restores them', () => {
    const guest = new Guest(imageFile())
    expect(guest.host.usage.fileBytes).toBe(0)
    guest.write(guest.open('/lib/data', 2), 'changed')
    expect(guest.host.usage.fileBytes).toBe(IMAGE_BYTES)
    guest.put('/tmp/more', 'x')
    guest.host.reset()
    expect(guest.host.usage.fileBytes).toBe(0)
    expect(guest.stat('/tmp/more').error).toBe(-errno.ENOENT)
    expect(guest.get('/lib/data')).not.toMatch(/^changed/)
  })
})

describe('B6: fileBytes', () => {
  let guest: Guest
  let fd: number

  beforeEach(() => {
    guest = new Guest({ limits: { fileBytes: MEBIBYTE } })
    fd = guest.open('/tmp/file', 0o102)
  })

  it('stops a write with ENOSPC and leaves the file unchanged', () => {
    const block = 'x'.repeat(600_000)
    expect(guest.write(fd, block)).toBe(600_000)
    expect(guest.write(fd, block)).toBe(-errno.ENOSPC)
    expect(guest.stat('/tmp/file').size).toBe(600_000)
    expect(guest.host.usage.fileBytes).toBe(600_000)
  })

  it('counts holes: seeking or truncating far beyond it gives ENOSPC', () => {
    for (const position of [2 ** 21, 2 ** 32, 2 ** 40]) {
      expect(guest.seek(fd, position)).toBe(position)
      expect(guest.write(fd, 'x')).toBe(-errno.ENOSPC)
      expect(guest.number('__syscall_ftruncate64', fd, BigInt(position))).toBe(-errno.ENOSPC)
      expect(guest.number('__syscall_fallocate', fd, 0, 0n, BigInt(position))).toBe(-errno.ENOSPC)
    }
    expect(guest.host.usage.fileBytes).toBe(0)
  })

  it('is released by truncating and removing files', () => {
    guest.call('__syscall_ftruncate64', fd, BigInt(MEBIBYTE))
    expect(guest.write(guest.open('/tmp/other', 0o101), 'x')).toBe(-errno.ENOSPC)
    guest.call('__syscall_ftruncate64', fd, 10n)
    expect(guest.write(guest.open('/tmp/other', 1), 'x')).toBe(1)
    guest.unlink('/tmp/other')
    guest.unlink('/tmp/file')
    expect(guest.host.usage.fileBytes).toBe(11)
    for (let open = 3; open < 8; open += 1) guest.call('fd_close', open)
    expect(guest.host.usage.fileBytes).toBe(0)
  })

  it('null means no limit, and a sparse file of 2^40 bytes takes no memory', () => {
    const free = new Guest()
    const file = free.open('/tmp/sparse', 0o102)
    expect(free.number('__syscall_ftruncate64', file, 2n ** 40n)).toBe(0)
    free.seek(file, 2 ** 40 - 2)
    expect(free.read(file, 10)).toBe('\0\0')
    expect(free.number('__syscall_ftruncate64', file, 2n ** 62n)).toBe(-errno.ENOSPC)
  })

  it('matches the memory of a truncated file: what is cut off is freed', () => {
    const contents = emptyContents()
    writeContents(contents, NO_IMAGE, 0, new Uint8Array(300_000).fill(1), 0, 300_000)
    resizeContents(contents, 131_072 + 10)
    const buffers = new Set([...contents.chunks.values()].map(({ buffer }) => buffer))
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(131_072 + 10)
    const into = new Uint8Array(200_000).fill(9)
    resizeContents(contents, 200_000)
    expect(readContents(contents, NO_IMAGE, 0, into, 0, 200_000)).toBe(200_000)
    expect(into.every((byte, at) => byte === (at < 131_082 ? 1 : 0))).toBe(true)
  })

  it('matches the memory of a file truncated within a chunk of a shared buffer: the other chunks are copied out of it', () => {
    const contents = emptyContents()
    writeContents(contents, NO_IMAGE, 0, new Uint8Array(262_144).fill(1), 0, 262_144)
    resizeContents(contents, 196_608 + 10)
    const buffers = new Set([...contents.chunks.values()].map(({ buffer }) => buffer))
    expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(196_608 + 10)
  })

  it('is reported by statfs', () => {
    guest.call('__syscall_ftruncate64', fd, 4096n)
    const buffer = guest.room(88)
    expect(guest.number('__syscall_fstatfs64', fd, 88, buffer)).toBe(0)
    expect(Number(guest.view.getBigInt64(buffer + 8, true))).toBe(256)
    expect(Number(guest.view.getBigInt64(buffer + 16, true))).toBe(255)
  })

  it('counts symbolic links by their length', () => {
    guest.symlink('x'.repeat(4000), '/tmp/link')
    expect(guest.host.usage.fileBytes).toBe(4000)
  })
})

describe('number of nodes', () => {
  it('is limited, and removing a node makes room for another', () => {
    const guest = new Guest()
    let made = 0
    for (; made < 70_000; made += 1) {
      guest.recycle()
      if (guest.mkdir(`/tmp/${made}`) !== 0) break
    }
    expect(made).toBeGreaterThan(65_000)
    expect(made).toBeLessThan(65_536)
    expect(guest.mkdir('/tmp/more')).toBe(-errno.ENOSPC)
    guest.rmdir('/tmp/5')
    expect(guest.mkdir('/tmp/more')).toBe(0)
  })
})
