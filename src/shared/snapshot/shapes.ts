// Which keys a document's maps have, in which order: maps of the same keys are read faster, and into objects that V8 handles well. Owns
// the tree of those keys and how plain objects are made; reading keys and their cost is msgpack.ts's.
import type { Value } from '../values/value.js'

export type PlainObject = Record<string, Value>

/** A key of maps that were read, after the keys before it: records in a list have the same ones, and cost less for it. */
export interface Shape {
  readonly key: string
  /** Where the document has it. */
  readonly start: number
  readonly end: number
  /** Keys that came next; the last one of them first. */
  next: Shape | undefined
  children: Map<string, Shape> | undefined
}

/** Where the keys of the last map of one kind are: `Reader.fields` reads those of the next one faster. */
export type Memo = Shape

export function newMemo(): Memo {
  return newShape('', 0, 0)
}

export function newShape(key: string, start: number, end: number): Shape {
  return { key, start, end, next: undefined, children: undefined }
}

/** An object that V8 keeps as a hash table from the start: what is unlike others leaves nothing behind in what those share. */
export function newTable(): PlainObject {
  return Object.setPrototypeOf(Object.create(null), Object.prototype)
}

/**
 * Makes plain objects. V8 remembers which keys objects of one constructor get, and slows down once they are too many: with a
 * constructor of the document's own no document does that to the objects of the whole process.
 */
export function plainObjects(): new () => PlainObject {
  function PlainObject() {}
  PlainObject.prototype = Object.prototype
  return PlainObject as unknown as new () => PlainObject
}
