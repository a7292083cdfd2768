// Reads the MessagePack of snapshots into plain values, in one pass. Owns the supported subset and the reader's limits: length, depth and
// cost (cost.ts). A limit on bytes alone does not limit this thread's time, since an empty map is one byte. The bytes are untrusted.
import { isAscii, isUtf8 } from 'node:buffer'
import { arrayOf } from '../values/arrays.js'
import { MalformedValueError } from '../values/frames.js'
import type { Value } from '../values/value.js'
import { COST, intCost, MAX_DEPTH, MAX_INT_LENGTH, MAX_SHAPE_KEYS, MAX_SHAPES, setCost } from './cost.js'
import { type Memo, newShape, newTable, type PlainObject, plainObjects, type Shape } from './shapes.js'

/** The bytes are not MessagePack, or not the subset that snapshots use. */
export class MsgpackError extends Error {
  override readonly name = 'MsgpackError'
}

/** `check` only finds out whether bytes can be read, in a fraction of the time: containers and text in its result are empty. */
export type Mode = 'read' | 'check'

/**
 * Reads a whole document. The value does not refer to the bytes.
 *
 * @param maxCost highest cost of reading it, in units of cost.ts
 * @throws MsgpackError, for the same documents in both modes
 */
export function decode(bytes: Uint8Array, maxCost: number, mode: Mode = 'read'): Value {
  const reader = new Reader(bytes, maxCost, mode)
  const value = reader.value()
  reader.end()
  return value
}

/** The range of a Date, in both directions from 1970. */
export const MAX_TIME_MS = 8.64e15

/** Placeholders that mode `check` returns. */
const NO_BYTES = new Uint8Array(0)
const NO_OBJECT: PlainObject = Object.freeze({})
const NO_DATE = new Date(0)
const NO_SET: Set<Value> = new Set()

/** Most keys of a map of a known kind, including those that a reader ignores. */
const MAX_FIELDS = 64
/** Levels of maps and arrays that a head has around Python's values. */
const LEVELS = 4

/** @throws MsgpackError, in every method */
export class Reader {
  readonly #bytes: Buffer
  readonly #view: DataView
  #at = 0
  #costLeft: number
  readonly #shapes = newShape('', 0, 0)
  #shapesLeft = MAX_SHAPES
  #builds: boolean
  readonly #PlainObject: (new () => PlainObject) | undefined

  constructor({ buffer, byteOffset, length }: Uint8Array, maxCost: number, mode: Mode) {
    this.#bytes = Buffer.from(buffer, byteOffset, length)
    this.#view = new DataView(buffer, byteOffset, length)
    this.#costLeft = maxCost
    this.#builds = mode === 'read'
    if (this.#builds) this.#PlainObject = plainObjects()
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new MsgpackError('there are bytes after the value')
  }

  /** Any value. */
  value(): Value {
    return this.#value(LEVELS)
  }

  /**
   * Reads a map of a known kind. `read` reads the value of a key, or returns false to ignore it. No object is built: for a few keys,
   * that takes longer than everything else.
   */
  fields(memo: Memo, read: (key: string) => boolean): void {
    const code = this.#byte()
    const count = code >= 0x80 && code <= 0x8f ? code & 0x0f : this.#count(code, 0xde, 'a map')
    this.#enter(2 * count, 0)
    if (count > MAX_FIELDS) throw new MsgpackError('too many fields')
    this.#spend(COST.map + count * (COST.member + COST.key))
    let last = memo
    for (let i = 0; i < count; i++) {
      const next = this.#repeated(last) ?? this.#nextField(memo, last)
      if (!read(next.key)) this.value()
      last = next
    }
  }

  /** Reads a key that differs from the last map's key at this place. It must not repeat an earlier key of this map. */
  #nextField(memo: Memo, last: Shape): Shape {
    const start = this.#at
    const key = this.#key()
    for (let shape: Shape | undefined = memo; shape !== undefined; shape = shape.next) {
      if (shape.key === key && shape !== memo) throw new MsgpackError('a duplicate key')
      if (shape === last) break
    }
    last.next = newShape(key, start, this.#at)
    return last.next
  }

  list<T>(read: () => T): T[] {
    const code = this.#byte()
    const count = code >= 0x90 && code <= 0x9f ? code & 0x0f : this.#count(code, 0xdc, 'an array')
    this.#enter(count, 0)
    this.#spend(COST.array + count * COST.member)
    const members = new Array<T>(count)
    for (let i = 0; i < count; i++) members[i] = read()
    return members
  }

  text(): string {
    this.#spend(COST.text)
    return this.#string(this.#textLength(), this.#builds)
  }

  /** Reads the length of a container whose code is `code16` or the next one. */
  #count(code: number, code16: number, what: string): number {
    if (code !== code16 && code !== code16 + 1) throw new MsgpackError(`something that is not ${what}`)
    return this.#length(code - code16 + 1)
  }

  #value(depth: number): Value {
    const code = this.#bytes[this.#at++]
    if (code === undefined) throw new MsgpackError('the bytes end early')
    if (code <= 0x7f) return code
    if (code >= 0xe0) return code - 0x100
    if (code <= 0x8f) return this.#map(code & 0x0f, depth)
    if (code <= 0x9f) return this.#array(code & 0x0f, depth)
    if (code <= 0xbf) return this.#text(code & 0x1f)
    switch (code) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#bin(this.#length(code - 0xc4))
      case 0xca:
        return this.#view.getFloat32(this.#take(4))
      case 0xcb:
        return this.#view.getFloat64(this.#take(8))
      case 0xcc:
        return this.#view.getUint8(this.#take(1))
      case 0xcd:
        return this.#view.getUint16(this.#take(2))
      case 0xce:
        return this.#view.getUint32(this.#take(4))
      case 0xcf:
        return this.#long(this.#view.getBigUint64(this.#take(8)))
      case 0xd0:
        return this.#view.getInt8(this.#take(1))
      case 0xd1:
        return this.#view.getInt16(this.#take(2))
      case 0xd2:
        return this.#view.getInt32(this.#take(4))
      case 0xd3:
        return this.#long(this.#view.getBigInt64(this.#take(8)))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(code - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(code - 0xdb), depth)
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(code - 0xdd), depth)
      default:
        throw new MsgpackError(`the code 0x${code.toString(16)} does not belong here`)
    }
  }

  #long(value: bigint): number | bigint {
    this.#spend(COST.long)
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  #text(length: number): string {
    this.#spend(COST.text)
    return this.#string(length, this.#builds)
  }

  /** Reads UTF-8 text. */
  #string(length: number, builds: boolean): string {
    const start = this.#take(length)
    const end = this.#at
    const isAscii = this.#isAscii(start, end)
    if (!isAscii) {
      this.#spend(COST.unicode + (length >> 2))
      if (!isUtf8(this.#bytes.subarray(start, end))) throw new MsgpackError('text that is not UTF-8')
    }
    return builds ? this.#bytes.toString(isAscii ? 'latin1' : 'utf8', start, end) : ''
  }

  #isAscii(start: number, end: number): boolean {
    // For short text, a loop is faster than a call into C++.
    if (end - start >= 32) return isAscii(this.#bytes.subarray(start, end))
    for (let at = start; at < end; at++) if ((this.#bytes[at] as number) >= 0x80) return false
    return true
  }

  #bin(length: number): Uint8Array {
    this.#spend(COST.bin)
    const start = this.#take(length)
    return this.#builds ? new Uint8Array(this.#bytes.subarray(start, this.#at)) : NO_BYTES
  }

  #array(count: number, depth: number): Value[] {
    this.#enter(count, depth)
    this.#spend(COST.array + count * COST.member)
    const members = this.#builds ? new Array<Value>(count) : undefined
    for (let i = 0; i < count; i++) {
      const member = this.#value(depth + 1)
      if (members) members[i] = member
    }
    return members ?? []
  }

  #map(count: number, depth: number): Value {
    this.#enter(2 * count, depth)
    if (count > 0 && (this.#bytes[this.#at] as number) <= 0x7f) return this.#special(count, depth)
    this.#spend(COST.map + count * (COST.member + COST.key))
    let shape = count <= MAX_SHAPE_KEYS ? this.#shapes : undefined
    let object = this.#builds ? (shape ? this.#plainObject() : newTable()) : undefined
    let isTable = shape === undefined
    // Keys in the tree of shapes have already been compared with the keys before them.
    const keys = shape ? undefined : new Set<string>()
    const few: string[] = []
    let isNew = false
    let hasDigits = false
    for (let i = 0; i < count; i++) {
      const start = this.#at
      let next = shape && this.#repeated(shape)
      const key = next?.key ?? this.#key()
      next ??= shape?.children?.get(key)
      if (next === undefined) {
        this.#spend(isNew ? COST.newKey : COST.newMap + COST.newKey)
        isNew = true
        if (key === '__proto__' || keys?.has(key) || few.includes(key))
          throw new MsgpackError('a key that is not allowed, or a duplicate key')
        if (/^[0-9]/.test(key)) {
          if (!hasDigits) this.#spend(COST.digits)
          hasDigits = true
        } else if (shape) next = this.#remember(shape, key, start)
      }
      if (keys) keys.add(key)
      else few.push(key)
      if (shape && next) shape.next = next
      shape = next
      if (object && shape === undefined && !isTable) {
        object = Object.assign(newTable(), object)
        isTable = true
      }
      const value = this.#value(depth + 1)
      if (object) object[key] = value
    }
    return object ?? NO_OBJECT
  }

  #plainObject(): PlainObject {
    return this.#PlainObject ? new this.#PlainObject() : {}
  }

  /** The key that followed last time, if the bytes here are the same. */
  #repeated({ next }: Shape): Shape | undefined {
    if (next === undefined) return undefined
    const { start, end } = next
    const by = this.#at - start
    if (end + by > this.#bytes.length) return undefined
    for (let at = start; at < end; at++) if (this.#bytes[at] !== this.#bytes[at + by]) return undefined
    this.#at = end + by
    return next
  }

  #remember(shape: Shape, key: string, start: number): Shape | undefined {
    if (this.#shapesLeft === 0) return undefined
    this.#shapesLeft -= 1
    const next = newShape(key, start, this.#at)
    shape.children ??= new Map()
    shape.children.set(key, next)
    return next
  }

  #key(): string {
    return this.#string(this.#textLength(), true)
  }

  #textLength(): number {
    const code = this.#byte()
    if (code >= 0xa0 && code <= 0xbf) return code & 0x1f
    if (code >= 0xd9 && code <= 0xdb) return this.#length(code - 0xd9)
    throw new MsgpackError('something that is not text')
  }

  /** Reads {0: kind, 1: payload}, in this order. A payload is never a map, so nothing nests here without counting a level. */
  #special(count: number, depth: number): Value {
    this.#spend(COST.special)
    if (count !== 2 || this.#byte() !== 0) throw new MsgpackError('a key that is not text')
    const kind = this.#key()
    if (this.#byte() !== 1) throw new MsgpackError('a kind without a payload')
    switch (kind) {
      case 'int':
        return this.#digits()
      case 'text':
        return this.#surrogates()
      case 'datetime':
        return this.#date(depth)
      case 'set':
        return this.#set(depth)
      case 'array':
        return this.#numbers(depth)
      default:
        throw new MsgpackError('a value of an unknown kind')
    }
  }

  #digits(): bigint {
    this.#spend(COST.text)
    const length = this.#textLength()
    // BigInt() of much longer text takes seconds.
    if (length > MAX_INT_LENGTH) throw new MsgpackError('an integer that is too long')
    this.#spend(intCost(length))
    const digits = this.#string(length, true)
    if (!/^-?[0-9]+$/.test(digits)) throw new MsgpackError('an integer that is not decimal')
    return this.#builds ? BigInt(digits) : 0n
  }

  /** Reads UTF-16-LE, for text with lone surrogates, which UTF-8 cannot encode. */
  #surrogates(): string {
    const code = this.#byte()
    const length = code >= 0xc4 && code <= 0xc6 ? this.#length(code - 0xc4) : 1
    if (length % 2 !== 0) throw new MsgpackError('text that is not UTF-16')
    const start = this.#take(length)
    return this.#builds ? this.#bytes.toString('utf16le', start, this.#at) : ''
  }

  #date(depth: number): Value {
    const code = this.#bytes[this.#at] ?? 0xc1
    const isNumber = code <= 0x7f || code >= 0xe0 || (code >= 0xca && code <= 0xd3)
    const ms = isNumber ? this.#value(depth) : undefined
    if (typeof ms !== 'number' || !(Math.abs(ms) <= MAX_TIME_MS))
      throw new MsgpackError('a time that is out of range')
    return this.#builds ? new Date(ms) : NO_DATE
  }

  #set(depth: number): Set<Value> {
    const code = this.#byte()
    const count = code >= 0x90 && code <= 0x9f ? code & 0x0f : this.#count(code, 0xdc, 'an array')
    this.#enter(count, depth)
    this.#spend(COST.array + count * (COST.member + COST.hashed))
    const members: Value[] = []
    let numbers = 0
    let bigints = 0
    for (let i = 0; i < count; i++) {
      const member = this.#value(depth + 1)
      if (typeof member === 'number') numbers++
      else if (typeof member === 'bigint') bigints++
      if (this.#builds) members.push(member)
    }
    this.#spend(setCost(numbers, bigints))
    return this.#builds ? new Set(members) : NO_SET
  }

  /** Reads [element type, shape or nil, bytes or elements]. Builds the array in both modes, to check that its parts fit together. */
  #numbers(depth: number): Value {
    if (this.#byte() !== 0x93) throw new MsgpackError('an array that does not have three parts')
    this.#enter(3, depth)
    this.#spend(COST.array + 3 * COST.member + COST.text)
    const dtype = this.#string(this.#textLength(), true)
    const builds = this.#builds
    this.#builds = true
    const shape = this.#value(depth + 1)
    const block = this.#value(depth + 1)
    this.#builds = builds
    try {
      return arrayOf(dtype, shape, block) as Value
    } catch (cause) {
      if (!(cause instanceof MalformedValueError)) throw cause
      throw new MsgpackError(cause.message)
    }
  }

  /** Enters a container. Each member takes at least one byte, so a false length fails here instead of causing a huge allocation. */
  #enter(members: number, depth: number): void {
    if (depth === MAX_DEPTH) throw new MsgpackError('nested too deeply')
    if (members > this.#bytes.length - this.#at) throw new MsgpackError('an array or a map ends early')
  }

  #spend(cost: number): void {
    this.#costLeft -= cost
    if (this.#costLeft < 0) throw new MsgpackError('it holds more values than a snapshot describes')
  }

  /** Reads a length of 1, 2 or 4 bytes, for a `size` of 0, 1 or 2. */
  #length(size: number): number {
    const at = this.#take(2 ** size)
    if (size === 0) return this.#view.getUint8(at)
    return size === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new MsgpackError('the bytes end early')
    return byte
  }

  #take(count: number): number {
    const start = this.#at
    if (count > this.#bytes.length - start) throw new MsgpackError('the bytes end early')
    this.#at = start + count
    return start
  }
}
