// What reading a value of a snapshot costs the thread that reads it, by kind. Owns the figures and the bounds on their sum, which keep
// that thread free whatever the bytes say (H1). The kernel counts the same (workers/kernel/_brumate/msgpack.py), so that
// it writes no more than this reader takes; docs/snapshot-format.md lists them.

/** One unit is about 10 ns. Each figure is measured at the worst that the kind can be. */
export const COST = {
  /** Every member of an array or a map; on top of it: */
  member: 1,
  /** An integer in 64 bits, which may become a BigInt. */
  long: 4,
  text: 12,
  /** Text, or a key, that is not ASCII. And a unit for every 4 bytes of it. */
  unicode: 20,
  bin: 80,
  array: 5,
  map: 10,
  key: 8,
  /** A map whose keys no earlier one had in this order, and each of its keys that makes the difference. */
  newMap: 60,
  newKey: 60,
  /** A map with keys that begin with a digit: V8 may store them in a sparse array. */
  digits: 400,
  /** A map that stands for what MessagePack lacks. */
  special: 30,
  /** Member of a set. */
  hashed: 12,
} as const

/** Most that the description and the values may cost, each. All of a head is well under 20 ms with it. */
export const MAX_COST = 300_000
/** Most that the rest of a head may cost: a thousand files, and reasons of a thousand host calls. */
export const MAX_HEAD_COST = 450_000

/** Deepest nesting. The kernel stops after 200 levels of a value. */
export const MAX_DEPTH = 256
/** A map of more keys is always new: V8 makes a hash table of it. */
export const MAX_SHAPE_KEYS = 16
/** Keys that are remembered of maps that were read. The kernel remembers half as many, since it counts those in common twice. */
export const MAX_SHAPES = 512
/** Length of an integer in decimal digits, with its sign: 8,192 bits. */
export const MAX_INT_LENGTH = 2468

/** Digits become an integer in time that grows with their square. */
export function intCost(length: number): number {
  return Math.floor((length * length) / 900)
}

/**
 * V8's hash of a number is known to everybody, so a set of n of them can take n²/2 comparisons to make; those of BigInts are dear.
 */
export function setCost(numbers: number, bigints: number): number {
  return Math.floor((numbers * numbers) / 6) + bigints * bigints
}
