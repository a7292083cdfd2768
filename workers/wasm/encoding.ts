// Encodes the parts of WebAssembly binaries: numbers, vectors, sections. Owns their encoding; cursor.ts reads them.
import { unsigned as unsignedBytes } from '../../src/shared/image/wasm-encoding.js'
import { Cursor, WasmFormatError } from './cursor.js'

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const
/** Kinds of imports and exports. */
export const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const
export const PREAMBLE_BYTES = 8

export interface Section {
  readonly id: number
  /** Including id and length. */
  readonly whole: Uint8Array
  readonly content: Uint8Array
}

/** A module has each of the fourteen kinds at most once, except for custom sections. */
const MOST_SECTIONS = 1000

export function sections(bytes: Uint8Array): Section[] {
  const cursor = new Cursor(bytes)
  if (bytes.length < PREAMBLE_BYTES || cursor.hex(PREAMBLE_BYTES) !== '0061736d01000000')
    throw new WasmFormatError('not a WebAssembly 1 binary')
  const found: Section[] = []
  while (!cursor.done) {
    if (found.length === MOST_SECTIONS)
      throw new WasmFormatError('the WebAssembly binary has too many sections')
    const start = cursor.at
    const id = cursor.byte()
    const content = cursor.take(cursor.u32())
    found.push({ id, content, whole: bytes.subarray(start, cursor.at) })
  }
  return found
}

/** A whole section: id, length, content. */
export function section(id: number, content: Uint8Array): Uint8Array {
  return concatenate([Uint8Array.of(id), unsigned(content.length), content])
}

/** A vector: the number of items, then the items. */
export function vector(items: readonly Uint8Array[]): Uint8Array {
  return concatenate([unsigned(items.length), ...items])
}

/** LEB128 of a u32. */
export function unsigned(value: number): Uint8Array {
  return Uint8Array.from(unsignedBytes(value >>> 0))
}

/** LEB128 of an i32, for `i32.const`. */
export function signed(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 0x7f
    rest >>= 7
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
    bytes.push(last ? low : low | 0x80)
    if (last) return Uint8Array.from(bytes)
  }
}

/** An item of the export section. */
export function exportEntry(name: string, kind: number, index: number): Uint8Array {
  const text = new TextEncoder().encode(name)
  return concatenate([unsigned(text.length), text, Uint8Array.of(kind), unsigned(index)])
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
