// The host's state inside a body, as JSON. Owns how much of it there may be, the same for writing and reading: bytes, and values,
// each of which takes more memory than the two bytes that `[]` is in a file.
import { BodyError } from './body-error.js'

const MOST_BYTES = 64 * 1024 * 1024
/** The most files that a session can have come to a third; the rest is for files with holes. */
const MOST_VALUES = 2 ** 22

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENS_LIST = 0x5b
const OPENS_MAP = 0x7b

/** @throws RangeError if it is more than `readHostState` takes */
export function writeHostState(state: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(state), 'utf8')
  const excess = excessOf(json)
  if (excess) throw new RangeError(`the state of files and descriptors has ${excess}`)
  return json
}

/** @throws BodyError, or what decoding and parsing throw */
export function readHostState(json: Uint8Array): unknown {
  const excess = excessOf(json)
  if (excess) throw new BodyError(`its host state has ${excess}`)
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json)
  return JSON.parse(text)
}

function excessOf(json: Uint8Array): string | undefined {
  if (json.length > MOST_BYTES) return `${json.length} bytes, more than ${MOST_BYTES}`
  if (!hasMoreValues(json, MOST_VALUES)) return undefined
  return `more than ${MOST_VALUES} values`
}

/**
 * Whether there are more than `most` values in it, as far as commas and brackets outside texts tell: each value follows one of
 * them, or the name of a field. What is no JSON has any answer.
 */
export function hasMoreValues(json: Uint8Array, most: number): boolean {
  if (json.length < most) return false
  let left = most
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfText(json, at + 1)
    else if ((byte === COMMA || byte === OPENS_LIST || byte === OPENS_MAP) && --left < 0) return true
  }
  return false
}

/** Of the quote that ends a text, or of the end. */
function endOfText(json: Uint8Array, from: number): number {
  let at = from
  for (; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
  return at
}
