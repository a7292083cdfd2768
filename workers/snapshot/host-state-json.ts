// The host's state inside a body, as JSON. Owns how much of it there may be, the same for writing and reading: bytes, and values,
// each of which takes more memory than the two bytes that `[]` is in a file. It is written in pieces and read with room taken for it,
// since a session chooses how many files there are and what they are called.
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { BodyError } from './body-error.js'

const MOST_BYTES = 64 * 1024 * 1024
/** The most files that a session can have come to a third; the rest is for files with holes. */
const MOST_VALUES = 2 ** 22
/** With the longest names and targets a piece has some megabytes. */
const NODES_AT_ONCE = 256
/** Of a value that was read: an empty list in a list takes the most for its one character. */
const VALUE_BYTES = 48
/** Of a character: as text while it is read, and in the strings that are made of it. */
const CHARACTER_BYTES = 4

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENS_LIST = 0x5b
const OPENS_MAP = 0x7b

/**
 * The parts of the JSON, in order.
 *
 * @throws RangeError if it is more than `readHostState` takes
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
    // "[1,2]" without its end, and for all but the first piece with a comma in place of its beginning.
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
 * How many values are in it, or `most` + 1 for more, as far as commas and brackets outside texts tell: each value follows one of
 * them, or the name of a field. What is no JSON has any answer.
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

/** Of the quote that ends a text, or of the end. */
function endOfText(json: Uint8Array, from: number): number {
  let at = from
  for (; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
  return at
}
