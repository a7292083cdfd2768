// Remembers which keys a document's maps have, and in which order. Maps with the same keys are read faster, and into objects that V8
// handles well. Owns the tree of these keys and how plain objects are created; msgpack.ts reads keys and counts their cost.
import type { Value } from '../values/value.js'

export type PlainObject = Record<string, Value>

/** A key of the maps read so far, as a child of the keys before it. Records in a list have the same keys, so reading them costs less. */
export interface Shape {
  readonly key: string
  /** Position of the key in the document. */
  readonly start: number
  readonly end: number
  /** The key that most recently followed this one. */
  next: Shape | undefined
  children: Map<string, Shape> | undefined
}

/** Positions of the keys of the last map of one kind. With it, `Reader.fields` reads those of the next map faster. */
export type Memo = Shape

export function newMemo(): Memo {
  return newShape('', 0, 0)
}

export function newShape(key: string, start: number, end: number): Shape {
  return { key, start, end, next: undefined, children: undefined }
}

/** An object that V8 stores as a hash table from the start, so that unusual keys do not add to the shapes that other objects share. */
export function newTable(): PlainObject {
  return Object.setPrototypeOf(Object.create(null), Object.prototype)
}

/**
 * Creates plain objects. V8 remembers which keys the objects of one constructor get, and slows down when there are too many. Each
 * document has a constructor of its own, so that no document slows down objects of the whole process.
 */
export function plainObjects(): new () => PlainObject {
  function PlainObject() {}
  PlainObject.prototype = Object.prototype
  return PlainObject as unknown as new () => PlainObject
}
