import { randomFillSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { BaseMemory } from '../../workers/interpreter/base-memory.js'
import {
  applyMemory,
  captureMemory as captureParts,
  checkDelta,
  DeltaError,
  type MemoryDelta,
} from '../../workers/interpreter/memory-delta.js'
import { imageBytes } from '../support/image-bytes.js'

const PAGE = 4096
const WASM_PAGE = 65_536

/** An image of 256 KiB with these runs of pages, filled with noise. */
function imageOf(...runs: [first: number, count: number][]): BaseMemory {
  const bytes = runs.reduce((sum, [, count]) => sum + count * PAGE, 0)
  return {
    memoryBytes: 4 * WASM_PAGE,
    runs: Uint32Array.from(runs.flatMap(([first, count]) => [first * PAGE, count * PAGE])),
    bytes: imageBytes(randomFillSync(new Uint8Array(bytes))),
  }
}

function pristine(image: BaseMemory, bytes = image.memoryBytes): Uint8Array {
  const heap = new Uint8Array(bytes)
  for (let i = 0, at = 0; i < image.runs.length; at += image.runs[i + 1] ?? 0, i += 2)
    image.bytes.read(at, heap, image.runs[i] ?? 0, image.runs[i + 1] ?? 0)
  return heap
}

function restored(image: BaseMemory, delta: MemoryDelta, bytes = delta.memoryBytes): Uint8Array {
  checkDelta(image, delta)
  const heap = pristine(image, bytes)
  applyMemory(heap, image, delta)
  return heap
}

const image = imageOf([0, 3], [5, 1], [7, 20], [40, 24])

/** Converts a capture to the delta that is stored. */
function captureMemory(heap: Uint8Array, image: BaseMemory): MemoryDelta & { readonly xored: Uint8Array } {
  const { memoryBytes, pages, maps, parts } = captureParts(heap, image)
  const [joinedMaps, xored] = [maps, parts].map((pieces) => new Uint8Array(Buffer.concat(pieces)))
  return { memoryBytes, pages, maps: joinedMaps, xored: xored as Uint8Array }
}

describe('captureMemory', () => {
  test('finds nothing in memory that equals the image', () => {
    const delta = captureMemory(pristine(image), image)
    expect(delta).toEqual({
      memoryBytes: image.memoryBytes,
      pages: new Uint32Array(0),
      maps: new Uint8Array(0),
      xored: new Uint8Array(0),
    })
  })

  test('finds a changed byte anywhere on any page, inside, between and after runs', () => {
    for (let page = 0; page < 80; page++) {
      for (const at of [0, 1, 2048, PAGE - 1]) {
        const heap = pristine(image, 5 * WASM_PAGE)
        heap[page * PAGE + at] = (heap[page * PAGE + at] ?? 0) ^ 0x10
        const delta = captureMemory(heap, image)
        expect([...delta.pages]).toEqual([page])
        const isInRun = delta.xored.length < PAGE
        const expected = new Uint8Array(isInRun ? 16 : PAGE)
        expected[isInRun ? at % 16 : at] = 0x10
        expect(Buffer.compare(delta.xored, expected)).toBe(0)
      }
    }
  })

  test('finds pages that became zero', () => {
    const heap = pristine(image)
    heap.fill(0, 8 * PAGE, 10 * PAGE)
    expect([...captureMemory(heap, image).pages]).toEqual([8, 9])
  })

  test('skips memory known to be zero, and nothing next to it', () => {
    const heap = pristine(image, 5 * WASM_PAGE)
    for (const page of [30, 39, 64, 70]) heap[page * PAGE] = 1
    const { pages, parts } = captureParts(heap, image, [31 * PAGE, 39 * PAGE])
    expect([...pages]).toEqual([30, 39, 64, 70])
    expect(parts.length).toBe(4)
    expect([...captureParts(heap, image, [64 * PAGE, 71 * PAGE]).pages]).toEqual([30, 39])
  })

  test('copies, so later changes of the memory are not included', () => {
    const heap = pristine(image)
    heap[4 * PAGE] = 1
    const delta = captureMemory(heap, image)
    heap[4 * PAGE] = 2
    expect(delta.xored[0]).toBe(1)
  })
})

describe('applyMemory', () => {
  test('restores the captured memory, whatever was changed', () => {
    for (let round = 0; round < 200; round++) {
      const heap = pristine(image, (4 + (round % 3)) * WASM_PAGE)
      for (let i = 0; i < round; i++) {
        const at = Math.floor(Math.random() * heap.length)
        const length = Math.floor(Math.random() ** 4 * 3 * PAGE)
        if (i % 3 === 0) heap.fill(0, at, at + length)
        else randomFillSync(heap.subarray(at, at + length))
      }
      expect(Buffer.compare(restored(image, captureMemory(heap, image)), heap)).toBe(0)
    }
  })

  test('supports an image without runs, a full image, and more memory than was captured', () => {
    for (const other of [imageOf(), imageOf([0, 64]), imageOf([63, 1]), imageOf([0, 1])]) {
      const heap = randomFillSync(new Uint8Array(5 * WASM_PAGE))
      const larger = restored(other, captureMemory(heap, other), 6 * WASM_PAGE)
      expect(Buffer.compare(larger.subarray(0, heap.length), heap)).toBe(0)
      expect(larger.subarray(heap.length).every((byte) => byte === 0)).toBe(true)
    }
  })

  test('accepts pages anywhere in a larger buffer, or in pieces', () => {
    const heap = pristine(image)
    randomFillSync(heap.subarray(100, 50_000))
    const delta = captureMemory(heap, image)
    const moved = new Uint8Array(delta.xored.length + 3).subarray(3)
    moved.set(delta.xored)
    expect(Buffer.compare(restored(image, { ...delta, xored: moved }), heap)).toBe(0)
    for (const bytes of [1, 5000, delta.xored.length - 1]) {
      const pieces: Uint8Array[] = [new Uint8Array(0)]
      for (let at = 0; at < moved.length; at += bytes) pieces.push(moved.subarray(at, at + bytes))
      expect(Buffer.compare(restored(image, { ...delta, xored: pieces }), heap)).toBe(0)
    }
  })
})

test('whole pages are applied if a delta has no maps', () => {
  const heap = pristine(image)
  randomFillSync(heap.subarray(100, 50_000))
  const before = pristine(image)
  const pages = Uint32Array.from({ length: 13 }, (_, i) => i)
  const xored = heap.map((byte, at) => byte ^ (before[at] ?? 0)).subarray(0, 13 * PAGE)
  const delta = { memoryBytes: heap.length, pages, xored }
  expect(Buffer.compare(restored(image, delta), heap)).toBe(0)
})

describe('N2: a delta from outside is rejected', () => {
  const good: MemoryDelta = {
    memoryBytes: 5 * WASM_PAGE,
    pages: Uint32Array.of(0, 6, 79),
    xored: new Uint8Array(3 * PAGE),
  }
  const refused = (change: { [Name in keyof MemoryDelta]?: unknown }) =>
    expect(() => checkDelta(image, { ...good, ...change } as MemoryDelta)).toThrow(DeltaError)

  test('except if it is valid', () => {
    expect(() => checkDelta(image, good)).not.toThrow()
    expect(() => checkDelta(image, { ...good, memoryBytes: 2 ** 32 })).not.toThrow()
  })

  test('if its memory size is impossible or smaller than the image', () => {
    for (const memoryBytes of [0, -WASM_PAGE, 3 * WASM_PAGE, 5 * WASM_PAGE + 1, 5 * WASM_PAGE + PAGE])
      refused({ memoryBytes })
    for (const memoryBytes of [2 ** 32 + WASM_PAGE, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN, 1e6 + 0.5])
      refused({ memoryBytes })
    for (const memoryBytes of ['327680', undefined, null, 327_680n]) refused({ memoryBytes })
  })

  test('if pages are outside the memory, repeated or not in order', () => {
    for (const pages of [
      [0, 6, 80],
      [0, 6, 2 ** 32 - 1],
      [0, 6, 6],
      [6, 0, 79],
      [0, 0, 1],
    ])
      refused({ pages: Uint32Array.from(pages) })
  })

  test('if it has more or fewer bytes than its pages need', () => {
    for (const length of [0, PAGE, 3 * PAGE - 1, 3 * PAGE + 1, 4 * PAGE])
      refused({ xored: new Uint8Array(length) })
    refused({ pages: new Uint32Array(0) })
  })

  test('if its maps do not match the number of pages or the length of the data', () => {
    const maps = Uint8Array.from({ length: 96 }, (_, i) => (i % 32 === 0 ? 1 : 0))
    const xored = new Uint8Array(48)
    expect(() => checkDelta(image, { ...good, maps, xored })).not.toThrow()
    for (const length of [0, 47, 64, 3 * PAGE]) refused({ maps, xored: new Uint8Array(length) })
    for (const wrong of [maps.subarray(1), maps.fill(3, 0, 1), [], null, 'x']) refused({ maps: wrong, xored })
  })

  test('if its fields have other types', () => {
    for (const pages of [
      [0, 6, 79],
      new Float64Array([0, 6, 79]),
      new Int32Array(3),
      { length: 3 },
      undefined,
      null,
    ])
      refused({ pages })
    for (const xored of [
      'x',
      [0],
      { length: 3 * PAGE },
      new ArrayBuffer(3 * PAGE),
      new Uint16Array(3 * PAGE),
      null,
    ])
      refused({ xored })
  })
})
