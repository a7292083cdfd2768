// What reading a value of a snapshot costs the reading thread, by kind. Owns the figures and the limits on their sum, which keep that
// thread responsive whatever the bytes are (H1). The kernel counts in the same way (workers/kernel/_brumate/msgpack.py), so it never
// writes more than this reader accepts. docs/snapshot-format.md lists the figures.

/** One unit is about 10 ns. Each figure was measured for the worst case of its kind. */
export const COST = {
  /** Every member of an array or a map. All others are added to this: */
  member: 1,
  /** A 64-bit integer, which may become a BigInt. */
  long: 4,
  text: 12,
  /** Added for text or a key that is not ASCII, with one more unit for every 4 bytes. */
  unicode: 20,
  bin: 80,
  array: 5,
  map: 10,
  key: 8,
  /** A map whose sequence of keys is new, and each of its keys from the first that differs. */
  newMap: 60,
  newKey: 60,
  /** A map with keys that begin with a digit, which V8 may store in a sparse array. */
  digits: 400,
  /** A map that represents a type that MessagePack lacks. */
  special: 30,
  /** A member of a set. */
  hashed: 12,
} as const

/** Highest cost of the description, and of the values. With it, reading a whole head takes well under 20 ms. */
export const MAX_COST = 300_000
/** Highest cost of the rest of a head: a thousand files, and the reasons of a thousand host calls. */
export const MAX_HEAD_COST = 450_000

/** Deepest nesting. The kernel writes at most 200 levels of a value. */
export const MAX_DEPTH = 256
/** A map with more keys always counts as new: V8 stores it as a hash table. */
export const MAX_SHAPE_KEYS = 16
/** Number of keys remembered from maps already read. The kernel remembers half as many, because it counts shared keys twice. */
export const MAX_SHAPES = 512
/** Longest integer in decimal digits, including its sign: 8,192 bits. */
export const MAX_INT_LENGTH = 2468

/** Parsing an integer takes time that grows with the square of its length. */
export function intCost(length: number): number {
  return Math.floor((length * length) / 900)
}

/**
 * V8's hash of a number is public, so an attacker can make a set of n numbers take n²/2 comparisons. Comparing BigInts is expensive.
 */
export function setCost(numbers: number, bigints: number): number {
  return Math.floor((numbers * numbers) / 6) + bigints * bigints
}
