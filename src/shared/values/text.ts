// Decodes marshal's text: UTF-8 that may contain encoded lone surrogates, as Python's `surrogatepass` writes them. Never throws: each
// byte that is not part of a character becomes U+FFFD.

import { isAscii } from 'node:buffer'

/** Text up to this length is always decoded in one step. */
export const PIECE_BYTES = 65_536
const ASCII_PIECE_BYTES = 1_048_576
/** Below this many bytes a loop in JavaScript is faster than a call into Node, and V8 builds no rope. */
const SHORT_BYTES = 13
/** From this many bytes on, copying ASCII saves more time than testing for ASCII costs. */
const LONG_BYTES = 4_096
const REPLACEMENT = '\ufffd'
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Decodes `[start, end)` in one step, in time proportional to its length. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start >= SHORT_BYTES) return decodeLong(bytes, start, end)
  let text = ''
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte > 127) return decodeShort(bytes, start, end)
    text += String.fromCharCode(byte)
  }
  return text
}

/** End of a piece that decodes in about a millisecond. Text that is not ASCII takes sixteen times as long. */
export function endOfPiece(bytes: Uint8Array, start: number, end: number): number {
  const fast = Math.min(end, start + ASCII_PIECE_BYTES)
  if (fast <= start + PIECE_BYTES || isAscii(bytes.subarray(start, fast))) return fast
  return boundary(bytes, start + PIECE_BYTES)
}

/** The last character boundary at or before `end`, or `end` if there is none nearby. */
function boundary(bytes: Uint8Array, end: number): number {
  for (let at = end; at > end - 4; at--) if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at
  return end
}

function decodeLong(bytes: Uint8Array, start: number, end: number): string {
  const part = bytes.subarray(start, end)
  if (part.length >= LONG_BYTES && isAscii(part))
    return Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1')
  const text = utf8.decode(part)
  // U+FFFD may stand for a surrogate. V8 answers at once for one-byte strings, which cannot contain it.
  return text.includes(REPLACEMENT) ? decodeSurrogates(bytes, start, end) : text
}

function decodeShort(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; ) {
    const size = sizeOfCharacter(bytes, at, end)
    if (size === 0) {
      text += REPLACEMENT
      at++
      continue
    }
    const point = codePoint(bytes, at, size)
    text += point > 0xffff ? String.fromCodePoint(point) : String.fromCharCode(point)
    at += size
  }
  return text
}

/** Transcodes to UTF-16 in one pass. */
function decodeSurrogates(bytes: Uint8Array, start: number, end: number): string {
  const units = new Uint16Array(end - start)
  let length = 0
  for (let at = start; at < end; ) {
    const size = sizeOfCharacter(bytes, at, end)
    if (size === 0) {
      units[length++] = 0xfffd
      at++
      continue
    }
    const point = codePoint(bytes, at, size)
    if (point > 0xffff) {
      units[length++] = 0xd7c0 + (point >> 10)
      units[length++] = 0xdc00 | (point & 0x3ff)
    } else units[length++] = point
    at += size
  }
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le')
}

/** Length in bytes of the character at `at`, or 0 if none begins there. Lone surrogates count as characters. */
function sizeOfCharacter(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (at + size > end) return 0
  for (let i = 1; i < size; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0
  return size
}

function codePoint(bytes: Uint8Array, at: number, size: number): number {
  const first = bytes[at] ?? 0
  let point = size === 1 ? first : first & (0xff >> (size + 1))
  for (let i = 1; i < size; i++) point = (point << 6) | ((bytes[at + i] ?? 0) & 0x3f)
  return point
}
