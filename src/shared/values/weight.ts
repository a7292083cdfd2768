// What a guest's value costs the main thread: an estimate of the memory of its marshal document once decoded, and the largest part of
// each kind that JavaScript handles in one step. Owns the arithmetic. A slot uses it before it sends a host call, and the main thread
// while it decodes one, so both get the same number.

/**
 * Type codes of CPython's marshal format, from its Python/marshal.c. brumate uses version 2 of the format: no references,
 * binary floats.
 */
export const TypeCode = {
  null: 0x30,
  none: 0x4e,
  false: 0x46,
  true: 0x54,
  ellipsis: 0x2e,
  int32: 0x69,
  long: 0x6c,
  float: 0x67,
  bytes: 0x73,
  unicode: 0x75,
  interned: 0x74,
  tuple: 0x28,
  list: 0x5b,
  dict: 0x7b,
  set: 0x3c,
  frozenset: 0x3e,
} as const

/** Measured bytes of V8's heap on a 64-bit machine. Containers are counted without their members. */
export const Weight = {
  number: 16,
  bigint: 24,
  text: 24,
  /** A Uint8Array with its own buffer. */
  bytes: 256,
  array: 48,
  /** An object with room for its first few keys. */
  dict: 64,
  set: 160,
  /** A member's place in its array, object or set. */
  member: 8,
  key: 40,
  setMember: 24,
  /** A host call: its record, promise, timer and signal. */
  call: 2048,
} as const

/** Number of 15-bit digits that a JavaScript number holds exactly. */
export const EXACT_DIGITS = 3
/** Most digits of an int, 4 Mbit: V8 makes a BigInt in one step. */
export const MAX_DIGITS = 279_620
/** Longest text, in UTF-8. V8 has no strings of 512 MiB. */
export const MAX_TEXT_BYTES = 2 ** 28
/** Longest key, or text in a set. V8 hashes longer text by its length only, so that all texts of the same length are compared. */
export const MAX_KEY_BYTES = 16_000
/** Most members of a list or tuple. V8 moves a growing array in one step. */
export const MAX_ITEMS = 1_000_000
/** Most members of a dict or set. V8 rehashes all of them when it grows. */
export const MAX_HASHED_ITEMS = 100_000
/** Deepest nesting of a value, in both directions. CPython's marshal itself stops at 2,000. */
export const MAX_DEPTH = 1000

/** Most bytes of host calls' arguments that a slot has sent and that the main thread still holds, decoded. */
export const WINDOW_BYTES = 64 * 1024 * 1024
/** Most host calls in one message. */
export const MAX_CALLS_PER_MESSAGE = 1000

export interface Weighed {
  /** Position after the value. */
  readonly end: number
  /** Estimated memory of the decoded value; at least the length of its bytes. */
  readonly weightBytes: number
  /** Whether it has a part that the main thread would reject. */
  readonly isTooLarge: boolean
}

const IN_SET = 2 ** 32

/** Weighs the value that begins at `start`; undefined if the bytes are not a value. Reads every part, but no text. */
export function weigh(
  bytes: Uint8Array,
  start: number,
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
): Weighed | undefined {
  /** For each open container, the number of members still to come, plus `IN_SET` in a set; -1 before a dict's key, -2 before its value. */
  const open: number[] = []
  /** For each open dict, the number of keys so far. */
  const hashed: number[] = []
  let at = start
  let weight = 0
  let isTooLarge = false
  const length = (unitBytes: number): number => {
    if (at + 4 > bytes.length) return -1
    const count = view.getInt32(at, true)
    at += 4
    return count * unitBytes > bytes.length - at ? -1 : count
  }
  for (;;) {
    const code = bytes[at++]
    let isOpened = false
    switch (code) {
      case TypeCode.none:
      case TypeCode.true:
      case TypeCode.false:
      case TypeCode.ellipsis:
        break
      case TypeCode.int32:
        at += 4
        break
      case TypeCode.float:
        weight += Weight.number
        at += 8
        break
      case TypeCode.long: {
        if (at + 4 > bytes.length) return undefined
        const count = Math.abs(view.getInt32(at, true))
        if (count > MAX_DIGITS) isTooLarge = true
        weight += weightOfDigits(count)
        at += 4 + 2 * count
        break
      }
      case TypeCode.bytes:
      case TypeCode.unicode:
      case TypeCode.interned: {
        const count = length(1)
        if (count < 0) return undefined
        weight += (code === TypeCode.bytes ? Weight.bytes : Weight.text) + count
        if (count > MAX_KEY_BYTES && code !== TypeCode.bytes) {
          const holder = open.at(-1)
          if (count > MAX_TEXT_BYTES || holder === -1 || (holder ?? 0) > IN_SET) isTooLarge = true
        }
        at += count
        break
      }
      case TypeCode.tuple:
      case TypeCode.list: {
        const count = length(1)
        if (count < 0) return undefined
        weight += Weight.array + Weight.member * count
        if (count > MAX_ITEMS) isTooLarge = true
        if (count > 0) {
          open.push(count)
          isOpened = true
        }
        break
      }
      case TypeCode.set:
      case TypeCode.frozenset: {
        const count = length(1)
        if (count < 0) return undefined
        weight += Weight.set + Weight.setMember * count
        if (count > MAX_HASHED_ITEMS) isTooLarge = true
        if (count > 0) {
          open.push(IN_SET + count)
          isOpened = true
        }
        break
      }
      case TypeCode.dict:
        weight += Weight.dict
        open.push(-1)
        hashed.push(0)
        isOpened = true
        break
      case TypeCode.null:
        if (open.at(-1) !== -1) return undefined
        open.pop()
        hashed.pop()
        break
      default:
        return undefined
    }
    if (at > bytes.length || open.length > MAX_DEPTH) return undefined
    // The part just read completes a member of its container, which may complete the container itself.
    while (!isOpened && open.length > 0) {
      const last = open.length - 1
      const left = open[last] as number
      if (left < 0) {
        open[last] = left === -1 ? -2 : -1
        if (left === -1) {
          weight += Weight.key
          const size = (hashed[hashed.length - 1] as number) + 1
          hashed[hashed.length - 1] = size
          if (size > MAX_HASHED_ITEMS) isTooLarge = true
        }
        break
      }
      if (left > 1 && left !== IN_SET + 1) {
        open[last] = left - 1
        break
      }
      open.pop()
    }
    if (open.length === 0) return { end: at, weightBytes: Math.max(weight, at - start), isTooLarge }
  }
}

export function weightOfDigits(count: number): number {
  return count <= EXACT_DIGITS ? Weight.number : Weight.bigint + 2 * count
}
