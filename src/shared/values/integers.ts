// Decodes marshal's integers: 15-bit digits, least significant first. Owns the arithmetic; decode.ts bounds the number of digits.
import { EXACT_DIGITS } from './weight.js'

/** Four digits, 60 bits, fit two 32-bit words. */
const GROUP_DIGITS = 4
const GROUP_BITS = 60n
/** Up to this many groups, shifting is faster than parsing hexadecimal text. */
const MAX_GROUPS = 4
const MAX_DIGIT = 0x7fff
/** Place value of the fourth digit. Up to eight bits of it fit a number exactly. */
const FOURTH = 2 ** 45
const EXACT_FOURTH = 0xff

const words = new Uint32Array(2)
const word = new BigUint64Array(words.buffer)

/** The magnitude of `count` digits at `at`: a number up to 2 ** 53 - 1, otherwise a BigInt. Undefined if a digit has more than 15 bits. */
export function decodeDigits(view: DataView, at: number, count: number): number | bigint | undefined {
  let length = count
  while (length > 0 && view.getUint16(at + 2 * (length - 1), true) === 0) length--
  const top = length > EXACT_DIGITS ? view.getUint16(at + 2 * EXACT_DIGITS, true) : 0
  if (length <= EXACT_DIGITS || (length === EXACT_DIGITS + 1 && top <= EXACT_FOURTH)) {
    let small = 0
    for (let i = Math.min(length, EXACT_DIGITS) - 1; i >= 0; i--) {
      const digit = view.getUint16(at + 2 * i, true)
      if (digit > MAX_DIGIT) return undefined
      small = small * 32_768 + digit
    }
    return small + top * FOURTH
  }
  if (length > GROUP_DIGITS * MAX_GROUPS) return parseAsHex(view, at, length)
  let value = 0n
  for (let first = GROUP_DIGITS * Math.ceil(length / GROUP_DIGITS - 1); first >= 0; first -= GROUP_DIGITS) {
    const digits = [0, 0, 0, 0] as [number, number, number, number]
    for (let i = 0; i < GROUP_DIGITS && first + i < length; i++) {
      const digit = view.getUint16(at + 2 * (first + i), true)
      if (digit > MAX_DIGIT) return undefined
      digits[i] = digit
    }
    words[0] = digits[0] | (digits[1] << 15) | (digits[2] << 30)
    words[1] = (digits[2] >>> 2) | (digits[3] << 13)
    value = value === 0n ? (word[0] as bigint) : (value << GROUP_BITS) | (word[0] as bigint)
  }
  return value
}

/** Packs the digits into hexadecimal text in one pass. V8 parses that in linear time. */
function parseAsHex(view: DataView, at: number, count: number): bigint | undefined {
  const bytes = Buffer.alloc(Math.ceil((count * 15) / 8))
  let next = bytes.length
  let bits = 0
  let held = 0
  for (let i = 0; i < count; i++) {
    const digit = view.getUint16(at + 2 * i, true)
    if (digit > MAX_DIGIT) return undefined
    held |= digit << bits
    for (bits += 15; bits >= 8; bits -= 8) {
      bytes[--next] = held & 0xff
      held >>>= 8
    }
  }
  if (next > 0) bytes[--next] = held
  return BigInt(`0x${bytes.toString('hex')}`)
}
