// A large body is cut into blocks such that a change leaves most of them unchanged, and only the others are packed and sent. Whatever a
// worker claims about blocks, the main thread builds a body from blocks that it has, or none (R3).
import { createHash, randomFillSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { NEW_BLOCK } from '../../src/shared/snapshot/block.js'
import { BodyError, hashOfBody, SnapshotBody } from '../../src/shared/snapshot/body.js'
import type { MemoryCapture } from '../../workers/interpreter/memory-delta.js'
import { UNLIMITED_ROOM } from '../../workers/memory/packing-room.js'
import { BLOCK_BYTES } from '../../workers/snapshot/blocks.js'
import {
  type BodyParts,
  type Packing,
  packBody,
  packBodyAside,
  unpackBody,
} from '../../workers/snapshot/body.js'
import { cutLengths } from '../../workers/snapshot/cuts.js'

const PAGE_BYTES = 4096
const MEMORY_BYTES = 64 * BLOCK_BYTES
const PACKING: Packing = { effort: 'quick', maxBytes: null, room: UNLIMITED_ROOM }

/** Pages of which 16 bytes differ, then pages that differ as a whole. */
function memoryOf(
  small: readonly number[],
  whole: readonly [page: number, bytes: Uint8Array][],
): MemoryCapture {
  const map = (...bits: number[]) => Uint8Array.from({ length: 32 }, (_, i) => bits[i] ?? 0)
  return {
    memoryBytes: MEMORY_BYTES,
    pages: Uint32Array.from([...small, ...whole.map(([page]) => page)]),
    maps: [...small.map(() => map(1)), ...whole.map(() => new Uint8Array(32).fill(0xff))],
    parts: [...small.map((page) => new Uint8Array(16).fill(page)), ...whole.map(([, bytes]) => bytes)],
  }
}

/** A digest, because comparing megabytes with `toEqual` takes seconds. */
function digestOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

const random = (length: number) => randomFillSync(new Uint8Array(length))
const data = Array.from({ length: 1000 }, (_, i): [number, Uint8Array] => [1000 + i, random(PAGE_BYTES)])
const first: BodyParts = {
  memory: memoryOf([1, 2, 3], data),
  hostState: { a: 1 },
  contents: [random(700_000)],
}
/** Compared with `first`: more small pages, one changed large page, another host state; the rest is the same. */
const changed = data.map(([page, bytes]): [number, Uint8Array] => [
  page,
  page === 1500 ? random(PAGE_BYTES) : bytes,
])
const second: BodyParts = {
  memory: memoryOf([1, 2, 3, 500, 700], changed),
  hostState: { a: 'longer than before' },
  contents: first.contents,
}

function bytesOf(body: SnapshotBody): Uint8Array {
  const bytes = new Uint8Array(body.length)
  body.copyInto(bytes)
  return bytes
}

function unpacked(body: SnapshotBody, { hash, rawBytes }: { hash: Uint8Array; rawBytes: number }) {
  const { memory, hostState, contents } = unpackBody({
    bytes: bytesOf(body),
    formatVersion: 3,
    hash,
    rawBytes,
    memoryBytes: MEMORY_BYTES,
  })
  const pieces = memory.xored as readonly Uint8Array[]
  return [Array.from(memory.pages), digestOf(pieces), hostState, digestOf([contents])]
}

const expected = ({ memory, hostState, contents }: BodyParts) => [
  Array.from(memory.pages),
  digestOf(memory.parts),
  hostState,
  digestOf(contents),
]

describe('a body that builds on the one before', () => {
  test.each([
    ['here', packBody],
    ['aside', packBodyAside],
  ])('contains only the changed blocks, and equals the whole body when assembled (%s)', async (_, pack) => {
    const whole = await pack(first, { ...PACKING, number: 1 })
    const base = SnapshotBody.planned(whole.plan as Uint32Array, whole.bytes, undefined, 2 ** 30)
    expect(unpacked(base, whole)).toEqual(expected(first))
    const delta = await pack(second, { ...PACKING, number: 2, base: whole.known })
    // Changed are the part before the memory, a group of pages, and the small ones.
    expect(delta.bytes.length).toBeLessThan(800_000)
    const next = SnapshotBody.planned(delta.plan as Uint32Array, delta.bytes, base, 2 ** 30)
    expect(unpacked(next, delta)).toEqual(expected(second))
    expect(Buffer.compare(bytesOf(next), (await pack(second, PACKING)).bytes)).toBe(0)
    expect(hashOfBody(bytesOf(next), 3)).toEqual(Buffer.from(delta.hash))
    // A restored body can be a base, too.
    const source = { bytes: bytesOf(base), formatVersion: 3, hash: whole.hash, rawBytes: whole.rawBytes }
    const { known } = unpackBody({ ...source, memoryBytes: MEMORY_BYTES, number: 7 })
    const restored = await pack(second, { ...PACKING, base: known })
    expect([known?.number, restored.plan]).toEqual([7, delta.plan])
    // Packing the second state again on top of itself sends nothing.
    const same = await pack(second, { ...PACKING, base: delta.known })
    expect([same.bytes.length, same.plan?.includes(NEW_BLOCK)]).toEqual([0, false])
    expect(Array.from(same.hash)).toEqual(Array.from(delta.hash))
  })

  test('counts all of its blocks towards the limit', () => {
    const { known, bytes } = packBody(first, { ...PACKING, number: 1 })
    expect(() => packBody(first, { ...PACKING, maxBytes: bytes.length - 1, base: known })).toThrow(
      /a body of/,
    )
    expect(packBody(first, { ...PACKING, maxBytes: bytes.length, base: known }).bytes.length).toBe(0)
  })

  test('with a single block is whole, in version 2', () => {
    const small = { ...first, memory: memoryOf([1], []), contents: [] }
    const { plan, known, bytes, hash } = packBody(small, { ...PACKING, number: 1 })
    expect([plan, known]).toEqual([null, undefined])
    expect(hashOfBody(bytes, 2)).toEqual(Buffer.from(hash))
  })
})

test('a change does not move the block boundaries elsewhere', () => {
  const edges = ({ memory, contents }: BodyParts, before: number) => {
    const lengths = cutLengths(before, memory, contents)
    const total = before + [...memory.parts, ...contents].reduce((sum, { length }) => sum + length, 0)
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(total)
    expect(lengths.every((length) => length > 0 && length <= BLOCK_BYTES)).toBe(true)
    let at = 0
    return lengths.map((length) => {
      at += length
      return total - at
    })
  }
  const [a, b] = [edges(first, 40_000), edges(second, 41_234)]
  expect(a.filter((edge) => !b.includes(edge)).length).toBeLessThanOrEqual(2)
})

describe('R3: the main thread rejects a plan with', () => {
  const { plan, bytes } = packBody(first, { ...PACKING, number: 1 })
  const honest = plan as Uint32Array
  const base = SnapshotBody.planned(honest, bytes, undefined, 2 ** 30)
  test.each<[string, Uint32Array, Uint8Array, number?]>([
    ['a block that is not in the base', Uint32Array.of(honest.length), new Uint8Array(0)],
    ['more new blocks than it sent', Uint32Array.from([...honest, NEW_BLOCK]), bytes],
    ['fewer new blocks than it sent', honest.subarray(1), bytes],
    ['a block that ends early', honest, bytes.subarray(0, -1)],
    ['bytes that are no block', Uint32Array.of(NEW_BLOCK), new Uint8Array(8)],
    ['blocks of the base again and again', new Uint32Array(100_000), new Uint8Array(0), 2 ** 28],
  ])('%s', (_, lie, sent, maxBytes = 2 ** 30) => {
    expect(() => SnapshotBody.planned(lie, sent, base, maxBytes)).toThrow(BodyError)
  })

  test('blocks of a base that was not named', () => {
    expect(() => SnapshotBody.planned(Uint32Array.of(0), new Uint8Array(0), undefined, 2 ** 30)).toThrow(
      BodyError,
    )
  })
})

describe('N2: blocks of any length', () => {
  const { hash, rawBytes, bytes } = packBody(first, PACKING)
  const refused = (
    document: Uint8Array,
    root: Uint8Array = hashOfBody(document, 3) as Uint8Array,
    raw = rawBytes,
  ) => expect(() => unpackBody(sourceOf(document, root, raw))).toThrow()
  const sourceOf = (document: Uint8Array, root: Uint8Array, raw: number) => ({
    ...{ bytes: document, formatVersion: 3, hash: root, rawBytes: raw, memoryBytes: MEMORY_BYTES },
  })
  const block = (raw: number) => {
    const head = Buffer.alloc(9 + raw)
    head.writeUInt32LE(raw, 1)
    head.writeUInt32LE(raw, 5)
    return head
  }
  test('are rejected if one was changed, removed or added', () => {
    expect(unpackBody(sourceOf(bytes, hash, rawBytes)).hostState).toEqual(first.hostState)
    const damaged = new Uint8Array(bytes)
    damaged[bytes.length >> 1] = (damaged[bytes.length >> 1] as number) ^ 1
    refused(damaged, hash)
    refused(bytes.subarray(0, -1), hash)
    refused(bytes, hash, rawBytes + 1)
    refused(Buffer.concat([bytes, block(1)]))
    refused(Buffer.concat([block(0), bytes]))
    refused(block(BLOCK_BYTES + 1), undefined, BLOCK_BYTES + 1)
  })

  test('are rejected if there are too many', () => {
    const tiny = Buffer.concat(Array.from({ length: 100 }, () => block(20)))
    refused(tiny, undefined, 2000)
  })
})
