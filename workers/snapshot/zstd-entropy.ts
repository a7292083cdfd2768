// The two entropy codes of zstd (RFC 8878, section 4): FSE and Huffman tables, and the bit stream that is read from its end.
// Owns those only; zstd.ts interprets the symbols. Every read outside its stream is an error.

export class ZstdError extends Error {
  override readonly name = 'ZstdError'
}

/** Reads the bits of `bytes` from `start` to `end`, last bit first. */
export class BackwardBits {
  readonly #bytes: Uint8Array
  readonly #start: number
  /** How many bits are left. */
  left: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] ?? 0) : 0
    if (last === 0) throw new ZstdError('a bit stream without end mark')
    this.#bytes = bytes
    this.#start = start
    this.left = (end - start - 1) * 8 + (31 - Math.clz32(last))
  }

  /** Reads up to 25 bits. */
  read(count: number): number {
    if (count > this.left) throw new ZstdError('a bit stream is too short')
    this.left -= count
    return this.#at(this.left, count)
  }

  /** Returns the next bits without consuming them. Past the last bit, zeros follow. */
  peek(count: number): number {
    return this.left >= count
      ? this.#at(this.left - count, count)
      : this.#at(0, this.left) << (count - this.left)
  }

  #at(bit: number, count: number): number {
    const bytes = this.#bytes
    const at = this.#start + (bit >>> 3)
    const word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
}

/** For each state: its symbol, and how to compute the next state. */
export interface FseTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** A table with a single state, for this symbol. */
export function constantTable(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), bases: Uint16Array.of(0) }
}

/** Builds a table from probabilities in units of 2^-log; -1 stands for less than one unit. */
export function fseTable(probabilities: readonly number[], log: number): FseTable {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  const next = probabilities.map(Math.abs)
  let high = size
  for (const [symbol, probability] of probabilities.entries()) if (probability < 0) symbols[--high] = symbol
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  for (const [symbol, probability] of probabilities.entries()) {
    for (let i = 0; i < probability; i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= high)
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] ?? 0
    const x = next[symbol] ?? 0
    next[symbol] = x + 1
    const count = log - (31 - Math.clz32(x))
    bits[state] = count
    bases[state] = (x << count) - size
  }
  return { log, symbols, bits, bases }
}

/** Reads a table's description at `start`. Returns the table and where its description ends. */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  limit: number,
  most: { readonly log: number; readonly symbol: number },
): { readonly table: FseTable; readonly end: number } {
  let bit = 0
  const peek = (count: number) => {
    const at = start + (bit >>> 3)
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
  const take = (count: number) => {
    const value = peek(count)
    bit += count
    return value
  }
  const log = take(4) + 5
  if (log > most.log) throw new ZstdError('an FSE table is too large')
  const probabilities: number[] = []
  let remaining = (1 << log) + 1
  let threshold = 1 << log
  let width = log + 1
  while (remaining > 1) {
    if (probabilities.length > most.symbol) throw new ZstdError('an FSE table has too many symbols')
    const short = 2 * threshold - 1 - remaining
    let value = peek(width)
    if ((value & (threshold - 1)) < short) {
      value &= threshold - 1
      bit += width - 1
    } else {
      if (value >= threshold) value -= short
      bit += width
    }
    const probability = value - 1
    remaining -= Math.abs(probability)
    probabilities.push(probability)
    for (let zeros = probability === 0 ? 3 : 0; zeros === 3; ) {
      zeros = take(2)
      for (let i = 0; i < zeros; i++) probabilities.push(0)
      if (probabilities.length > most.symbol + 1) throw new ZstdError('an FSE table has too many symbols')
    }
    while (remaining < threshold) {
      width--
      threshold >>= 1
    }
  }
  const end = start + Math.ceil(bit / 8)
  if (remaining !== 1 || end > limit) throw new ZstdError('an FSE table is damaged')
  return { table: fseTable(probabilities, log), end }
}

/** For each value of the next `log` bits: the symbol that they begin with, and its length in bits. */
export interface HuffmanTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

const MOST_HUFFMAN_BITS = 11
const MOST_WEIGHTS = 255

export function readHuffmanTable(
  bytes: Uint8Array,
  start: number,
  limit: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const head = bytes[start] ?? 0
  const direct = head >= 128
  const end = start + 1 + (direct ? (head - 126) >> 1 : head)
  if (start >= limit || end > limit) throw new ZstdError('a Huffman table is cut off')
  const weights = direct
    ? Array.from(
        { length: head - 127 },
        (_, i) => ((bytes[start + 1 + (i >> 1)] ?? 0) >> (i & 1 ? 0 : 4)) & 15,
      )
    : packedWeights(bytes, start + 1, end)
  return { table: huffmanTable(weights), end }
}

/** Decodes weights with two alternating states, until the stream ends. */
function packedWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const { table, end: from } = readFseTable(bytes, start, end, { log: 6, symbol: MOST_WEIGHTS })
  const { log, symbols, bits, bases } = table
  const stream = new BackwardBits(bytes, from, end)
  const weights: number[] = []
  let state = stream.read(log)
  let other = stream.read(log)
  for (;;) {
    weights.push(symbols[state] ?? 0)
    if (weights.length >= MOST_WEIGHTS) throw new ZstdError('a Huffman table has too many symbols')
    const count = bits[state] ?? 0
    if (count > stream.left) break
    const next = (bases[state] ?? 0) + stream.read(count)
    state = other
    other = next
  }
  weights.push(symbols[other] ?? 0)
  return weights
}

/** Builds a table from weights. The weight of the last symbol is not stored: it is the one that fills the table. */
function huffmanTable(weights: number[]): HuffmanTable {
  let sum = 0
  for (const weight of weights) {
    if (weight > MOST_HUFFMAN_BITS) throw new ZstdError('a Huffman code is too long')
    if (weight > 0) sum += 1 << (weight - 1)
  }
  const log = 32 - Math.clz32(sum)
  const rest = (1 << log) - sum
  if (sum === 0 || log > MOST_HUFFMAN_BITS || (rest & (rest - 1)) !== 0)
    throw new ZstdError('a Huffman table is damaged')
  weights.push(32 - Math.clz32(rest))
  const symbols = new Uint8Array(1 << log)
  const bits = new Uint8Array(1 << log)
  let at = 0
  for (let weight = 1; weight <= log; weight++) {
    const length = 1 << (weight - 1)
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue
      symbols.fill(symbol, at, at + length)
      bits.fill(log + 1 - weight, at, at + length)
      at += length
    }
  }
  return { log, symbols, bits }
}

/** Fills `target` from one stream, which must then be at its end. */
export function readHuffman(
  table: HuffmanTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): void {
  const { log, symbols, bits } = table
  const stream = new BackwardBits(bytes, start, end)
  for (let i = 0; i < target.length; i++) {
    const code = stream.peek(log)
    target[i] = symbols[code] ?? 0
    stream.left -= bits[code] ?? 0
    if (stream.left < 0) throw new ZstdError('a Huffman stream is too short')
  }
  if (stream.left !== 0) throw new ZstdError('a Huffman stream is too long')
}
