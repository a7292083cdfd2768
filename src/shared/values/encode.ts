// Encodes JavaScript values as marshal bytes for the kernel. Dates, sets and maps are written as stand-ins and listed as fixups, which the
// kernel applies. Owns the walk over a value, which can stop after any part of it and continue later: a callback's result may be a
// guest's own argument. writer.ts owns the bytes.

import { describeValue } from '../describe-value.js'
import { ConversionError } from '../errors.js'
import { isAnyArrayBuffer, isDate, isMap, isPlainObject, isSet, isUint8Array } from '../realms.js'
import { refusalOf } from './arrays.js'
import type { Job, Lane } from './slices.js'
import { elementType, isNdArray, MAX_DEPTH, type NdArray, TypeCode } from './value.js'
import { PIECE_LENGTH, Writer } from './writer.js'

type Step = string | number

/** A container that is being written. */
interface Frame {
  readonly kind: 'list' | 'set' | 'map' | 'dict'
  /** Members of a list or set, keys and values of a map in turn, undefined for a dict. */
  readonly items: readonly unknown[] | undefined
  readonly keys: readonly string[]
  readonly object: Readonly<Record<string, unknown>>
  /** Read at the start, because the caller may change the value between two slices. */
  readonly count: number
  /** Number of members begun so far. */
  at: number
  /** Path to this container. Created for the first fixup of a member, and shared by all. */
  path: Path | undefined
}

interface Path {
  readonly steps: readonly Step[]
  readonly sizeBytes: number
}

interface Fixup {
  readonly holder: readonly Step[]
  readonly step: Step | undefined
  readonly kind: FixupKind
  readonly payload: Payload
}

type FixupKind = 'datetime' | 'set' | 'map' | 'array'
/** A datetime's milliseconds since 1970, or an array's type of numbers with, if it is an NdArray, its shape and dtype. */
type Payload = number | null | ArrayType
type ArrayType = readonly [block: string, shape: readonly number[] | null, dtype: string | null]

const NO_KEYS: readonly string[] = []
const NO_OBJECT: Readonly<Record<string, unknown>> = {}

/** Units of work between two reads of the clock; a number is one unit. */
const CLOCK_CHECK_UNITS = 256
/** Units of work for a piece of text, and for a piece of joined bytes. A text with lone surrogates is encoded character by character. */
const PIECE_UNITS = 128
const SURROGATES_UNITS = 4096
/** Most units of work for a value that is encoded without slices. */
const SMALL_UNITS = 4096
/**
 * Limit for all fixups' paths together. Each fixup contains its whole path, so by nesting dates deeply below long keys, a guest could
 * make the paths a thousand times larger than the value.
 */
const MAX_PATHS_BYTES = 64 * 1024 * 1024
const STEP_BYTES = 5

/**
 * Encodes a value with its fixups: the bytes of the Python tuple `(value, fixups)`.
 *
 * @param name name of the value in error messages
 * @throws ConversionError (a TypeError) that names the place inside the value without a Python counterpart
 */
export function encodeValue(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  return encodeAll(new Encoder(value, name, 'with-fixups'))
}

/** Encodes a reference to an async iterable of the host. The kernel turns it into an iterator. */
export function encodeIterator(number: number): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  writer.tuple(2)
  writer.code(TypeCode.none)
  writer.list(1)
  writer.tuple(3)
  writer.tuple(0)
  writer.text('iterator')
  writer.number(number)
  return writer.bytes
}

/** Encodes the library's own plain data (no dates, no sets) as one marshal document. */
export function encodePlain(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  return encodeAll(new Encoder(value, name, 'plain'))
}

function encodeAll(encoder: Encoder): Uint8Array<ArrayBuffer> {
  encoder.advance(Number.POSITIVE_INFINITY)
  return encoder.bytes
}

/**
 * Returns the bytes of a small value at once; otherwise a promise, which resolves when the lane has encoded it in slices.
 *
 * @param dropped makes the error to reject with if the lane drops the job first
 */
export function encodeIn(
  lane: Lane,
  encoder: Encoder,
  dropped: () => Error,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  return encoder.begin() ? encoder.bytes : encodeInSlices(lane, encoder, dropped)
}

async function encodeInSlices(
  lane: Lane,
  encoder: Encoder,
  dropped: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  if ((await lane.run(encoder)) === 'dropped') throw dropped()
  return encoder.bytes
}

/** Encodes one value, in slices of time if it is large. `advance` throws ConversionError, or what the value's getters throw. */
export class Encoder implements Job {
  /** The size is known only at the end, so a lane never runs this job at once. */
  readonly sizeBytes = Number.POSITIVE_INFINITY
  readonly #writer = new Writer()
  readonly #name: string
  readonly #mayFix: boolean
  readonly #frames: Frame[] = []
  readonly #fixups: Fixup[] = []
  #pathsBytes = 0
  #fixupsWritten = 0
  #phase: 'value' | 'fixups' | 'bytes'
  /** A long text that is being written. */
  #text: { readonly text: string; at: number } | undefined
  #units = 0

  /** @param prefix bytes to write before the value */
  constructor(value: unknown, name: string, form: 'with-fixups' | 'plain', prefix?: Uint8Array) {
    this.#name = name
    this.#mayFix = form === 'with-fixups'
    this.#phase = 'value'
    if (prefix) this.#writer.raw(prefix)
    if (this.#mayFix) this.#writer.tuple(2)
    this.#units = Number.POSITIVE_INFINITY
    this.#value(value)
  }

  /** The result, available when the encoder is done. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.bytes
  }

  /** Does the work of a small value without reading the clock. Returns whether the encoder is done. */
  begin(): boolean {
    this.#units = SMALL_UNITS
    while (this.#units > 0) if (this.#step()) return true
    return false
  }

  advance(untilMs: number): boolean {
    for (;;) {
      this.#units = CLOCK_CHECK_UNITS
      while (this.#units > 0) if (this.#step()) return true
      if (untilMs !== Number.POSITIVE_INFINITY && performance.now() >= untilMs) return false
    }
  }

  /** Works until some units are used up, or a container ends. Returns whether the encoder is done. */
  #step(): boolean {
    if (this.#text !== undefined) this.#textPiece(this.#text)
    else if (this.#phase === 'value') {
      const frame = this.#frames[this.#frames.length - 1]
      if (frame !== undefined) this.#members(frame)
      else if (this.#mayFix) {
        this.#phase = 'fixups'
        this.#writer.list(this.#fixups.length)
      } else this.#phase = 'bytes'
    } else if (this.#phase === 'fixups') {
      const fixup = this.#fixups[this.#fixupsWritten++]
      if (fixup === undefined) this.#phase = 'bytes'
      else this.#fixup(fixup)
    } else {
      this.#units -= PIECE_UNITS
      return this.#writer.join(() => this.#refuse('bytes that do not change while they are sent'))
    }
    return false
  }

  #value(value: unknown): void {
    const writer = this.#writer
    this.#units -= 1
    switch (typeof value) {
      case 'boolean':
        return writer.code(value ? TypeCode.true : TypeCode.false)
      case 'number':
        return writer.number(value)
      case 'bigint':
        this.#units -= writer.bigint(value) >> 4
        return
      case 'string':
        return this.#string(value)
      case 'object':
        break
      default:
        throw this.#unknown(value)
    }
    if (value === null) return writer.code(TypeCode.none)
    this.#units -= 1
    if (isUint8Array(value)) return this.#bytes(value)
    if (Array.isArray(value)) return this.#list('list', value)
    if (isPlainObject(value)) return this.#dict(value as Readonly<Record<string, unknown>>)
    if (this.#mayFix && isDate(value)) return this.#date(value)
    // A set is always written as a list with a fixup, because only Python can tell whether the members are hashable.
    if (this.#mayFix && isSet(value)) return this.#list('set', [...(value as ReadonlySet<unknown>)])
    if (this.#mayFix && isMap(value))
      return this.#list('map', [...(value as ReadonlyMap<unknown, unknown>)].flat())
    if (isAnyArrayBuffer(value)) return this.#bytes(new Uint8Array(value))
    if (this.#mayFix && ArrayBuffer.isView(value)) return this.#array(value, null, null)
    if (this.#mayFix && isNdArray(value)) return this.#ndArray(value)
    throw this.#unknown(value)
  }

  #bytes(value: Uint8Array): void {
    this.#units -= value.length >> 10
    this.#writer.blob(value)
  }

  #string(text: string): void {
    if (text.length <= PIECE_LENGTH) {
      this.#units -= 1 + (text.length >> 9)
      return this.#writer.text(text)
    }
    this.#writer.beginText()
    this.#text = { text, at: 0 }
  }

  #textPiece(part: { readonly text: string; at: number }): void {
    part.at = this.#writer.textPiece(part.text, part.at)
    this.#units -= this.#writer.hasSurrogates ? SURROGATES_UNITS : PIECE_UNITS
    if (part.at < part.text.length) return
    this.#writer.endText()
    this.#text = undefined
  }

  #list(kind: 'list' | 'set' | 'map', items: readonly unknown[]): void {
    this.#writer.list(items.length)
    this.#open({ kind, items, keys: NO_KEYS, object: NO_OBJECT, count: items.length, at: 0, path: undefined })
  }

  #dict(object: Readonly<Record<string, unknown>>): void {
    this.#writer.code(TypeCode.dict)
    const keys = Object.keys(object)
    this.#units -= keys.length >> 3
    this.#open({ kind: 'dict', items: undefined, keys, object, count: keys.length, at: 0, path: undefined })
  }

  #open(frame: Frame): void {
    if (this.#frames.length >= MAX_DEPTH && frame.count > 0)
      throw this.#refuse(`a value without cycles and of at most ${MAX_DEPTH} levels of nesting`)
    this.#frames.push(frame)
  }

  /** Writes members until one cannot be completed at once. */
  #members(frame: Frame): void {
    const { items, keys, object, count } = frame
    const depth = this.#frames.length
    while (frame.at < count) {
      const at = frame.at++
      if (items !== undefined) {
        const item = items[at]
        if (typeof item === 'number') {
          this.#units -= 1
          this.#writer.number(item)
        } else this.#value(item)
      } else {
        const key = keys[at] as string
        const member = object[key]
        // Leave out an optional field that is not set.
        if (member === undefined) continue
        // Keys are written in one step; the decoder bounds the length of keys that guests send.
        this.#units -= 1 + (key.length >> 9)
        this.#writer.text(key)
        this.#value(member)
      }
      if (this.#units <= 0 || this.#text !== undefined || this.#frames.length !== depth) return
    }
    this.#frames.pop()
    if (frame.kind === 'dict') this.#writer.code(TypeCode.null)
    else if (frame.kind !== 'list') this.#fix(frame.kind, null)
  }

  #date(date: Date): void {
    const epochMs = date.getTime()
    if (Number.isNaN(epochMs)) throw this.#refuse('a valid Date', 'an invalid one')
    this.#writer.code(TypeCode.none)
    this.#fix('datetime', epochMs)
  }

  /** Writes an array as bytes, with a fixup. */
  #array(data: ArrayBufferView, shape: ArrayType[1], dtype: string | null): void {
    const block = elementType(data)
    if (block === undefined) throw this.#unknown(data)
    this.#units -= data.byteLength >> 10
    this.#writer.blob(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    this.#fix('array', [block, shape, dtype])
  }

  #ndArray(value: NdArray): void {
    const expected = refusalOf(value)
    if (expected !== undefined) throw this.#refuse(expected)
    this.#array(value.data as ArrayBufferView, value.shape, value.dtype)
  }

  /** Adds a fixup for the value just written. */
  #fix(kind: FixupKind, payload: Payload): void {
    const frame = this.#frames[this.#frames.length - 1]
    if (frame === undefined) {
      this.#fixups.push({ holder: [], step: undefined, kind, payload })
      return
    }
    frame.path ??= pathOf(this.#frames.slice(0, -1))
    const step = stepOf(frame)
    this.#pathsBytes += frame.path.sizeBytes + sizeOf(step)
    if (this.#pathsBytes > MAX_PATHS_BYTES)
      throw this.#refuse('fewer dates, sets and arrays, or less deeply nested ones', 'too many')
    this.#fixups.push({ holder: frame.path.steps, step, kind, payload })
  }

  #fixup({ holder, step, kind, payload }: Fixup): void {
    const writer = this.#writer
    writer.tuple(3)
    writer.tuple(holder.length + (step === undefined ? 0 : 1))
    for (const part of holder) this.#writeStep(part)
    if (step !== undefined) this.#writeStep(step)
    writer.text(kind)
    if (typeof payload === 'number') writer.float(payload)
    else if (payload === null) writer.code(TypeCode.none)
    else this.#arrayType(payload)
    this.#units -= 2
  }

  #arrayType([block, shape, dtype]: ArrayType): void {
    const writer = this.#writer
    writer.tuple(3)
    writer.text(block)
    if (shape === null) writer.code(TypeCode.none)
    else {
      writer.list(shape.length)
      for (const length of shape) writer.number(length)
    }
    if (dtype === null) writer.code(TypeCode.none)
    else writer.text(dtype)
  }

  #writeStep(step: Step): void {
    this.#units -= sizeOf(step) >> 2
    if (typeof step === 'number') this.#writer.number(step)
    else this.#writer.text(step)
  }

  #unknown(value: unknown): ConversionError {
    const expected =
      'null, a boolean, number, bigint, string, typed array, ArrayBuffer, NdArray, Date, array, Set, Map or plain object (all the way down)'
    return this.#refuse(expected, describeValue(value))
  }

  #refuse(expected: string, got?: string): ConversionError {
    const path = this.#phase === 'value' ? this.#frames : []
    const shown = path.slice(0, 8).map((frame) => `[${shownStep(frame)}]`)
    const place = `${this.#name}${shown.join('')}${path.length > 8 ? '…' : ''}`
    return new ConversionError(`${place}: expected ${expected}${got === undefined ? '' : `, got ${got}`}`)
  }
}

/** The step to the member of a container that was begun last. */
function stepOf({ items, keys, at }: Frame): Step {
  return items === undefined ? (keys[at - 1] as string) : at - 1
}

/** The step for a message. For a map, it shows the key that the member belongs to. */
function shownStep(frame: Frame): string {
  if (frame.kind !== 'map') return JSON.stringify(stepOf(frame)).slice(0, 100)
  const key = frame.items?.[frame.at - 1 - ((frame.at - 1) % 2)]
  return typeof key === 'string' ? JSON.stringify(key).slice(0, 100) : describeValue(key)
}

function sizeOf(step: Step): number {
  return typeof step === 'number' ? STEP_BYTES : STEP_BYTES + 3 * step.length
}

function pathOf(frames: readonly Frame[]): Path {
  const steps = frames.map(stepOf)
  return { steps, sizeBytes: steps.reduce((sum: number, step) => sum + sizeOf(step), 0) }
}
