// The host's state inside a body, as JSON. Owns its limits, the same for writing and reading: bytes, and values, because a value takes
// more memory than the two bytes of `[]` in a file. Sessions choose the number and names of files, so the state is written in pieces, and
// reading it takes room first.
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { BodyError } from './body-error.js'

const MOST_BYTES = 64 * 1024 * 1024
/** A session with the most files needs a third of these; the rest is for files with holes. */
const MOST_VALUES = 2 ** 22
/** Nodes per piece. With the longest names and targets, a piece has some megabytes. */
const NODES_AT_ONCE = 256
/** Memory for each parsed value. An empty list in a list takes the most for the one character that is counted. */
const VALUE_BYTES = 48
/** Memory for each character: in the text while it is parsed, and in the strings made from it. */
const CHARACTER_BYTES = 4

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENS_LIST = 0x5b
const OPENS_MAP = 0x7b

/**
 * Returns the parts of the JSON, in order.
 *
 * @throws RangeError if it exceeds the limits of `readHostState`
 * @throws NoRoomError
 */
export function writeHostState(state: unknown, room: PackingRoom = UNLIMITED_ROOM): Uint8Array[] {
  const parts: Uint8Array[] = []
  let bytes = 0
  let values = 0
  const add = (text: string) => {
    const part = Buffer.from(text, 'utf8')
    room.take(part.length)
    parts.push(part)
    bytes += part.length
    values += valuesIn(part, MOST_VALUES)
    const excess = excessOf(bytes, values)
    if (excess) throw new RangeError(`the state of files and descriptors has ${excess}`)
  }
  const { nodes, ...rest } = state as { readonly nodes?: unknown }
  if (!Array.isArray(nodes) || nodes.length <= NODES_AT_ONCE) {
    add(JSON.stringify(state))
    return parts
  }
  add(`${JSON.stringify(rest).slice(0, -1)},"nodes":`)
  for (let at = 0; at < nodes.length; at += NODES_AT_ONCE) {
    // "[1,2]" without the closing bracket. In all pieces except the first, a comma replaces the opening bracket.
    const piece = JSON.stringify(nodes.slice(at, at + NODES_AT_ONCE)).slice(0, -1)
    add(at === 0 ? piece : `,${piece.slice(1)}`)
  }
  add(']}')
  return parts
}

/** @throws BodyError, NoRoomError, or what decoding and parsing throw */
export function readHostState(json: Uint8Array, room: PackingRoom = UNLIMITED_ROOM): unknown {
  const values = json.length > MOST_BYTES ? 0 : valuesIn(json, MOST_VALUES)
  const excess = excessOf(json.length, values)
  if (excess) throw new BodyError(`its host state has ${excess}`)
  room.take((values + 1) * VALUE_BYTES + json.length * CHARACTER_BYTES)
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json)
  return JSON.parse(text)
}

function excessOf(bytes: number, values: number): string | undefined {
  if (bytes > MOST_BYTES) return `${bytes} bytes, more than ${MOST_BYTES}`
  if (values > MOST_VALUES) return `more than ${MOST_VALUES} values`
  return undefined
}

/**
 * Counts the values in a JSON text, up to `most` + 1, by its commas and brackets outside strings: each value follows one of them, or the
 * name of a field. If the text is not JSON, the result is arbitrary.
 */
export function valuesIn(json: Uint8Array, most: number): number {
  let values = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfText(json, at + 1)
    else if ((byte === COMMA || byte === OPENS_LIST || byte === OPENS_MAP) && ++values > most) return values
  }
  return values
}

/** Index of the quote that ends a string, or of the end of the text. */
function endOfText(json: Uint8Array, from: number): number {
  let at = from
  for (; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
  return at
}
