import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { blockHashes } from '../../src/shared/image/file-blocks.js'
import { decodeImage, encodeImage, type ImageContents } from '../../src/shared/image/format.js'
import { loadVerified } from '../../src/shared/image/load.js'
import { readHead } from '../../src/shared/image/read-head.js'

/** Fills two blocks. */
const FILES = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251)

const contents: ImageContents = {
  pyodideVersion: '1.2.3',
  pythonVersion: '3.14.0',
  moduleBytes: Uint8Array.of(1, 2, 3),
  trampolineBytes: Uint8Array.of(4, 5),
  memoryBytes: 131_072,
  runs: Uint32Array.of(0, 4096, 8192, 8192),
  dataBytes: dataModuleBytes([new Uint8Array(12_288).fill(7), Uint8Array.of(0, 1, 2, 3), blockHashes(FILES)]),
  fileBytes: FILES,
  tableLength: 9,
  stackPointer: 65_536,
  dispatch: 4000,
  landmarks: { stackLow: 4096, mallocState: 8192, dataStack: 0, internedStrings: 0 },
  fileTable: { offset: 12_288, length: 4 },
  fileContents: { length: 70_000, hashes: 12_292 },
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

function changed(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** Length of the head; the id follows it. */
const headOf = (bytes: Uint8Array) => Buffer.from(bytes).readUInt32LE(16)

/** Updates the id after a change of the head. */
function resealed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = bytes.subarray(0, headOf(bytes))
  bytes.set(createHash('sha256').update(head).digest(), head.length)
  return bytes
}

const read = (bytes: Uint8Array) => (into: Uint8Array, at: number, count: number, position: number) => {
  const part = bytes.subarray(position, position + count)
  into.set(part, at)
  return part.length
}

describe('the image file', () => {
  test('returns what was written, also from the middle of a larger buffer', async () => {
    const bytes = await encodeImage(contents)
    const inside = Buffer.concat([Buffer.alloc(8), bytes, Buffer.alloc(8)]).subarray(8, 8 + bytes.length)
    for (const form of [bytes, inside]) {
      const { id, contents: given, verify } = decodeImage(form)
      await verify()
      expect(given).toEqual(contents)
      expect(id).toBe(
        createHash('sha256')
          .update(bytes.subarray(0, headOf(bytes)))
          .digest('hex'),
      )
    }
  })

  test('can be opened by its head alone, whose length does not depend on the length of files', async () => {
    const longer = new Uint8Array(2_000_000)
    const other: ImageContents = {
      ...contents,
      dataBytes: dataModuleBytes([new Uint8Array(12_288).fill(7), new Uint8Array(4), blockHashes(longer)]),
      fileBytes: longer,
      fileContents: { length: longer.length, hashes: 12_292 },
    }
    const lengths: number[] = []
    for (const given of [contents, other]) {
      const bytes = await encodeImage(given)
      const head = await readHead(read(bytes), bytes.length)
      const decoded = decodeImage(head, bytes.length)
      await decoded.verify()
      expect(decoded.contents).toEqual({ ...given, fileBytes: null })
      expect(Buffer.compare(bytes.subarray(decoded.filesAt), given.fileBytes ?? Buffer.alloc(0))).toBe(0)
      lengths.push(head.length - blockHashes(given.fileBytes ?? FILES).length)
    }
    // Only the number of digits in the header may differ.
    expect(Math.abs((lengths[0] ?? 0) - (lengths[1] ?? 0))).toBeLessThanOrEqual(8)
  })

  test('is reported as damaged before its code is compiled', async () => {
    const bytes = await encodeImage(contents)
    const [good, damaged] = [bytes, changed(bytes, bytes.length - 100)]
    // The three bytes of moduleBytes are not a valid module.
    await expect(loadVerified(decodeImage(good))).rejects.toThrow(/not a valid image: CompileError/)
    await expect(loadVerified(decodeImage(damaged))).rejects.toThrow('checksum')
  })

  test('is reported as damaged whichever byte was changed', async () => {
    const bytes = await encodeImage(contents)
    const verdict = async (damaged: Uint8Array<ArrayBuffer>) => {
      try {
        await decodeImage(damaged).verify()
        return 'nothing was reported'
      } catch (error) {
        return (error as Error).message
      }
    }
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 0x55
      const message = await verdict(damaged)
      // An assertion for each byte takes longer than reading the image.
      if (!/image|damaged|version|header/.test(message)) expect.fail(`byte ${at}: ${message}`)
    }
  })

  test('is rejected wherever it was cut', async () => {
    const bytes = await encodeImage(contents)
    for (const length of [0, 7, 16, 24, 47, 48, 200, headOf(bytes), bytes.length - 1]) {
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
    ['fileContents', { fileContents: undefined }],
    ['fileContents', { fileContents: { length: 70_000, hashes: 12_320 } }],
    ['fileContents', { fileContents: { length: 2 ** 40, hashes: 12_292 } }],
    ['its length', { fileContents: { length: 70_001, hashes: 12_292 } }],
    ['env', { env: { HOME: 1 } }],
    ['packages', { packages: [{ name: 'wombat', version: '1.0', sha256: 'ab' }] }],
    ['libraries', { native: { libraries: [], callable: new Uint8Array(3) } }],
    ['libraries', { native: { libraries: [{ path: 'w.so', symbols: [] }], callable: new Uint8Array(2) } }],
    [
      'libraries',
      { native: { libraries: [{ path: '/w', symbols: [['a', -1]] }], callable: new Uint8Array(2) } },
    ],
  ])('is rejected if it has an invalid %s', async (what, change) => {
    const bytes = resealed(await encodeImage({ ...contents, ...change } as ImageContents))
    expect(() => decodeImage(bytes)).toThrow(`not a valid image: ${what}`)
  })

  test('is rejected if a section reaches beyond the file', async () => {
    const bytes = await encodeImage(contents)
    const text = Buffer.from(bytes)
      .toString('latin1')
      .replace(/"dataBytes":\[\d/, '"dataBytes":[9')
    expect(() => decodeImage(resealed(Uint8Array.from(Buffer.from(text, 'latin1'))))).toThrow(
      'not a valid image: dataBytes',
    )
  })
})
