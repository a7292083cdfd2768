import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { decodeImage, encodeImage, type ImageContents } from '../../src/shared/image/format.js'

const contents: ImageContents = {
  pyodideVersion: '1.2.3',
  pythonVersion: '3.14.0',
  moduleBytes: Uint8Array.of(1, 2, 3),
  trampolineBytes: Uint8Array.of(4, 5),
  memoryBytes: 131_072,
  runs: Uint32Array.of(0, 4096, 8192, 8192),
  dataBytes: dataModuleBytes([new Uint8Array(12_288).fill(7), Uint8Array.of(0, 1, 2, 3)]),
  tableLength: 9,
  stackPointer: 65_536,
  dispatch: 4000,
  landmarks: { stackLow: 4096, mallocState: 8192, dataStack: 0, internedStrings: 0 },
  fileTable: { offset: 12_288, length: 4 },
  packages: [{ name: 'wombat', version: '1.0', sha256: 'ab'.repeat(32) }],
  native: {
    libraries: [
      {
        path: '/lib/w.so',
        symbols: [
          ['PyInit_w', 7],
          ['__proto__', 8],
        ],
      },
    ],
    callable: Uint8Array.of(1, 0),
  },
  env: { HOME: '/home' },
  cwd: '/home',
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** The bytes with a right checksum after a change. */
function resealed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const body = bytes.subarray(0, bytes.length - 32)
  bytes.set(createHash('sha256').update(body).digest(), body.length)
  return bytes
}

describe('the image file', () => {
  test('gives back what was written, also from the middle of a larger buffer', async () => {
    const bytes = await encodeImage(contents)
    const inside = Buffer.concat([Buffer.alloc(8), bytes, Buffer.alloc(8)]).subarray(8, 8 + bytes.length)
    for (const form of [bytes, inside]) {
      const { id, contents: read, verify } = decodeImage(form)
      await verify()
      expect(read).toEqual(contents)
      expect(id).toBe(createHash('sha256').update(bytes.subarray(0, -32)).digest('hex'))
    }
  })

  test('is found damaged whichever byte was changed', async () => {
    const bytes = await encodeImage(contents)
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 0x55
      await expect(Promise.resolve().then(() => decodeImage(damaged).verify())).rejects.toThrow(
        /image|damaged|version|header/,
      )
    }
  })

  test('is found damaged wherever it was cut', async () => {
    const bytes = await encodeImage(contents)
    for (const length of [0, 7, 16, 47, 48, 200, bytes.length - 1]) {
      await expect(
        Promise.resolve().then(() => decodeImage(bytes.slice(0, length)).verify()),
      ).rejects.toThrow()
    }
  })

  test.each<[string, Partial<Record<keyof ImageContents, unknown>>]>([
    ['memoryBytes', { memoryBytes: 131_073 }],
    ['runs', { runs: Uint32Array.of(0, 4096, 4096, 8192) }],
    ['runs', { runs: Uint32Array.of(8192, 8192, 0, 4096) }],
    ['runs', { runs: Uint32Array.of(0, 4096, 126_976, 8192) }],
    ['runs', { runs: Uint32Array.of(12, 4096, 8192, 8192) }],
    ['dataBytes', { dataBytes: dataModuleBytes([new Uint8Array(12_284)]) }],
    ['dataBytes', { dataBytes: changed(contents.dataBytes, 40) }],
    ['dataBytes', { dataBytes: contents.dataBytes.slice(1) }],
    ['dataBytes', { dataBytes: new Uint8Array(3) }],
    ['tableLength', { tableLength: -1 }],
    ['stackPointer', { stackPointer: 200_000 }],
    ['landmarks', { landmarks: { stackLow: 0, mallocState: 131_072, dataStack: 0, internedStrings: 0 } }],
    ['landmarks', { landmarks: { stackLow: 0, mallocState: 4098, dataStack: 0, internedStrings: 0 } }],
    ['landmarks', { landmarks: undefined }],
    ['dispatch', { dispatch: 0 }],
    ['cwd', { cwd: 'home' }],
    ['fileTable', { fileTable: { offset: 12_290, length: 3 } }],
    ['fileTable', { fileTable: { offset: 12_288, length: -1 } }],
    ['fileTable', { fileTable: undefined }],
    ['env', { env: { HOME: 1 } }],
    ['packages', { packages: [{ name: 'wombat', version: '1.0', sha256: 'ab' }] }],
    ['libraries', { native: { libraries: [], callable: new Uint8Array(3) } }],
    ['libraries', { native: { libraries: [{ path: 'w.so', symbols: [] }], callable: new Uint8Array(2) } }],
    [
      'libraries',
      { native: { libraries: [{ path: '/w', symbols: [['a', -1]] }], callable: new Uint8Array(2) } },
    ],
  ])('is refused when it has wrong %s', async (what, change) => {
    const bytes = resealed(await encodeImage({ ...contents, ...change } as ImageContents))
    expect(() => decodeImage(bytes)).toThrow(`not a valid image: ${what}`)
  })

  test('is refused when a section reaches beyond the file', async () => {
    const bytes = await encodeImage(contents)
    const text = Buffer.from(bytes)
      .toString('latin1')
      .replace(/"dataBytes":\[\d/, '"dataBytes":[9')
    expect(() => decodeImage(resealed(Uint8Array.from(Buffer.from(text, 'latin1'))))).toThrow(
      'not a valid image: dataBytes',
    )
  })
})
