// Reads zstd frames (RFC 8878) as hostile input. Owns which frames are accepted, the same on every Node, and decoding where node:zlib has
// no zstd (Node 20); it does not write frames. A frame costs at most its declared size in output, and a bounded number of steps per byte.
// Not a package, because the decoder on npm (fzstd 0.1.1) accepts two thirds of the damaged frames that node:zlib refuses: a snapshot
// would load on one Node and not on another.
import {
  BackwardBits,
  constantTable,
  type FseTable,
  fseTable,
  type HuffmanTable,
  readFseTable,
  readHuffman,
  readHuffmanTable,
  ZstdError,
} from './zstd-entropy.js'

const MAGIC = 0xfd2fb528
const MOST_BLOCK_BYTES = 128 * 1024
const MOST_WINDOW_BYTES = 1 << 20
const BLOCK = { raw: 0, rle: 1, compressed: 2, reserved: 3 } as const
const LITERALS = { raw: 0, rle: 1, compressed: 2, treeless: 3 } as const

/**
 * Checks that the bytes are exactly one frame that declares `rawBytes`, has a window of at most 1 MiB, and no dictionary or checksum.
 *
 * @throws ZstdError
 */
export function checkZstdFrame(frame: Uint8Array, rawBytes: number): void {
  const { contentBytes } = frameHeader(frame)
  if (contentBytes !== rawBytes) throw new ZstdError(`a frame of ${contentBytes} bytes`)
  if (firstFrame(frame).length !== frame.length) throw new ZstdError('there are bytes after the frame')
}

/** The bytes without those after the first frame. @throws ZstdError */
export function firstFrame(bytes: Uint8Array): Uint8Array {
  const { start } = frameHeader(bytes)
  let end = start
  for (const block of blocksOf(bytes, start)) end = block.end
  return bytes.subarray(0, end)
}

/**
 * @throws ZstdError, or RangeError if the frame has more bytes than it declares
 */
export function decompressZstd(frame: Uint8Array, rawBytes: number): Uint8Array<ArrayBuffer> {
  checkZstdFrame(frame, rawBytes)
  const output = new FrameOutput(rawBytes)
  for (const { type, start, end, size } of blocksOf(frame, frameHeader(frame).start)) {
    if (type === BLOCK.raw) output.append(frame.subarray(start, end))
    else if (type === BLOCK.rle) output.repeat(frame[start] ?? 0, size)
    else output.decode(frame, start, end)
  }
  return output.whole()
}

function frameHeader(frame: Uint8Array): { readonly contentBytes: number; readonly start: number } {
  if (frame.length < 8 || little(frame, 0, 4) !== MAGIC) throw new ZstdError('not a zstd frame')
  const descriptor = frame[4] ?? 0
  const sizeCode = descriptor >> 6
  const single = (descriptor & 0x20) !== 0
  // Refuse reserved and unused bits, checksums, dictionaries and 64-bit sizes.
  if ((descriptor & 0x1f) !== 0 || sizeCode === 3) throw new ZstdError('a frame with unsupported features')
  if (!single) {
    const window = frame[5] ?? 0
    const base = 1 << (10 + (window >> 3))
    if (window >> 3 > 20 || base + (base >> 3) * (window & 7) > MOST_WINDOW_BYTES)
      throw new ZstdError('a frame with a large window')
  }
  const at = single ? 5 : 6
  const sizeBytes = sizeCode === 0 ? (single ? 1 : 0) : 1 << sizeCode
  if (sizeBytes === 0) throw new ZstdError('a frame without size')
  return { contentBytes: little(frame, at, sizeBytes) + (sizeCode === 1 ? 256 : 0), start: at + sizeBytes }
}

interface FrameBlock {
  readonly type: number
  readonly start: number
  readonly end: number
  /** Bytes in the frame; for an RLE block, how often its one byte is repeated. */
  readonly size: number
}

function* blocksOf(frame: Uint8Array, first: number): Generator<FrameBlock> {
  for (let at = first, last = false; !last; ) {
    const head = little(frame, at, 3)
    const type = (head >> 1) & 3
    const size = head >> 3
    if (type === BLOCK.reserved || size > MOST_BLOCK_BYTES) throw new ZstdError('a bad block')
    const start = at + 3
    at = start + (type === BLOCK.rle ? 1 : size)
    if (at > frame.length) throw new ZstdError('the frame is cut off')
    last = (head & 1) !== 0
    yield { type, start, end: at, size }
  }
}

/** Extra bits by code. The base of a code follows from the codes before it. */
const LITERAL_BITS = [...new Array<number>(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, ...numbers(6, 16)]
const MATCH_BITS = [...new Array<number>(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, ...numbers(7, 16)]
const LITERAL_BASES = bases(LITERAL_BITS, 0)
const MATCH_BASES = bases(MATCH_BITS, 3)
const LEAST = -1
const ones = (count: number) => new Array<number>(count).fill(1)
const twos = (count: number) => new Array<number>(count).fill(2)
const least = (count: number) => new Array<number>(count).fill(LEAST)
/** Literal lengths, offsets and match lengths: the order in which a frame has its tables. Offset codes go up to 24 here. */
const KINDS = [
  {
    most: { log: 9, symbol: 35 },
    preset: fseTable([4, 3, ...twos(11), ...ones(3), ...twos(9), 3, 2, ...ones(5), ...least(4)], 6),
  },
  {
    most: { log: 8, symbol: 24 },
    preset: fseTable([...ones(6), ...twos(3), ...ones(15), ...least(5)], 5),
  },
  { most: { log: 9, symbol: 52 }, preset: fseTable([1, 4, 3, ...twos(6), ...ones(37), ...least(7)], 6) },
] as const
const MODE = { preset: 0, rle: 1, table: 2, repeat: 3 } as const

class FrameOutput {
  readonly #bytes: Uint8Array<ArrayBuffer>
  #length = 0
  #huffman: HuffmanTable | undefined
  #tables: (FseTable | undefined)[] = []
  #offsets: [number, number, number] = [1, 4, 8]

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes)
  }

  whole(): Uint8Array<ArrayBuffer> {
    if (this.#length !== this.#bytes.length) throw new ZstdError('the frame has too few bytes')
    return this.#bytes
  }

  append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  repeat(value: number, count: number): void {
    const end = this.#room(count)
    this.#bytes.fill(value, this.#length, end)
    this.#length = end
  }

  /** Decodes a compressed block: literals, then the sequences that combine them with earlier output. */
  decode(frame: Uint8Array, start: number, end: number): void {
    const { literals, end: at } = this.#literals(frame, start, end)
    const first = frame[at] ?? 0
    const headBytes = first === 255 ? 3 : first >= 128 ? 2 : 1
    if (at + headBytes > end) throw new ZstdError('a block is cut off')
    const count =
      first === 255
        ? little(frame, at + 1, 2) + 0x7f00
        : first >= 128
          ? ((first - 128) << 8) | (frame[at + 1] ?? 0)
          : first
    const used = count > 0 ? this.#sequences(frame, at + headBytes, end, count, literals) : 0
    if (count === 0 && at + headBytes !== end) throw new ZstdError('a block has bytes after its end')
    this.append(literals.subarray(used))
  }

  #room(count: number): number {
    const end = this.#length + count
    if (end > this.#bytes.length) throw new ZstdError('the frame has too many bytes')
    return end
  }

  #literals(frame: Uint8Array, start: number, end: number): { literals: Uint8Array; end: number } {
    const first = frame[start] ?? 0
    const type = first & 3
    const format = (first >> 2) & 3
    if (type === LITERALS.raw || type === LITERALS.rle) {
      const headBytes = format === 3 ? 3 : format === 1 ? 2 : 1
      const size = little(frame, start, headBytes) >> (headBytes === 1 ? 3 : 4)
      const from = start + headBytes
      const to = from + (type === LITERALS.raw ? size : 1)
      if (size > MOST_BLOCK_BYTES || to > end) throw new ZstdError('literals are cut off')
      const raw = type === LITERALS.raw
      return {
        literals: raw ? frame.subarray(from, to) : new Uint8Array(size).fill(frame[from] ?? 0),
        end: to,
      }
    }
    const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18
    const headBytes = format < 2 ? 3 : format + 2
    const head = little(frame, start, headBytes)
    const size = Math.floor(head / 16) % 2 ** sizeBits
    const packed = Math.floor(head / 2 ** (4 + sizeBits))
    let from = start + headBytes
    const to = from + packed
    if (size > MOST_BLOCK_BYTES || to > end) throw new ZstdError('literals are cut off')
    if (type === LITERALS.compressed) {
      const { table, end: behind } = readHuffmanTable(frame, from, to)
      this.#huffman = table
      from = behind
    }
    if (this.#huffman === undefined) throw new ZstdError('literals without a table')
    const literals = new Uint8Array(size)
    if (format === 0) readHuffman(this.#huffman, frame, from, to, literals)
    else readFourStreams(this.#huffman, frame, from, to, literals)
    return { literals, end: to }
  }

  /** Executes the sequences. Returns how many literals they used. */
  #sequences(frame: Uint8Array, start: number, end: number, count: number, literals: Uint8Array): number {
    const modes = frame[start] ?? 0
    if (start >= end || (modes & 3) !== 0) throw new ZstdError('bad modes of sequences')
    let at = start + 1
    const tables = KINDS.map(({ most, preset }, kind) => {
      const mode = (modes >> (6 - 2 * kind)) & 3
      if (mode === MODE.preset) return preset
      if (mode === MODE.repeat) return this.#tables[kind]
      if (mode === MODE.table) {
        const { table, end: behind } = readFseTable(frame, at, end, most)
        at = behind
        return table
      }
      const symbol = frame[at++] ?? 0
      if (symbol > most.symbol) throw new ZstdError('a code that does not exist')
      return constantTable(symbol)
    })
    this.#tables = tables
    const [literalTable, offsetTable, matchTable] = tables
    if (!literalTable || !offsetTable || !matchTable) throw new ZstdError('sequences without a table')
    const stream = new BackwardBits(frame, at, end)
    let literalState = stream.read(literalTable.log)
    let offsetState = stream.read(offsetTable.log)
    let matchState = stream.read(matchTable.log)
    let used = 0
    for (let left = count; left > 0; left--) {
      const offsetCode = offsetTable.symbols[offsetState] ?? 0
      if (offsetCode > 24) throw new ZstdError('a match is too far away')
      const offsetValue = (1 << offsetCode) + stream.read(offsetCode)
      const matchCode = matchTable.symbols[matchState] ?? 0
      const matchLength = (MATCH_BASES[matchCode] ?? 0) + stream.read(MATCH_BITS[matchCode] ?? 0)
      const literalCode = literalTable.symbols[literalState] ?? 0
      const literalLength = (LITERAL_BASES[literalCode] ?? 0) + stream.read(LITERAL_BITS[literalCode] ?? 0)
      if (left > 1) {
        literalState = advance(literalTable, literalState, stream)
        matchState = advance(matchTable, matchState, stream)
        offsetState = advance(offsetTable, offsetState, stream)
      }
      if (used + literalLength > literals.length) throw new ZstdError('too few literals')
      this.append(literals.subarray(used, used + literalLength))
      used += literalLength
      this.#copy(this.#offset(offsetValue, literalLength), matchLength)
    }
    if (stream.left !== 0) throw new ZstdError('sequences are too long')
    return used
  }

  /** Decodes an offset. Values up to 3 refer to one of the last three offsets. */
  #offset(value: number, literalLength: number): number {
    const [first, second, third] = this.#offsets
    const index = value > 3 ? 4 : value + (literalLength === 0 ? 1 : 0)
    if (index === 1) return first
    const offset = index === 4 ? (value > 3 ? value - 3 : first - 1) : index === 2 ? second : third
    this.#offsets = index === 2 ? [second, first, third] : [offset, first, second]
    return offset
  }

  #copy(offset: number, length: number): void {
    const bytes = this.#bytes
    const end = this.#room(length)
    if (offset < 1 || offset > this.#length) throw new ZstdError('a match before the beginning')
    if (offset === 1) bytes.fill(bytes[this.#length - 1] ?? 0, this.#length, end)
    else if (offset >= length) bytes.copyWithin(this.#length, this.#length - offset, end - offset)
    else for (let at = this.#length; at < end; at++) bytes[at] = bytes[at - offset] as number
    this.#length = end
  }
}

function advance(table: FseTable, state: number, stream: BackwardBits): number {
  return (table.bases[state] ?? 0) + stream.read(table.bits[state] ?? 0)
}

function readFourStreams(
  table: HuffmanTable,
  frame: Uint8Array,
  start: number,
  end: number,
  literals: Uint8Array,
): void {
  const quarter = Math.ceil(literals.length / 4)
  let from = start + 6
  if (from > end || quarter * 3 > literals.length) throw new ZstdError('literals are cut off')
  for (let i = 0; i < 4; i++) {
    const to = i === 3 ? end : from + little(frame, start + i * 2, 2)
    if (to > end) throw new ZstdError('literals are cut off')
    const target = literals.subarray(i * quarter, i === 3 ? literals.length : (i + 1) * quarter)
    readHuffman(table, frame, from, to, target)
    from = to
  }
}

/** Reads up to 6 bytes as a little-endian number. */
function little(bytes: Uint8Array, start: number, count: number): number {
  if (start + count > bytes.length) throw new ZstdError('the frame is cut off')
  let value = 0
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[start + i] ?? 0)
  return value
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

function bases(bits: readonly number[], first: number): number[] {
  let next = first
  return bits.map((count) => {
    const base = next
    next += 2 ** count
    return base
  })
}
