// Malformed wheels: reading them ends with an error, within bounds.
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { expect, it, test } from 'vitest'
import { MetadataError, parseMetadata } from '../../src/packages/metadata.js'
import { hashFile, readImportNames, readWheelMetadata } from '../../src/packages/wheel-file.js'
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
  return { name: METADATA, bytes: deflateRawSync(bytes), method: 8, statedBytes }
}

function changed(bytes: Buffer, offsetFromEnd: number, value: number): Buffer {
  bytes.writeUInt32LE(value, bytes.length - offsetFromEnd)
  return bytes
}

const good = () => zip([{ name: METADATA, bytes: TEXT }])

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
  ['has METADATA without a name', zip([{ name: METADATA, bytes: 'Version: 1\n' }])],
])('a wheel that %s is rejected', async (_, bytes) => {
  await expect(readWheelMetadata(await fileOf(bytes))).rejects.toThrow(MetadataError)
})

test('METADATA may have continued lines and field names in any case, and ends at its first empty line', () => {
  const text =
    'NAME: A.b\r\nVersion: 1\r\nRequires-Dist: c\r\n  >=1\r\nProvides-Extra: X_y\r\n\r\nRequires-Dist: d\r\n'
  const { name, requires, extras } = parseMetadata(text)
  expect([name, requires.map((one) => one.name), extras]).toEqual(['a-b', ['c'], ['x-y']])
  expect(requires[0]?.specifiers).toHaveLength(1)
})
