// Decodes the marshal bytes an interpreter sent into a tree of values. Owns containers: their nesting, their bounds and the time
// that filling them may take (R3). The result is plain data by construction. A decoder can stop after any part of a value and
// continue later, so that no value blocks the main thread. Reading single values is scalars.ts's.
import { MAX_HASHED_ITEMS, MAX_ITEMS, MAX_KEY_BYTES, Weight } from '../../workers/weight.js'
import { CLOCK_CHECK_UNITS, MalformedValueError, ScalarReader, UNFINISHED } from './scalars.js'
import {
  HASHED_MEMBER,
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_MEMBERS,
  NO_VALUE,
  TypeCode,
  type Value,
} from './value.js'

export { MalformedValueError }

/** A decoded tree: values, and `NO_VALUE` where a message allows it. */
export type Decoded = Value | typeof NO_VALUE | readonly Decoded[]

/** A decoded document. */
export interface Document {
  readonly tree: Decoded
  /**
   * False when a well-formed part has no JavaScript counterpart: a dict key that is not a str or is `__proto__`, whose entry was
   * left out, or an int or str that is too large, which was replaced by 0 or ''.
   */
  readonly exact: boolean
}

/** Added to the bounds of a value, for the message around it. */
const OUTCOME_CONTAINERS = 100
const OUTCOME_MEMBERS = 10_000

/**
 * Time that filling sets may take, without pauses. V8's hashes of numbers are predictable, so a guest can choose members that all
 * collide. Honest sets take about a hundredth of it.
 */
const HASHING_MS = 500
const HASHING_MS_PER_MEMBER = 0.01

/**
 * Decodes a whole marshal document in one step. Only for documents known to be small.
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
    /** Members still to come; in a dict, the members read so far. */
    public count: number,
    readonly sinceMs: number,
  ) {}
  /** In a dict, the key whose value comes next; undefined before a key. */
  key: Decoded | undefined
}

const NO_ITEMS: Decoded[] = []
const NO_OBJECT: Record<string, Value> = {}

export class Decoder extends ScalarReader {
  #containers = 0
  #members = 0
  #startedAt = 0
  readonly #frames: Frame[] = []
  #tree: Decoded = null
  /** Time spent decoding, without the pauses between calls of `advance`. */
  #activeMs = 0
  #resumedMs = 0
  #hashingMs = 0
  #hashed = 0
  /** Number of keys in the dict completed last. */
  lastKeys = 0

  constructor(bytes: Uint8Array, at = 0) {
    super(bytes, at)
    this.begin()
  }

  /** The value decoded last. */
  get tree(): Decoded {
    return this.#tree
  }

  /** The position after that value. */
  get at(): number {
    return this.position
  }

  /** Estimated memory of that value, in bytes (workers/weight.ts). */
  get weightBytes(): number {
    return Math.max(this.weight, this.position - this.#startedAt)
  }

  /** Members of all containers in that value; one of a set or dict counts as `HASHED_MEMBER`. */
  get memberCount(): number {
    return MAX_MEMBERS + OUTCOME_MEMBERS - this.#members
  }

  /** Starts the next value in the same bytes, and resets all counts. */
  begin(): void {
    this.#containers = MAX_CONTAINERS + OUTCOME_CONTAINERS
    this.#members = MAX_MEMBERS + OUTCOME_MEMBERS
    this.weight = 0
    this.#startedAt = this.position
    this.exact = true
    this.isTooLarge = false
  }

  /** @throws MalformedValueError when bytes follow the value */
  end(): void {
    if (this.position !== this.bytes.length)
      throw new MalformedValueError(`bytes after the value at ${this.position}`)
  }

  /**
   * Decodes until the value is complete or the clock (performance.now) is past `untilMs`.
   *
   * @returns whether it is complete
   * @throws MalformedValueError
   */
  advance(untilMs: number): boolean {
    this.#resumedMs = untilMs === Number.POSITIVE_INFINITY ? 0 : performance.now()
    for (;;) {
      if (this.units <= 0) {
        this.units = CLOCK_CHECK_UNITS
        const nowMs = performance.now()
        this.#checkHashing(nowMs)
        if (nowMs >= untilMs) {
          this.#activeMs += nowMs - this.#resumedMs
          return false
        }
      }
      this.units -= 1
      let value = this.large === undefined ? this.#read() : this.piece(this.large)
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

  /** Returns the array if this completes it, as the next two methods do. Also reads the scalars that follow. */
  #addToArray(frame: Frame, first: Decoded): Decoded | typeof UNFINISHED {
    const { items } = frame
    items.push(first)
    while (--frame.count > 0) {
      if (--this.units <= 0) return UNFINISHED
      const value = this.#read()
      if (value === UNFINISHED) return UNFINISHED
      items.push(value)
    }
    this.#frames.pop()
    return frame.kind === Kind.tuple ? dateOr(items) : items
  }

  #addToSet(frame: Frame, value: Decoded): Decoded | typeof UNFINISHED {
    const set = frame.set as Set<Decoded>
    // Members with equal hashes are compared one by one, so the larger the set, the sooner the next look at the clock.
    this.units -= set.size >> 6
    this.#hashed += 1
    if (typeof value === 'string' && !isShortText(value)) this.leaveOut()
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

  /** Returns the dict if it ends here. */
  #closed(frame: Frame): Decoded | typeof UNFINISHED {
    if (frame.key !== undefined) return UNFINISHED
    if (this.bytes[this.position] === TypeCode.null) {
      this.position++
      this.#frames.pop()
      this.lastKeys = frame.count
      return frame.object
    }
    this.#count(0, HASHED_MEMBER)
    this.weight += Weight.key
    return UNFINISHED
  }

  /** Reads the next scalar or empty container, or opens a container. */
  #read(): Decoded | typeof UNFINISHED {
    const code = this.byte()
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
        return this.int32()
      case TypeCode.long:
        return this.long()
      case TypeCode.float:
        return this.float()
      case TypeCode.bytes:
        return this.blob(this.length())
      case TypeCode.unicode:
      case TypeCode.interned:
        return this.text(this.length())
      case TypeCode.tuple:
        return this.#array(Kind.tuple)
      case TypeCode.list:
        return this.#array(Kind.array)
      case TypeCode.dict: {
        this.#count(1, 0)
        this.weight += Weight.dict
        const frame = this.#open(Kind.dict, 0)
        return this.#closed(frame)
      }
      case TypeCode.set:
      case TypeCode.frozenset:
        return this.#set()
      default:
        throw new MalformedValueError(`unknown type code ${code} at ${this.position - 1}`)
    }
  }

  /** A tuple is an array, or a tagged value of a type that marshal lacks: (Ellipsis, kind, payload). */
  #array(kind: typeof Kind.array | typeof Kind.tuple): Decoded | typeof UNFINISHED {
    const count = this.length()
    if (count > MAX_ITEMS) throw new MalformedValueError(`a list of ${count} members`)
    this.#count(1, count)
    this.weight += Weight.array + Weight.member * count
    if (count === 0) {
      this.#checkDepth()
      return []
    }
    this.#open(kind, count)
    return UNFINISHED
  }

  #set(): Decoded | typeof UNFINISHED {
    const count = this.length()
    if (count > MAX_HASHED_ITEMS) throw new MalformedValueError(`a set of ${count} members`)
    this.#count(1, HASHED_MEMBER * count)
    this.weight += Weight.set + Weight.setMember * count
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
    // The kernel refuses such values, but a forged message must not overflow the stack of code that walks the value.
    if (this.#frames.length >= MAX_DEPTH + 8) throw new MalformedValueError(`nested deeper than ${MAX_DEPTH}`)
  }

  #count(containers: number, members: number): void {
    this.#containers -= containers
    this.#members -= members
    if (this.#containers < 0 || this.#members < 0) throw new MalformedValueError('a value of too many parts')
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

/** Whether the text is within `MAX_KEY_BYTES`. A UTF-16 unit is at most three bytes of UTF-8. */
function isShortText(text: string): boolean {
  return (
    text.length <= MAX_KEY_BYTES / 3 ||
    (text.length <= MAX_KEY_BYTES && Buffer.byteLength(text) <= MAX_KEY_BYTES)
  )
}
