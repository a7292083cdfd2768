// CPython's table of interned strings: executions leave no trace in it, and CPython still finds every string. Owns a reader of that table
// that looks strings up as CPython does.
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { ReadableImage } from '../../workers/image-bytes.js'
import { findInternedStrings, tidyInternedStrings } from '../../workers/interpreter/interned-strings.js'
import { packBlocks } from '../../workers/snapshot/blocks.js'
import { openImage, readable } from '../image/built.js'
import { TestInterpreter } from './interpreters.js'

let image: ReadableImage
beforeAll(async () => {
  image = readable(await openImage({ cacheDir: inject('cacheDir') }))
})

const STEP = 'n += 1'

function started(): TestInterpreter {
  const session = new TestInterpreter(image)
  session.run('import gc, sys\nn = 0')
  return session
}

function stepped(session: TestInterpreter, count: number): TestInterpreter {
  for (let i = 0; i < count; i++) session.run(STEP)
  return session
}

function packedBytes(session: TestInterpreter): number {
  session.run('gc.collect()')
  return packBlocks(session.interpreter.capture().parts).reduce((sum, { bytes }) => sum + bytes.length, 0)
}

/** Allowance for counters that got longer, and for other places in the heap. */
const NOISE_BYTES = 250

const INDEX_AT = 20
const DELETED = 0xffff_fffe
const EMPTY = 0xffff_ffff

/** The table as it is in memory now. */
class Interned {
  readonly words: Uint32Array
  readonly keys: number
  readonly size: number
  readonly #dict: number

  constructor(heap: Uint8Array<ArrayBuffer>) {
    this.words = new Uint32Array(heap.buffer)
    this.#dict = image.landmarks.internedStrings
    this.keys = this.#word(this.#dict + 24)
    this.size = 2 ** (this.#word(this.keys + 4) & 0xff)
  }

  get used(): number {
    return this.#word(this.#dict + 8)
  }

  get count(): number {
    return this.#word(this.keys + 16)
  }

  get index(): Uint32Array {
    const from = (this.keys + INDEX_AT) / 4
    return this.words.subarray(from, from + this.size)
  }

  get entries(): Uint32Array {
    const from = (this.keys + INDEX_AT) / 4 + this.size
    return this.words.subarray(from, from + 2 * this.count)
  }

  get strings(): number[] {
    return [...this.entries].filter((word, i) => i % 2 === 0 && word !== 0)
  }

  /** Slot of the index where a search for the string ends. */
  slotOf(string: number): number {
    let perturb = this.#word(string + 12)
    let slot = perturb % this.size
    for (;;) {
      const entry = this.index[slot] ?? 0
      if (entry === EMPTY || (entry !== DELETED && this.entries[2 * entry] === string)) return slot
      perturb >>>= 5
      slot = (slot * 5 + perturb + 1) % this.size
    }
  }

  /** Deletes a string in the way CPython does. */
  delete(string: number): void {
    const slot = this.slotOf(string)
    this.entries.fill(0, 2 * (this.index[slot] ?? 0), 2 * (this.index[slot] ?? 0) + 2)
    this.index[slot] = DELETED
    this.words[(this.#dict + 8) / 4] = this.used - 1
  }

  #word(address: number): number {
    return this.words[address / 4] ?? 0
  }
}

function requireInOrder(interned: Interned): void {
  const { strings, index, count, used } = interned
  expect([strings.length, count]).toEqual([used, used])
  expect(index.filter((entry) => entry !== EMPTY).length).toBe(used)
  expect(strings.every((string) => index[interned.slotOf(string)] !== EMPTY)).toBe(true)
}

describe('interned strings', () => {
  test('executions leave no trace: a snapshot after 3,000 is as large as after 100', () => {
    const session = started()
    const settled = packedBytes(stepped(session, 100))
    const later = packedBytes(stepped(session, 2900))
    expect(later).toBeLessThan(settled + NOISE_BYTES)
    requireInOrder(new Interned(session.heap))
  })

  test('25,000 executions between two snapshots do not move the table', () => {
    const session = started()
    const settled = packedBytes(stepped(session, 100))
    const { keys } = new Interned(session.heap)
    expect(packedBytes(stepped(session, 25_000))).toBeLessThan(settled + NOISE_BYTES)
    expect(new Interned(session.heap).keys).toBe(keys)
  })

  test('each remaining string is found again as the same object, whatever was deleted before', () => {
    const session = started()
    session.run(`kept = {i: sys.intern(f'kept {i}') for i in range(9000)}`)
    session.run('for i in range(0, 9000, 3): del kept[i]')
    for (let round = 0; round < 3; round++) {
      session.interpreter.capture()
      requireInOrder(new Interned(session.heap))
      const isSame = 'all(sys.intern(f"kept {i}") is text for i, text in kept.items())'
      expect(
        session.run(`print(${isSame}, sys.intern("exe" + "cute") is sys.intern("execute"), len(kept))`),
      ).toBe(`True True ${6000 - round * 1000}\n`)
      session.run(`for i in range(${round + 1}, 9000, 9): kept.pop(i, None)`)
    }
  })

  test('strings of the image can also be deleted', () => {
    const { heap } = stepped(started(), 5)
    const interned = new Interned(heap)
    const { strings } = interned
    const gone = strings.filter((_, i) => i % 100 === 7)
    for (const string of gone) interned.delete(string)
    tidyInternedStrings(heap, image.landmarks.internedStrings, image)
    requireInOrder(interned)
    expect(gone.every((string) => interned.index[interned.slotOf(string)] === EMPTY)).toBe(true)
    expect(interned.strings.length).toBe(strings.length - gone.length)
  })

  test('tidying with and without the image gives the same result', () => {
    const session = started()
    session.run(`kept = [sys.intern(f'kept {i}') for i in range(500)]\ndel kept[::2]`)
    const [quick, plain] = [session.heap.slice(), session.heap.slice()]
    tidyInternedStrings(quick, image.landmarks.internedStrings, image)
    tidyInternedStrings(plain, image.landmarks.internedStrings)
    expect(Buffer.compare(quick, plain)).toBe(0)
    expect(Buffer.compare(quick, session.heap)).not.toBe(0)
  })
})

describe('R1: a table that a program has overwritten', () => {
  test('is read in bounded time, and left alone if it is inconsistent', () => {
    const { heap } = stepped(started(), 50)
    const dict = image.landmarks.internedStrings
    const { keys, size, count } = new Interned(heap)
    const entries = keys + INDEX_AT + 4 * size
    const places = [
      ...[8, 24, 28].map((offset) => dict + offset),
      ...[4, 12, 16, INDEX_AT, INDEX_AT + 400].map((offset) => keys + offset),
      ...[0, 4, 8 * (count - 1), 8 * count].map((offset) => entries + offset),
    ]
    const values = [0, 1, 2, 4, dict, keys, heap.length - 4, heap.length, 0x7fff_fffc, DELETED, EMPTY]
    const copy = heap.slice()
    for (const place of places)
      for (const value of values) {
        copy.set(heap)
        new DataView(copy.buffer).setUint32(place, value, true)
        tidyInternedStrings(copy, dict, image)
        tidyInternedStrings(copy, dict)
      }
    new DataView(heap.buffer).setUint32(entries + 8 * 1000, 8, true)
    const before = heap.slice()
    tidyInternedStrings(heap, dict, image)
    expect(Buffer.compare(heap, before)).toBe(0)
    expect(findInternedStrings(heap)).toBe(0)
  })

  test('is left alone if all its hashes collide', () => {
    const { heap } = stepped(started(), 50)
    const { strings, words } = new Interned(heap)
    for (const string of strings) words[(string + 12) / 4] = 12_345
    const before = heap.slice()
    tidyInternedStrings(heap, image.landmarks.internedStrings)
    expect(Buffer.compare(heap, before)).toBe(0)
  })
})
