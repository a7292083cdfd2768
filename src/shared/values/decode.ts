// Decodes the marshal bytes of an interpreter into a tree of values. Owns the walk over the bytes and its limits. The bytes are
// untrusted (R3): every length is checked against the bytes left before anything is allocated, nesting is limited, and the result is
// plain data by construction. A decoder can stop after any part of a value and continue later, so no value blocks the main thread.

import { ARRAY_TAG_LENGTH, decodeArray, isAligned } from './arrays.js'
import {
  type Decoded,
  type Frame,
  isShortText,
  Kind,
  MalformedValueError,
  newFrame,
  tagged,
  UNFINISHED,
} from './frames.js'
import { HashingBudget } from './hashing.js'
import { decodeDigits } from './integers.js'
import { COPY_BYTES, LargePart } from './large-part.js'
import { decodeText, endOfPiece, PIECE_BYTES } from './text.js'
import {
  HASHED_MEMBER,
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_MEMBERS,
  NO_VALUE,
  OUTCOME_CONTAINERS,
  OUTCOME_MEMBERS,
  TypeCode,
  type Value,
} from './value.js'
import { MAX_DIGITS, MAX_HASHED_ITEMS, MAX_ITEMS, MAX_TEXT_BYTES, Weight, weightOfDigits } from './weight.js'

export { type Decoded, MalformedValueError }

/** Units of work between two reads of the clock. A small value is one unit; a piece of a large part is `PIECE_UNITS`. */
const CLOCK_CHECK_UNITS = 256
const PIECE_UNITS = 128
/** A byte array of at least this size that makes up at least half of a document becomes a view of it, without a copy. */
const LARGE_BYTES = 65_536

const NO_FRAME = { kind: Kind.array, items: [] as Decoded[] }

export class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number
  #containers = 0
  #members = 0
  #weight = 0
  #startedAt = 0
  readonly #frames: Frame[] = []
  #large: LargePart | undefined
  #units = CLOCK_CHECK_UNITS
  #tree: Decoded = null
  readonly #hashing = new HashingBudget()
  /** See `Document` in document.ts. Covers the values since `begin`. */
  exact = true
  /** An int or str was too large for JavaScript. */
  isTooLarge = false
  /** Members of a set were left out, because their hashes in V8 collide and adding them would have taken too long. */
  hasCollisions = false
  /** Number of keys in the dict completed last. */
  lastKeys = 0

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
    this.begin()
  }

  /** The value decoded last. */
  get tree(): Decoded {
    return this.#tree
  }

  /** The position after that value. */
  get at(): number {
    return this.#at
  }

  /** Estimated memory of that value, in bytes (src/shared/values/weight.ts). */
  get weightBytes(): number {
    return Math.max(this.#weight, this.#at - this.#startedAt)
  }

  /** Members of all containers in that value; one of a set or dict counts as `HASHED_MEMBER`. */
  get memberCount(): number {
    return MAX_MEMBERS + OUTCOME_MEMBERS - this.#members
  }

  /** Starts the next value in the same bytes, and resets all counts. */
  begin(): void {
    this.#containers = MAX_CONTAINERS + OUTCOME_CONTAINERS
    this.#members = MAX_MEMBERS + OUTCOME_MEMBERS
    this.#weight = 0
    this.#startedAt = this.#at
    this.exact = true
    this.isTooLarge = false
    this.hasCollisions = false
  }

  /** @throws MalformedValueError when bytes follow the value */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedValueError(`bytes after the value at ${this.#at}`)
  }

  /**
   * Decodes until the value is complete or the clock (performance.now) is past `untilMs`.
   *
   * @returns whether it is complete
   * @throws MalformedValueError
   */
  advance(untilMs: number): boolean {
    if (untilMs !== Number.POSITIVE_INFINITY) this.#hashing.resume(performance.now())
    for (;;) {
      if (this.#units <= 0) {
        this.#units = CLOCK_CHECK_UNITS
        const nowMs = performance.now()
        const top = this.#frames[this.#frames.length - 1]
        if (top?.kind === Kind.set || top?.kind === Kind.map) this.#hashing.check(top.sinceMs, nowMs)
        if (nowMs >= untilMs) {
          this.#hashing.pause(nowMs)
          return false
        }
      }
      this.#units -= 1
      let value = this.#large === undefined ? this.#read() : this.#piece(this.#large)
      while (value !== UNFINISHED) {
        const frame = this.#frames[this.#frames.length - 1]
        if (frame === undefined) {
          this.#tree = value
          return true
        }
        if (frame.kind <= Kind.tuple) value = this.#addToArray(frame, value)
        else if (frame.kind === Kind.dict) value = this.#addToDict(frame, value)
        else value = frame.kind === Kind.set ? this.#addToSet(frame, value) : this.#addToMap(frame, value)
      }
    }
  }

  /** Returns the array if this completes it, like the other `#addTo` methods. Also reads the scalars that follow. */
  #addToArray(frame: Frame, first: Decoded): Decoded | typeof UNFINISHED {
    const { items } = frame
    items.push(first)
    while (--frame.count > 0) {
      if (this.#bytes[this.#at] === TypeCode.int32) this.#addInt32s(frame)
      if (--this.#units <= 0) return UNFINISHED
      const value = this.#read()
      if (value === UNFINISHED) return UNFINISHED
      items.push(value)
    }
    this.#frames.pop()
    return frame.kind === Kind.tuple && items[0] === NO_VALUE ? untagged(items) : items
  }

  /** Adds the int32s that come next, as many as the units allow, but leaves at least one member. Faster than `#read` for each. */
  #addInt32s(frame: Frame): void {
    const bytes = this.#bytes
    const view = this.#view
    const { items } = frame
    const most = Math.min(frame.count - 1, this.#units - 1, Math.floor((bytes.length - this.#at) / 5))
    let at = this.#at
    let added = 0
    for (; added < most && bytes[at] === TypeCode.int32; added++) {
      items.push(view.getInt32(at + 1, true))
      at += 5
    }
    this.#at = at
    this.#units -= added
    frame.count -= added
  }

  #addToSet(frame: Frame, value: Decoded): Decoded | typeof UNFINISHED {
    const set = frame.set as Set<Decoded>
    // Members with equal hashes are compared one by one, so the larger the set, the sooner the clock is read again.
    this.#units -= set.size >> 6
    this.#hashing.countMember()
    if (this.#hashing.isSpent) {
      this.exact = false
      this.hasCollisions = true
    } else if (typeof value === 'string' && !isShortText(value)) this.#leaveOut()
    else set.add(value)
    if (--frame.count > 0) return UNFINISHED
    this.#frames.pop()
    this.#hashing.complete(frame.sinceMs)
    return set as Set<Value>
  }

  /** Keys and values alternate. */
  #addToMap(frame: Frame, value: Decoded): Decoded | typeof UNFINISHED {
    const map = frame.map as Map<Decoded, Decoded>
    const { key } = frame
    if (key === undefined) frame.key = value
    else {
      this.#units -= map.size >> 6
      this.#hashing.countMember()
      if (this.#hashing.isSpent) {
        this.exact = false
        this.hasCollisions = true
      } else if (typeof key === 'string' && !isShortText(key)) this.#leaveOut()
      else map.set(key, value)
      frame.key = undefined
    }
    if (--frame.count > 0) return UNFINISHED
    this.#frames.pop()
    this.#hashing.complete(frame.sinceMs)
    return map as Map<Value, Value>
  }

  #addToDict(frame: Frame, value: Decoded): Decoded | typeof UNFINISHED {
    const { key } = frame
    if (key === undefined) frame.key = value
    else {
      // Assigning the key `__proto__` would set the object's prototype.
      if (typeof key === 'string' && key !== '__proto__' && isShortText(key))
        frame.object[key] = value as Value
      else this.exact = false
      frame.key = undefined
      if (++frame.count > MAX_HASHED_ITEMS) throw new MalformedValueError('a dict of too many keys')
    }
    return this.#closed(frame)
  }

  /** Returns the dict if it ends here. */
  #closed(frame: Frame): Decoded | typeof UNFINISHED {
    if (frame.key !== undefined) return UNFINISHED
    if (this.#bytes[this.#at] === TypeCode.null) {
      this.#at++
      this.#frames.pop()
      this.lastKeys = frame.count
      return frame.object
    }
    this.#count(0, HASHED_MEMBER)
    this.#weight += Weight.key
    return UNFINISHED
  }

  /** Reads the next scalar or empty container, or opens a container. */
  #read(): Decoded | typeof UNFINISHED {
    const code = this.#byte()
    switch (code) {
      case TypeCode.none:
        return null
      case TypeCode.true:
        return true
      case TypeCode.false:
        return false
      case TypeCode.ellipsis:
        return NO_VALUE
      case TypeCode.int32:
        return this.#int32()
      case TypeCode.long:
        return this.#long()
      case TypeCode.float:
        return this.#float()
      case TypeCode.bytes:
        return this.#blob(this.#length())
      case TypeCode.unicode:
      case TypeCode.interned:
        return this.#text(this.#length())
      case TypeCode.tuple:
        return this.#array(Kind.tuple)
      case TypeCode.list:
        return this.#list()
      case TypeCode.dict:
        this.#count(1, 0)
        this.#weight += Weight.dict
        return this.#closed(this.#open(Kind.dict, 0))
      case TypeCode.set:
      case TypeCode.frozenset:
        return this.#set()
      default:
        throw new MalformedValueError(`unknown type code ${code} at ${this.#at - 1}`)
    }
  }

  /** In a tagged tuple, a list may be the pairs of a map, or the members of a set that marshal cannot write as a set. */
  #list(): Decoded | typeof UNFINISHED {
    const { kind, items } = this.#frames[this.#frames.length - 1] ?? NO_FRAME
    if (kind !== Kind.tuple || items[0] !== NO_VALUE || items.length !== 2) return this.#array(Kind.array)
    if (items[1] === 'map') return this.#hashed(Kind.map, 2)
    return items[1] === 'set' ? this.#hashed(Kind.set, 1) : this.#array(Kind.array)
  }

  #hashed(kind: typeof Kind.map | typeof Kind.set, width: number): Decoded | typeof UNFINISHED {
    const parts = this.#length()
    const count = parts / width
    if (count > MAX_HASHED_ITEMS || !Number.isInteger(count))
      throw new MalformedValueError(`a map or set of ${parts} parts`)
    this.#count(1, HASHED_MEMBER * count)
    // The weight that weight.ts gives a list.
    this.#weight += Weight.array + Weight.member * parts
    if (parts === 0) {
      this.#checkDepth()
      return kind === Kind.map ? new Map() : new Set()
    }
    this.#open(kind, parts)
    return UNFINISHED
  }

  /** A tuple is an array, or a tagged value of a type that marshal lacks: (Ellipsis, kind, payload). */
  #array(kind: typeof Kind.array | typeof Kind.tuple): Decoded | typeof UNFINISHED {
    const count = this.#length()
    if (count > MAX_ITEMS) throw new MalformedValueError(`a list of ${count} members`)
    this.#count(1, count)
    this.#weight += Weight.array + Weight.member * count
    if (count === 0) {
      this.#checkDepth()
      return []
    }
    this.#open(kind, count)
    return UNFINISHED
  }

  #set(): Decoded | typeof UNFINISHED {
    const count = this.#length()
    if (count > MAX_HASHED_ITEMS) throw new MalformedValueError(`a set of ${count} members`)
    this.#count(1, HASHED_MEMBER * count)
    this.#weight += Weight.set + Weight.setMember * count
    if (count === 0) {
      this.#checkDepth()
      return new Set()
    }
    this.#open(Kind.set, count)
    return UNFINISHED
  }

  #open(kind: Kind, count: number): Frame {
    this.#checkDepth()
    const frame = newFrame(kind, count, kind === Kind.set || kind === Kind.map ? this.#hashing.activeMs() : 0)
    this.#frames.push(frame)
    return frame
  }

  #checkDepth(): void {
    // The kernel rejects such values, but a forged message must not overflow the stack of code that walks the value.
    if (this.#frames.length >= MAX_DEPTH + 8) throw new MalformedValueError(`nested deeper than ${MAX_DEPTH}`)
  }

  #count(containers: number, members: number): void {
    this.#containers -= containers
    this.#members -= members
    if (this.#containers < 0 || this.#members < 0) throw new MalformedValueError('a value of too many parts')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new MalformedValueError('the value ends early')
    return byte
  }

  /** Reads a count of items of at least one byte each. Throws, before anything is allocated, if fewer bytes are left. */
  #length(): number {
    const length = this.#int32()
    if (length < 0 || length > this.#bytes.length - this.#at)
      throw new MalformedValueError(`length ${length} at ${this.#at - 4} is past the end`)
    return length
  }

  #int32(): number {
    if (this.#at + 4 > this.#bytes.length) throw new MalformedValueError('the value ends early')
    const value = this.#view.getInt32(this.#at, true)
    this.#at += 4
    return value
  }

  #float(): number {
    if (this.#at + 8 > this.#bytes.length) throw new MalformedValueError('the value ends early')
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    this.#weight += Weight.number
    return value
  }

  /** The sign of the count is the sign of the integer; the digits follow. */
  #long(): number | bigint {
    const signed = this.#int32()
    const count = Math.abs(signed)
    const start = this.#at
    if (count * 2 > this.#bytes.length - start)
      throw new MalformedValueError(`${count} digits are past the end`)
    this.#at += 2 * count
    this.#weight += weightOfDigits(count)
    this.#units -= count >> 6
    if (count > MAX_DIGITS) {
      this.#leaveOut()
      return 0
    }
    const magnitude = decodeDigits(this.#view, start, count)
    if (magnitude === undefined) throw new MalformedValueError('a digit of more than 15 bits')
    return signed < 0 ? -magnitude : magnitude
  }

  #text(length: number): string | typeof UNFINISHED {
    const start = this.#at
    this.#weight += Weight.text + length
    if (length > PIECE_BYTES && endOfPiece(this.#bytes, start, start + length) < start + length)
      return this.#startPieces(length, undefined)
    this.#at += length
    this.#units -= length >> 10
    return decodeText(this.#bytes, start, this.#at)
  }

  #blob(length: number): string | Uint8Array | typeof UNFINISHED {
    const start = this.#at
    this.#weight += Weight.bytes + length
    // The view keeps the whole document alive, but little of that is wasted.
    if (length >= LARGE_BYTES && 2 * length >= this.#bytes.length && !this.#mustAlign(start)) {
      this.#at += length
      return new Uint8Array(this.#bytes.buffer as ArrayBuffer, this.#bytes.byteOffset + start, length)
    }
    if (length > COPY_BYTES) return this.#startPieces(length, new Uint8Array(length))
    this.#at += length
    this.#units -= (length >> 13) + 2
    return this.#bytes.slice(start, this.#at)
  }

  /** Whether the bytes at `start` belong to an array of numbers but are not aligned, so that they have to be copied. */
  #mustAlign(start: number): boolean {
    const { kind, items } = this.#frames[this.#frames.length - 1] ?? NO_FRAME
    return (
      kind === Kind.tuple && items[0] === NO_VALUE && items[1] === 'array' && !isAligned(this.#bytes, start)
    )
  }

  #startPieces(length: number, copy: Uint8Array | undefined): string | typeof UNFINISHED {
    if (copy === undefined && length > MAX_TEXT_BYTES) {
      this.#leaveOut()
      this.#at += length
      return ''
    }
    this.#large = new LargePart(this.#at + length, copy)
    return UNFINISHED
  }

  #piece(large: LargePart): string | Uint8Array | typeof UNFINISHED {
    this.#units -= PIECE_UNITS
    this.#at = large.readPiece(this.#bytes, this.#at)
    if (this.#at < large.end) return UNFINISHED
    this.#large = undefined
    return large.value
  }

  /** Records that a value was replaced because it is too large for JavaScript. */
  #leaveOut(): void {
    this.exact = false
    this.isTooLarge = true
  }
}

/** The value that a tagged tuple represents, or the tuple itself if it is not tagged. */
function untagged(items: Decoded[]): Decoded {
  return items.length === ARRAY_TAG_LENGTH && items[1] === 'array' ? decodeArray(items) : tagged(items)
}
