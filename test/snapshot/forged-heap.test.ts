// R1: if a program overwrites malloc's heap, only its own snapshot is affected. Lists can be endless, share bytes, point anywhere or have
// a million ranges: the walk ends after a bounded number of steps, and clears nothing twice.
import { describe, expect, inject, test } from 'vitest'
import { MOST_CHUNKS } from '../../workers/interpreter/malloc.js'
import { openImage } from '../image/built.js'
import { READ_ALL_MEMORY } from '../security/support/forged-memory.js'
import { managerForTest } from '../support/manager.js'
import { py } from '../support/session-code.js'
import { FIRST_CHUNK, ForgedHeap, LEFT, RIGHT } from './support/forged-heap.js'

const MIB = 2 ** 20
const NOT_TIDIED = { whole: false, ranges: 0, bytes: 0 }
const TOP_BYTES = 56

function chunksOf(forged: ForgedHeap, bytes: number, every: number, most = Number.POSITIVE_INFINITY) {
  const chunks: number[] = []
  for (let at = FIRST_CHUNK; at + every < forged.heap.length - 4096 && chunks.length < most; at += every)
    chunks.push(forged.chunk(at, bytes))
  return chunks
}

describe('a malloc heap', () => {
  test('that is plausible is visited once, except for the words that malloc needs', () => {
    const forged = new ForgedHeap(MIB)
    const chunks = chunksOf(forged, 40, 64, 100)
    forged.list(5, chunks)
    const large = forged.chunk(FIRST_CHUNK + 100 * 64, 4096)
    forged.root(8, large)
    expect(forged.visit()).toEqual({ whole: true, ranges: 102, bytes: 100 * 24 + 4064 + TOP_BYTES })
    expect(forged.visit(true)).toEqual(forged.visit(true))
  })

  test.each<[what: string, forge: (forged: ForgedHeap) => void]>([
    [
      'a bin for chunks of no size that leads round in a circle',
      (forged) => {
        forged.list(0, [FIRST_CHUNK, FIRST_CHUNK + 64])
        forged.link(FIRST_CHUNK + 64, FIRST_CHUNK)
      },
    ],
    [
      'a list that leads back into itself',
      (forged) => {
        const chunks = chunksOf(forged, 24, 48, 1000)
        forged.list(3, chunks)
        forged.link(chunks[999] ?? 0, chunks[500] ?? 0)
      },
    ],
    [
      'a tree whose leaf is its root',
      (forged) => {
        const [root = 0, leaf = 0] = chunksOf(forged, 512, 1024, 2)
        forged.root(2, root)
        forged.set(root + LEFT, leaf)
        forged.link(leaf, leaf)
        forged.set(leaf + RIGHT, root)
      },
    ],
    [
      'a tree with the same child twice',
      (forged) => {
        const [root = 0, leaf = 0] = chunksOf(forged, 512, 1024, 2)
        forged.root(2, root)
        forged.set(root + LEFT, leaf)
        forged.set(root + RIGHT, leaf)
        forged.link(leaf, leaf)
      },
    ],
    [
      'a chunk inside another',
      (forged) => {
        forged.root(9, forged.chunk(FIRST_CHUNK, 8192))
        forged.list(4, [forged.chunk(FIRST_CHUNK + 1024, 32)])
      },
    ],
    [
      'chunks that overlap by eight bytes',
      (forged) => {
        const first = forged.chunk(FIRST_CHUNK, 40)
        forged.list(5, [first, forged.chunk(FIRST_CHUNK + 32, 40)])
        forged.set(FIRST_CHUNK + 40, 40)
      },
    ],
    [
      'a chunk that ends where memory does',
      (forged) => forged.root(20, forged.chunk(FIRST_CHUNK, forged.heap.length - FIRST_CHUNK)),
    ],
    [
      'a chunk that 32 bits would wrap round to its start',
      (forged) => forged.root(31, forged.chunk(FIRST_CHUNK, 2 ** 32 - FIRST_CHUNK)),
    ],
    ['a list that leads to the last address', (forged) => forged.list(3, [2 ** 32 - 8])],
    ['a list that leads between two words', (forged) => forged.list(3, [FIRST_CHUNK + 2])],
  ])('with %s is left alone', (_, forge) => {
    const forged = new ForgedHeap(MIB)
    forge(forged)
    expect(forged.visit()).toEqual(NOT_TIDIED)
  })

  test('with too many free chunks has its large ones cleared, and some of the small ones', () => {
    const forged = new ForgedHeap(64 * MIB)
    forged.root(8, forged.chunk(FIRST_CHUNK, 4096))
    const small: number[] = []
    for (let at = FIRST_CHUNK + 8192; small.length <= MOST_CHUNKS; at += 32) small.push(forged.chunk(at, 24))
    forged.list(3, small)
    const bytes = TOP_BYTES + 4064 + 8 * (MOST_CHUNKS - 2)
    expect(forged.visit()).toEqual({ whole: true, ranges: MOST_CHUNKS, bytes })
  })

  test('with a free chunk over malloc’s own state is read no further than it was checked', () => {
    const forged = new ForgedHeap(MIB)
    const [a = 0, b = 0] = chunksOf(forged, 24, 64, 2)
    // Checked and cleared first: a large chunk from before the state to behind it.
    forged.root(5, forged.chunk(512, 2048))
    forged.list(3, [a, b])
    expect(forged.visit()).toMatchObject({ whole: true, ranges: 4 })
    expect(forged.visit(true)).toMatchObject({ whole: true, ranges: 2 })
  })
})

describe('a session', () => {
  /** The bin for chunks of no size, which malloc never uses, gets a list that leads to itself. */
  const endless = (state: number) => py`
    loop = bytes(64)
    at = (id(loop) + bytes.__basicsize__ + 7) // 8 * 8
    memory[${state}] |= 1
    memory[at + 8:at + 12] = memory[${state + 48}:${state + 52}] = at.to_bytes(4, 'little')
  `

  test('with an endless list is captured and restored; it continues, and so does its neighbour', async () => {
    const { landmarks } = await openImage({ cacheDir: inject('cacheDir') })
    const manager = await managerForTest({ slots: 3 })
    const session = await manager.createSession({ checkpoint: 'manual' })
    const neighbour = await manager.createSession()
    const forge = endless(landmarks.mallocState)
    await session.execute(`${READ_ALL_MEMORY}\n${forge}\ndel memory, forged\nkept = [1, 2, 3]`)
    const [snapshot] = await Promise.all([session.snapshotState(), neighbour.execute('x = 1')])
    expect((await session.execute('sum(kept)')).value).toBe(6)
    const fork = await manager.createSession()
    await fork.restoreState(snapshot)
    expect((await fork.execute('sum(kept)')).value).toBe(6)
    expect((await neighbour.execute('x')).value).toBe(1)
  })
})
