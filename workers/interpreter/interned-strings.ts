// Compacts CPython's dictionary of interned strings from outside. It contains every name that a program uses, and the file name of
// every cell. A deleted string leaves a tombstone in the index and uses up an entry, until the table is full and moves. Owns the layout
// of that table. Whatever the memory contains, reading it ends and stays within bounds.
import { type BaseMemory, baseWords } from './base-memory.js'

/** `PyDictObject`. The values are in the table of keys, so `values` is null. */
const DICT = { used: 8, keys: 24, values: 28, BYTES: 32 } as const
/** `PyDictKeysObject`: a head, an index of 2^n words, then entries, each a key and its value. */
const KEYS = { shape: 4, usable: 12, count: 16, INDEX: 20 } as const
const ENTRY_WORDS = 2
/** Offset of the hash in a string object. */
const HASH = 12
/** The kind of a table whose keys are all strings: its entries have no hash. */
const STRINGS_ONLY = 1
/** Tables smaller than the image's have another form of index. Larger ones, with more than 700,000 strings, are left alone. */
const [LEAST_LOG2_SIZE, MOST_LOG2_SIZE] = [16, 20]
const LOG2_WORD_BYTES = 2
const EMPTY = 0xffff_ffff
const PERTURB_SHIFT = 5
/** Most steps past occupied slots, per slot of the index. A full table needs half a step; hashes crafted to collide need more. */
const MOST_STEPS_PER_SLOT = 4

/** With fewer free entries, the table is about to move. */
const LEAST_USABLE = 2048
/** With at least this many deleted entries, compacting the table is worth it to prevent the move. */
const LEAST_DELETED = 4096

interface Table {
  readonly keys: number
  readonly size: number
  /** How many entries there is room for. */
  readonly capacity: number
  /** How many entries have been used, including deleted ones. */
  readonly count: number
  /** How many strings there are. */
  readonly used: number
  /** Index of the first entry, in words. */
  readonly entries: number
}

/** The first entries of a table, and an index of only these. */
interface Beginning {
  readonly used: number
  /** A copy that may be changed. */
  readonly index: Uint32Array
}

/** Address of the dictionary, or 0 if not exactly one place looks like it. */
export function findInternedStrings(memory: Uint8Array): number {
  const words = wordsOf(memory)
  let found = 0
  for (let at = 4; at + DICT.BYTES <= memory.length; at += 4) {
    const table = tableAt(words, at)
    if (table === undefined || stringsFrom(words, table, 0) === undefined) continue
    if (found !== 0) return 0
    found = at
  }
  return found
}

/**
 * Compacts the table as if no deleted string had ever been in it: removes tombstones, and moves the last entries into the place of deleted
 * ones. String objects stay where they are and keep their identity. Only call this between calls, when nothing is looking up a string. It
 * is faster with the image that the memory was made from, because the image's strings need not be visited.
 */
export function tidyInternedStrings(heap: Uint8Array, dict: number, image?: BaseMemory): void {
  const words = wordsOf(heap)
  const table = tableAt(words, dict)
  // Nothing was deleted, so there is no tombstone either.
  if (table === undefined || table.count === table.used) return
  const { keys, size, capacity, count, used, entries } = table
  const base = image && beginning(words, table, dict, image)
  const first = base?.used ?? 0
  const strings = stringsFrom(words, table, first)
  if (strings === undefined) return
  const index = base?.index ?? new Uint32Array(size).fill(EMPTY)
  if (!addToIndex(index, words, strings, first)) return
  words.set(index, indexOf(keys))
  for (let i = first; i < used; i++) {
    const string = strings[i - first] ?? 0
    words[entries + i * ENTRY_WORDS] = string
    words[entries + i * ENTRY_WORDS + 1] = string
  }
  words.fill(0, entries + used * ENTRY_WORDS, entries + count * ENTRY_WORDS)
  words[(keys + KEYS.count) / 4] = used
  words[(keys + KEYS.usable) / 4] = capacity - used
}

/** Whether deleted strings are about to make CPython build a new table elsewhere. Fast enough to check after every call. */
export function areInternedStringsFull(memory: ArrayBuffer, dict: number): boolean {
  const table = tableAt(new Uint32Array(memory), dict)
  if (table === undefined || table.capacity - table.count >= LEAST_USABLE) return false
  return table.count - table.used >= LEAST_DELETED
}

function tableAt(words: Uint32Array, dict: number): Table | undefined {
  const word = (address: number) => words[address / 4] ?? 0
  const end = words.length * 4
  const keys = word(dict + DICT.keys)
  if (dict === 0 || keys === 0 || keys % 4 !== 0 || keys >= end || word(dict + DICT.values) !== 0)
    return undefined
  const shape = word(keys + KEYS.shape)
  const [log2Size, log2IndexBytes, kind] = [shape & 0xff, (shape >> 8) & 0xff, (shape >> 16) & 0xff]
  if (log2Size < LEAST_LOG2_SIZE || log2Size > MOST_LOG2_SIZE) return undefined
  if (log2IndexBytes !== log2Size + LOG2_WORD_BYTES || kind !== STRINGS_ONLY) return undefined
  const size = 2 ** log2Size
  const capacity = Math.floor((size * 2) / 3)
  const count = word(keys + KEYS.count)
  const used = word(dict + DICT.used)
  if (used > count || count + word(keys + KEYS.usable) !== capacity) return undefined
  const entries = indexOf(keys) + size
  if (entries + capacity * ENTRY_WORDS > words.length) return undefined
  return { keys, size, capacity, count, used, entries }
}

/** The image's table, if this one is at the same address and begins with all of the image's strings. */
function beginning(words: Uint32Array, table: Table, dict: number, image: BaseMemory): Beginning | undefined {
  const { keys, size, entries } = table
  const [used] = baseWords(image, dict + DICT.used, dict + DICT.used + 4) ?? []
  const [itsKeys] = baseWords(image, dict + DICT.keys, dict + DICT.keys + 4) ?? []
  if (used === undefined || used > table.used || itsKeys !== keys) return undefined
  const end = entries + used * ENTRY_WORDS
  const base = baseWords(image, keys, end * 4)
  const indexAt = KEYS.INDEX / 4
  if (base === undefined || base[KEYS.count / 4] !== used) return undefined
  if (base[KEYS.shape / 4] !== words[(keys + KEYS.shape) / 4]) return undefined
  const [its, ours] = [bytesOf(base.subarray(indexAt + size)), bytesOf(words.subarray(entries, end))]
  return its.equals(ours) ? { used, index: base.subarray(indexAt, indexAt + size) } : undefined
}

/**
 * The strings of all entries from `first` on, in their new order. A string stays at its position if possible. Undefined if there are more
 * or fewer than the table says.
 */
function stringsFrom(words: Uint32Array, table: Table, first: number): Uint32Array | undefined {
  const { count, used, entries } = table
  const strings = new Uint32Array(used - first)
  let live = 0
  for (let i = first; i < count; i++) {
    const string = words[entries + i * ENTRY_WORDS] ?? 0
    // The value of an interned string is the string itself.
    if (string !== words[entries + i * ENTRY_WORDS + 1] || string % 4 !== 0) return undefined
    if (string === 0) continue
    if (string + HASH >= words.length * 4) return undefined
    live++
    if (i < used) strings[i - first] = string
  }
  if (live !== strings.length) return undefined
  let last = count
  for (let i = 0; i < strings.length; i++)
    while (strings[i] === 0) strings[i] = words[entries + --last * ENTRY_WORDS] ?? 0
  return strings
}

/** Adds strings to an index as CPython does for a new table. Returns false if that takes too many steps. */
function addToIndex(index: Uint32Array, words: Uint32Array, strings: Uint32Array, first: number): boolean {
  const mask = index.length - 1
  let stepsLeft = index.length * MOST_STEPS_PER_SLOT
  for (let i = 0; i < strings.length; i++) {
    let perturb = words[((strings[i] ?? 0) + HASH) / 4] ?? 0
    let slot = perturb & mask
    while (index[slot] !== EMPTY) {
      if (--stepsLeft < 0) return false
      perturb >>>= PERTURB_SHIFT
      slot = (slot * 5 + perturb + 1) & mask
    }
    index[slot] = first + i
  }
  return true
}

/** Position of the table's index, in words. */
function indexOf(keys: number): number {
  return (keys + KEYS.INDEX) / 4
}

function wordsOf(memory: Uint8Array): Uint32Array {
  return new Uint32Array(memory.buffer, memory.byteOffset, Math.floor(memory.length / 4))
}

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer as ArrayBuffer, words.byteOffset, words.byteLength)
}
