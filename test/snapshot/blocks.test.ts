import { randomFillSync } from 'node:crypto'
import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { UNLIMITED_ROOM } from '../../workers/memory/packing-room.js'
import {
  BEST_CODEC,
  BLOCK_BYTES,
  type Block,
  BlockError,
  type Codec,
  packBlocks,
  packBlocksAside,
  unpackBlocks,
} from '../../workers/snapshot/blocks.js'
import { packBody } from '../../workers/snapshot/body.js'

const hasZstd = BEST_CODEC === 2
const CODECS: Codec[] = hasZstd ? [0, 1, 2] : [0, 1]

/** Mostly zeros, like memory XORed with the image. */
function sparse(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += 37) bytes[(i * 2_654_435_761) % length] = i % 251
  return bytes
}
const random = (length: number) => randomFillSync(new Uint8Array(length))
const total = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0)
const size = (blocks: readonly Block[]) => blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
const deflated = (raw: Uint8Array, rawBytes = raw.length): Block => ({
  codec: 1,
  rawBytes,
  bytes: zlib.deflateRawSync(raw),
})

describe('packing and unpacking', () => {
  test.each(CODECS)('restores the same bytes, however they were split (codec %i)', (codec) => {
    const cases = [
      [],
      [new Uint8Array(0)],
      [Uint8Array.of(1)],
      [sparse(BLOCK_BYTES)],
      [sparse(5000), random(70_000), sparse(2 * BLOCK_BYTES + 1), new Uint8Array(0), random(3)],
      Array.from({ length: 300 }, (_, i) => sparse(i * 31)),
    ]
    for (const parts of cases) {
      const blocks = packBlocks(parts, codec)
      expect(Buffer.concat(parts).equals(Buffer.concat(unpackBlocks(blocks, total(parts))))).toBe(true)
      for (const block of blocks.slice(0, -1)) expect(block.rawBytes).toBe(BLOCK_BYTES)
    }
  })

  test.each(CODECS)(
    'stores incompressible bytes as they are, without growth and without a copy (codec %i)',
    (codec) => {
      const parts = [random(3 * BLOCK_BYTES)]
      const blocks = packBlocks(parts, codec)
      expect(blocks.map((block) => block.codec)).toEqual([0, 0, 0])
      expect(blocks.every(({ bytes }) => bytes.buffer === parts[0]?.buffer)).toBe(true)
      expect(size(blocks)).toBe(3 * BLOCK_BYTES)
    },
  )

  test.each(CODECS)('has the same result in other threads (codec %i)', async (codec) => {
    const parts = [sparse(5000), random(BLOCK_BYTES), sparse(9 * BLOCK_BYTES + 1), random(3)]
    const [aside, here] = [await packBlocksAside(parts, codec), packBlocks(parts, codec)]
    const heads = ({ codec, rawBytes, bytes }: Block) => [codec, rawBytes, bytes.length]
    expect(aside.map(heads)).toEqual(here.map(heads))
    expect(aside.every(({ bytes }, i) => Buffer.compare(bytes, here[i]?.bytes ?? random(1)) === 0)).toBe(true)
  })

  test('skips the search for repetitions where there are hardly any, as in numbers', () => {
    const packed = (bytes: Uint8Array) => packBlocks([bytes, random(2 * BLOCK_BYTES)], 1)[0]?.bytes
    const deflated = (bytes: Uint8Array, strategy: number) =>
      zlib.deflateRawSync(bytes, { level: 1, memLevel: 9, strategy })
    const numbers = random(BLOCK_BYTES).map((byte, i) => (i % 8 < 5 ? byte : 0))
    const coded = deflated(numbers, zlib.constants.Z_HUFFMAN_ONLY)
    expect(coded.equals(packed(numbers) ?? random(1))).toBe(true)
    const text = Buffer.alloc(BLOCK_BYTES, 'what is said once, twice and again ')
    expect(deflated(text, zlib.constants.Z_DEFAULT_STRATEGY).equals(packed(text) ?? random(1))).toBe(true)
  })

  test('compresses each block separately, so the compressible half is compressed', () => {
    const blocks = packBlocks([random(BLOCK_BYTES), sparse(BLOCK_BYTES)])
    expect(blocks.map((block) => block.codec)).toEqual([0, BEST_CODEC])
    expect(size(blocks)).toBeLessThan(1.2 * BLOCK_BYTES)
  })

  test('accepts bytes of a shared buffer', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100_000))
    shared.set(sparse(100_000))
    expect(Buffer.compare(Buffer.concat(unpackBlocks(packBlocks([shared]), 100_000)), shared)).toBe(0)
  })
})

describe('N2: unpacking rejects blocks', () => {
  const raw = sparse(50_000)
  const refused = (blocks: readonly unknown[], bytes = 50_000) =>
    expect(() => unpackBlocks(blocks as Block[], bytes)).toThrow(BlockError)

  test('with another total number of bytes than declared', () => {
    const blocks = packBlocks([raw])
    for (const bytes of [49_999, 50_001, 0, -1, 1.5, Number.NaN, 2 ** 53, BLOCK_BYTES + 50_000])
      refused(blocks, bytes)
    refused([], 1)
    refused([...blocks, ...blocks])
  })

  test('with another number of bytes than declared, and never unpacks more than that', () => {
    refused([deflated(raw, 50_000 - 1)], 50_000 - 1)
    refused([deflated(raw, 50_000 + 1)], 50_000 + 1)
    const bomb = zlib.deflateRawSync(new Uint8Array(64 * BLOCK_BYTES))
    refused([{ codec: 1, rawBytes: 100_000, bytes: bomb.subarray(0, 99_999) }], 100_000)
    refused([{ codec: 1, rawBytes: 100_000, bytes: bomb }], 100_000)
  })

  test('of other sizes than the only valid ones', () => {
    const halves = [raw.subarray(0, 25_000), raw.subarray(25_000)].map((half) => deflated(half))
    refused(halves)
    const large = deflated(sparse(2 * BLOCK_BYTES))
    refused([large], 2 * BLOCK_BYTES)
    refused([large, { codec: 0, rawBytes: 0, bytes: new Uint8Array(0) }], 2 * BLOCK_BYTES)
  })

  test('that are cut off, damaged, or followed by more bytes', () => {
    for (const codec of CODECS.slice(1)) {
      const [block] = packBlocks([raw], codec)
      if (!block) throw new Error('no block')
      const with_ = (bytes: Uint8Array) => [{ ...block, bytes }]
      for (const cut of [0, 1, 2, 10, block.bytes.length >> 1, block.bytes.length - 1])
        refused(with_(block.bytes.subarray(0, cut)))
      refused(with_(Buffer.concat([block.bytes, Uint8Array.of(0)])))
      refused(with_(Buffer.concat([block.bytes, block.bytes])))
      refused(with_(random(1000)))
    }
  })

  test('that are stored with another length, or compressed to no smaller size', () => {
    refused([{ codec: 0, rawBytes: 50_000, bytes: raw.subarray(1) }])
    refused([{ codec: 0, rawBytes: 50_000, bytes: Buffer.concat([raw, raw]) }])
    const grown = zlib.deflateRawSync(random(50_000), { level: 0 })
    refused([{ codec: 1, rawBytes: 50_000, bytes: grown }])
  })

  test('with fields of the wrong types', () => {
    const block = deflated(raw)
    for (const codec of [3, -1, 1.5, '1', undefined, null]) refused([{ ...block, codec }])
    for (const rawBytes of ['50000', 50_000.5, -50_000, undefined, Number.NaN])
      refused([{ ...block, rawBytes }])
    for (const bytes of ['text', [1, 2, 3], undefined, { length: 3 }, new ArrayBuffer(8)])
      refused([{ ...block, bytes }])
  })
})

test('with the least effort, a body is compressed only if it would exceed its limit', () => {
  const memory = { memoryBytes: 0, pages: new Uint32Array(0), maps: [], parts: [] }
  const body = { memory, hostState: {}, contents: [new Uint8Array(100_000)] }
  const packedBytes = (maxBytes: number | null) =>
    packBody(body, { effort: 'least', maxBytes, room: UNLIMITED_ROOM }).bytes.length
  expect(packedBytes(null)).toBeGreaterThan(100_000)
  expect(packedBytes(65_536)).toBeLessThan(65_536)
})
