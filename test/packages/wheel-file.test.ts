// Malformed wheels: reading them ends with an error, within bounds.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { expect, it, test } from 'vitest'
import { MetadataError, parseMetadata } from '../../src/packages/metadata.js'
import { hashFile, readImportNames, readWheelMetadata } from '../../src/packages/wheel-file.js'
import { MAX_ENTRIES } from '../../src/packages/zip.js'
import { MAX_WHEEL_FILES } from '../../workers/builder/packages/unpack-code.js'
import { makeWheel } from './support/pure-wheel.js'
import { temporaryDirectory } from './support/resolve-with.js'
import { type Entry, zip } from './support/wheel.js'

const METADATA = 'a-1.dist-info/METADATA'
const TEXT = 'Name: a\nVersion: 1\n'

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(temporaryDirectory(), 'a-1-py3-none-any.whl')
  await writeFile(path, bytes)
  return path
}

/** A deflated METADATA file, whose stated size may be wrong. */
function packed(bytes: Uint8Array, statedBytes = bytes.length): Entry {
  return { name: METADATA, bytes: deflateRawSync(bytes), method: 8, statedBytes, statedCrc: crc32(bytes) }
}

function changed(bytes: Buffer, offsetFromEnd: number, value: number): Buffer {
  bytes.writeUInt32LE(value, bytes.length - offsetFromEnd)
  return bytes
}

function changed16(bytes: Buffer, offsetFromEnd: number, value: number): Buffer {
  bytes.writeUInt16LE(value, bytes.length - offsetFromEnd)
  return bytes
}

const good = () => zip([{ name: METADATA, bytes: TEXT }])

/** A number of the only entry in the directory. */
function changedEntry(at: number, value: number): Buffer {
  const bytes = good()
  return changed16(bytes, bytes.length - bytes.readUInt32LE(bytes.length - 6) - at, value)
}

/** Says where its directory is in a zip64 record, and where that record is in its locator. */
function zip64(recordAt: bigint, directoryAt: bigint, entries = 1n): Buffer {
  const end = good().subarray(-22)
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50)
  record.writeBigUInt64LE(entries, 32)
  record.writeBigUInt64LE(directoryAt, 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50)
  locator.writeBigUInt64LE(recordAt, 8)
  end.writeUInt16LE(0xffff, 10)
  end.writeUInt32LE(0xffffffff, 16)
  return Buffer.concat([good().subarray(0, -22), record, locator, end])
}

/** METADATA, and as many other files as make up the number. */
function withFiles(count: number, folder = 'a'): Buffer {
  const others = Array.from({ length: count - 1 }, (_, i) => ({ name: `${folder}/${i}.py`, bytes: '' }))
  return zip([...others, { name: METADATA, bytes: TEXT }])
}

test('METADATA is read whether stored or deflated, with the wheel’s import names and hash', async () => {
  expect(await readWheelMetadata(await fileOf(good()))).toMatchObject({ name: 'a', version: '1' })
  expect(await readWheelMetadata(await fileOf(zip([packed(Buffer.from(TEXT))])))).toMatchObject({ name: 'a' })
  const wheel = makeWheel('a', {
    files: {
      'a/b/c.py': '',
      'single.py': '',
      '_a.cpython-314-wasm32-emscripten.so': '',
      'tests/__init__.py': '',
    },
  })
  const path = await fileOf(wheel.bytes)
  expect(await readImportNames(path)).toEqual(['a', 'single'])
  const sha256 = createHash('sha256').update(wheel.bytes).digest('hex')
  expect(await hashFile(path)).toEqual({ sha256, sizeBytes: wheel.bytes.length })
})

it.each([
  ['is empty', Buffer.alloc(0)],
  ['is not an archive', Buffer.from('a'.repeat(1000))],
  ['is cut off', good().subarray(0, 30)],
  ['lacks its first bytes', good().subarray(20)],
  ['has no METADATA', zip([{ name: 'a/__init__.py', bytes: '' }])],
  [
    'has METADATA twice',
    zip([
      { name: METADATA, bytes: TEXT },
      { name: 'b-1.dist-info/METADATA', bytes: TEXT },
    ]),
  ],
  ['has its directory outside the file', changed(good(), 6, 0xfffffff0)],
  ['claims a directory of 2 GiB', changed(good(), 10, 0x7fffffff)],
  ['has METADATA with another compression', zip([{ name: METADATA, bytes: TEXT, method: 12 }])],
  ['has METADATA that is not valid deflate data', zip([{ name: METADATA, bytes: TEXT, method: 8 }])],
  [
    'has METADATA that inflates far beyond its stated size',
    zip([packed(Buffer.alloc(64 * 1024 * 1024), 100)]),
  ],
  ['claims that METADATA has a gigabyte', zip([packed(Buffer.from(TEXT), 2 ** 30)])],
  ['says that METADATA is shorter than it is', zip([packed(Buffer.from(TEXT), 10)])],
  ['says that METADATA is longer than it is', zip([packed(Buffer.from(TEXT), 100)])],
  ['has METADATA with another checksum', zip([{ name: METADATA, bytes: TEXT, statedCrc: 1 }])],
  ['has encrypted METADATA', zip([{ name: METADATA, bytes: TEXT, flags: 0x801 }])],
  ['has a name that is longer than its directory', changedEntry(28, METADATA.length + 1)],
  ['has a comment that is longer than its directory', changedEntry(32, 0xffff)],
  ['has fewer files than it says', changed16(good(), 12, 2)],
  ['has a zip64 record where no file can be', zip64(2n ** 63n, 0n)],
  ['has a zip64 directory where no file can be', zip64(BigInt(good().length - 22), 2n ** 60n)],
  ['has four billion files', zip64(BigInt(good().length - 22), 0n, 2n ** 32n - 1n)],
  ['has more files than the image builder takes', withFiles(MAX_ENTRIES + 1)],
  ['has many files with long paths', withFiles(MAX_ENTRIES, 'é'.repeat(120))],
  ['has METADATA without a name', zip([{ name: METADATA, bytes: 'Version: 1\n' }])],
])('a wheel that %s is rejected', async (_, bytes) => {
  await expect(readWheelMetadata(await fileOf(bytes))).rejects.toThrow(MetadataError)
})

test('METADATA is read from a wheel with as many files as the image builder takes', async () => {
  expect(MAX_ENTRIES).toBe(MAX_WHEEL_FILES)
  expect(await readWheelMetadata(await fileOf(withFiles(MAX_ENTRIES)))).toMatchObject({ name: 'a' })
})

test('a wheel with any one byte changed is refused, or its METADATA is what it was', async () => {
  const bytes = zip([packed(Buffer.from(TEXT))])
  const path = await fileOf(bytes)
  const metadata = await readWheelMetadata(path)
  for (const [at, byte] of bytes.entries())
    for (const value of [byte ^ 1, byte ^ 0x80, 0xff]) {
      await writeFile(path, Buffer.from(bytes).fill(value, at, at + 1))
      const read = await readWheelMetadata(path).catch((error) => error)
      if (!(read instanceof MetadataError)) expect(read, `byte ${at} is ${value}`).toEqual(metadata)
    }
})

test('METADATA may have continued lines and field names in any case, and ends at its first empty line', () => {
  const text =
    'NAME: A.b\r\nVersion: 1\r\nRequires-Dist: c\r\n  >=1\r\nProvides-Extra: X_y\r\n\r\nRequires-Dist: d\r\n'
  const { name, requires, extras } = parseMetadata(text)
  expect([name, requires.map((one) => one.name), extras]).toEqual(['a-b', ['c'], ['x-y']])
  expect(requires[0]?.specifiers).toHaveLength(1)
})
