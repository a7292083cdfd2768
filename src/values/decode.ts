// Reads values out of the marshal bytes an interpreter sent. The bytes are hostile (R3): every length is checked against
// what is left before anything is allocated, nesting is bounded, and what comes out is plain data by construction. A decoder can
// stop after any part of a value and go on later, so that no value holds the main thread up.
import {
  MAX_DIGITS,
  MAX_HASHED_ITEMS,
  MAX_ITEMS,
  MAX_KEY_BYTES,
  MAX_TEXT_BYTES,
  Weight,
  weightOfDigits,
} from '../../workers/weight.js'
import { decodeDigits } from './integers.js'
import { decodeText, endOfPiece, PIECE_BYTES } from './text.js'
import {
  HASHED_MEMBER,
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_MEMBERS,
  NO_VALUE,
  TypeCode,
  type Value,
} from './value.js'

/** A decoded tree: values, and `NO_VALUE` where a message allows it. */
export type Decoded = Value | typeof NO_VALUE | readonly Decoded[]

/** The bytes are no message of the kernel's: the interpreter's memory is damaged or somebody plays with it. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError'
}

/** A decoded document. */
export interface Document {
  readonly tree: Decoded
  /**
   * False when the bytes held something well formed that JavaScript has no counterpart for: a dict key that is no str or
   * is `__proto__`, which was left out, or an int or str that is too large.
   */
  readonly exact: boolean
}

/** Room for the outcome around a value. */
const OUTCOME_CONTAINERS = 100
const OUTCOME_MEMBERS = 10_000

/** Work between two looks at the clock; a small value is one unit. */
const LOOK_EVERY = 256
/** What is copied at once; a piece of it or of text is so many units. */
const COPY_BYTES = 1_048_576
const PIECE_UNITS = 128
/** Bytes that are most of a large document are not copied out of it. */
const LARGE_BYTES = 65_536
/**
 * Active time that filling sets may take: V8's hashes of numbers are known, so a guest can make members that are compared with
 * each other one by one. Others take a hundredth of it.
 */
const HASHING_MS = 500
const HASHING_MS_PER_MEMBER = 0.01

/**
 * Decodes one whole marshal document, in one step: for documents that are known to be small.
 *
 * @throws MalformedValueError when the bytes are not marshal version 2, end early or go on after the value
 */
export function decode(bytes: Uint8Array): Document {
  const decoder = new Decoder(bytes)
  decoder.advance(Number.POSITIVE_INFINITY)
  decoder.end()
  return { tree: decoder.tree, exact: decoder.exact }
}

const Kind = { array: 0, tuple: 1, set: 2, dict: 3 } as const
type Kind = (typeof Kind)[keyof typeof Kind]

/** A container that is being filled. */
class Frame {
  constructor(
    readonly kind: Kind,
    readonly items: Decoded[],
    readonly object: Record<string, Value>,
    readonly set: Set<Decoded> | undefined,
    /** Members that are still to come; of a dict how many have come. */
    public count: number,
    readonly sinceMs: number,
  ) {}
  /** Of a dict: the key whose value comes next; undefined before a key. */
  key: Decoded | undefined
}

const NO_ITEMS: Decoded[] = []
const NO_OBJECT: Record<string, Value> = {}

/** Nothing has been completed yet: a container was opened, or a large part is taken piece by piece. */
const UNFINISHED: unique symbol = Symbol('unfinished')

/** A large text or byte array on its way. */
interface Piecewise {
  end: number
  text: string
  copy: Uint8Array | undefined
  copied: number
}

export class Decoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number
  #containers = 0
  #members = 0
  #weight = 0
  #startedAt = 0
  readonly #frames: Frame[] = []
  #large: Piecewise | undefined
  #units = LOOK_EVERY
  #tree: Decoded = null
  /** While it worked, without the times between. */
  #activeMs = 0
  #resumedMs = 0
  #hashingMs = 0
  #hashed = 0
  /** See `Document`; of the values since `begin`. */
  exact = true
  /** An int or str was larger than JavaScript takes. */
  isTooLarge = false
  /** Keys of the dict that was completed last. */
  lastKeys = 0

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
    this.begin()
  }

  /** The value that was decoded last. */
  get tree(): Decoded {
    return this.#tree
  }

  /** Where it ends. */
  get at(): number {
    return this.#at
  }

  /** Estimate of the bytes that it holds, as workers/weight.ts has it. */
  get weightBytes(): number {
    return Math.max(this.#weight, this.#at - this.#startedAt)
  }

  /** Members of all containers in it; one of a set or dict counts as `HASHED_MEMBER`. */
  get memberCount(): number {
    return MAX_MEMBERS + OUTCOME_MEMBERS - this.#members
  }

  /** Goes on with the next value in the same bytes, whose parts are counted anew. */
  begin(): void {
    this.#containers = MAX_CONTAINERS + OUTCOME_CONTAINERS
    this.#members = MAX_MEMBERS + OUTCOME_MEMBERS
    this.#weight = 0
    this.#startedAt = this.#at
    this.exact = true
    this.isTooLarge = false
  }

  /** @throws MalformedValueError when there is more than the value */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new MalformedValueError(`bytes after the value at ${this.#at}`)
  }

  /**
   * Works until the value is complete, or the clock (performance.now) is past `untilMs`.
   *
   * @returns whether it is complete
   * @throws MalformedValueError
   */
  advance(untilMs: number): boolean {
    this.#resumedMs = untilMs === Number.POSITIVE_INFINITY ? 0 : performance.now()
    for (;;) {
      if (this.#units <= 0) {
        this.#units = LOOK_EVERY
        const nowMs = performance.now()
        this.#checkHashing(nowMs)
        if (nowMs >= untilMs) {
          this.#activeMs += nowMs - this.#resumedMs
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
        if (frame.kind <= Kind.tuple) {
          value = this.#addToArray(frame, value)
        } else value = frame.kind === Kind.set ? this.#addToSet(frame, value) : this.#addToDict(frame, value)
      }
    }
  }

  /** Gives the array if that completes it, as the following two do. Takes the atoms that follow as well. */
  #addToArray(frame: Frame, first: Decoded): Decoded | typeof UNFINISHED {
    const { items } = frame
    items.push(first)
    while (--frame.count > 0) {
      if (--this.#units <= 0) return UNFINISHED
      const value = this.#read()
      if (value === UNFINISHED) return UNFINISHED
      items.push(value)
    }
    this.#frames.pop()
    return frame.kind === Kind.tuple ? dateOr(items) : items
  }

  #addToSet(frame: Frame, value: Decoded): Decoded | typeof UNFINISHED {
    const set = frame.set as Set<Decoded>
    // Members that V8 gives one hash are compared one by one: look at the clock the sooner, the more there are.
    this.#units -= set.size >> 6
    this.#hashed += 1
    if (typeof value === 'string' && !isShortText(value)) this.#leaveOut()
    else set.add(value)
    if (--frame.count > 0) return UNFINISHED
    this.#frames.pop()
    this.#hashingMs += this.#activeNowMs() - frame.sinceMs
    return set as Set<Value>
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

  /** The dict, if it ends here. */
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

  /** The next atom; containers that have members are opened. */
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
        return this.#array(Kind.array)
      case TypeCode.dict: {
        this.#count(1, 0)
        this.#weight += Weight.dict
        const frame = this.#open(Kind.dict, 0)
        return this.#closed(frame)
      }
      case TypeCode.set:
      case TypeCode.frozenset:
        return this.#set()
      default:
        throw new MalformedValueError(`unknown type code ${code} at ${this.#at - 1}`)
    }
  }

  /** A tuple is an array, or a tagged value of a kind that marshal lacks: (Ellipsis, kind, payload). */
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
    const isSet = kind === Kind.set
    const frame = new Frame(
      kind,
      kind === Kind.array || kind === Kind.tuple ? [] : NO_ITEMS,
      kind === Kind.dict ? {} : NO_OBJECT,
      isSet ? new Set() : undefined,
      count,
      isSet ? this.#activeNowMs() : 0,
    )
    this.#frames.push(frame)
    return frame
  }

  #checkDepth(): void {
    // Our kernel refuses such values itself; a stack overflow of whoever walks the value is not to be had by lying about it.
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

  /** A count of things of at least a byte each; more than the bytes left is refused before anything is made. */
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

  /** Sign in the count, then the digits. */
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

  #blob(length: number): Decoded | typeof UNFINISHED {
    const start = this.#at
    this.#weight += Weight.bytes + length
    // What is left of the document besides is little.
    if (length >= LARGE_BYTES && 2 * length >= this.#bytes.length) {
      this.#at += length
      return new Uint8Array(this.#bytes.buffer as ArrayBuffer, this.#bytes.byteOffset + start, length)
    }
    if (length > COPY_BYTES) return this.#startPieces(length, new Uint8Array(length))
    this.#at += length
    this.#units -= (length >> 13) + 2
    return this.#bytes.slice(start, this.#at)
  }

  #startPieces(length: number, copy: Uint8Array | undefined): string | typeof UNFINISHED {
    if (copy === undefined && length > MAX_TEXT_BYTES) {
      this.#leaveOut()
      this.#at += length
      return ''
    }
    this.#large = { end: this.#at + length, text: '', copy, copied: 0 }
    return UNFINISHED
  }

  #piece(large: Piecewise): string | Uint8Array | typeof UNFINISHED {
    const start = this.#at
    this.#units -= PIECE_UNITS
    if (large.copy !== undefined) {
      this.#at = Math.min(large.end, start + COPY_BYTES)
      large.copy.set(this.#bytes.subarray(start, this.#at), large.copied)
      large.copied += this.#at - start
    } else {
      this.#at = endOfPiece(this.#bytes, start, large.end)
      // Not joined: V8 does that when somebody looks inside.
      large.text += decodeText(this.#bytes, start, this.#at)
    }
    if (this.#at < large.end) return UNFINISHED
    this.#large = undefined
    return large.copy ?? large.text
  }

  /** Something that JavaScript has no counterpart for. */
  #leaveOut(): void {
    this.exact = false
    this.isTooLarge = true
  }

  #activeNowMs(): number {
    return this.#activeMs + (this.#resumedMs === 0 ? 0 : performance.now() - this.#resumedMs)
  }

  #checkHashing(nowMs: number): void {
    if (this.#resumedMs === 0) return
    const frame = this.#frames[this.#frames.length - 1]
    if (frame?.kind !== Kind.set) return
    const filling = this.#activeMs + (nowMs - this.#resumedMs) - frame.sinceMs
    if (this.#hashingMs + filling > HASHING_MS + HASHING_MS_PER_MEMBER * this.#hashed)
      throw new MalformedValueError('a set whose members have one hash')
  }
}

function dateOr(items: Decoded[]): Decoded {
  if (items.length !== 3 || items[0] !== NO_VALUE || items[1] !== 'datetime') return items
  if (typeof items[2] !== 'number') throw new MalformedValueError('a datetime without a number')
  return new Date(items[2])
}

/** Short enough to be hashed whole; a character is three bytes at most for each unit of UTF-16. */
function isShortText(text: string): boolean {
  return (
    text.length <= MAX_KEY_BYTES / 3 ||
    (text.length <= MAX_KEY_BYTES && Buffer.byteLength(text) <= MAX_KEY_BYTES)
  )
}
