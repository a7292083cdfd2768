// Containers that decode.ts is filling. Owns their state, the checked values of tagged tuples, and the test for keys and members that are
// too long. decode.ts owns the order in which the bytes fill them.

import { NO_VALUE, type Value } from './value.js'
import { MAX_KEY_BYTES } from './weight.js'

/** A decoded tree: values, and `NO_VALUE` where a message allows it. */
export type Decoded = Value | typeof NO_VALUE | readonly Decoded[]

/** Returned while no value is complete: a container was opened, or a large part is being read in pieces. */
export const UNFINISHED: unique symbol = Symbol('unfinished')

/** The bytes are not a message of our kernel: guest code forged them, or the interpreter's memory is corrupt. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError'
}

export const Kind = { array: 0, tuple: 1, set: 2, dict: 3, map: 4 } as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** A container that is being filled. */
export class Frame {
  constructor(
    readonly kind: Kind,
    readonly items: Decoded[],
    readonly object: Record<string, Value>,
    readonly set: Set<Decoded> | undefined,
    readonly map: Map<Decoded, Decoded> | undefined,
    /** Members still to come; in a dict, the members read so far. */
    public count: number,
    readonly sinceMs: number,
  ) {}
  /** In a dict or map, the key whose value comes next; undefined before a key. */
  key: Decoded | undefined
}

const NO_ITEMS: Decoded[] = []
const NO_OBJECT: Record<string, Value> = {}

/** `sinceMs` is used only by sets and maps. */
export function newFrame(kind: Kind, count: number, sinceMs: number): Frame {
  return new Frame(
    kind,
    kind === Kind.array || kind === Kind.tuple ? [] : NO_ITEMS,
    kind === Kind.dict ? {} : NO_OBJECT,
    kind === Kind.set ? new Set() : undefined,
    kind === Kind.map ? new Map() : undefined,
    count,
    sinceMs,
  )
}

/** The value that a tagged tuple of three represents, or the tuple itself if it is not tagged. */
export function tagged(items: Decoded[]): Decoded {
  if (items.length !== 3 || items[0] !== NO_VALUE) return items
  const [, tag, payload] = items
  switch (tag) {
    case 'datetime':
      if (typeof payload !== 'number') throw new MalformedValueError('a datetime without a number')
      return new Date(payload)
    case 'map':
      if (!(payload instanceof Map)) throw new MalformedValueError('a map without pairs')
      return payload
    case 'set':
      if (!(payload instanceof Set)) throw new MalformedValueError('a set without members')
      return payload
    default:
      return items
  }
}

/** Whether the text has at most `MAX_KEY_BYTES`. A UTF-16 unit takes at most three bytes of UTF-8. */
export function isShortText(text: string): boolean {
  return (
    text.length <= MAX_KEY_BYTES / 3 ||
    (text.length <= MAX_KEY_BYTES && Buffer.byteLength(text) <= MAX_KEY_BYTES)
  )
}
