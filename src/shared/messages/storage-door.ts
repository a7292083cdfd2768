// The door between a slot and a storage thread: shared memory that holds one request or its answer at a time. Owns the layout and the
// numbers that both sides use, and no behaviour. A slot can write anything there at any time, so the storage thread copies first (R3).

/** What a slot needs to reach a storage. */
export interface MountWire {
  /** Absolute and normalized mount path. */
  readonly path: string
  readonly door: SharedArrayBuffer
  /** Belongs to this door only; see `BELL`. */
  readonly bell: SharedArrayBuffer
  /** The only memory that all slots of a storage share; see arena.ts. Null if all bytes go through the door. */
  readonly arena: SharedArrayBuffer | null
  readonly readOnly: boolean
}

/**
 * Int32s at the start of a door. FILLING: the slot is writing to its reserved extents, which it does not start if REVOKED is set;
 * each side sets its own word before it reads the other's. POSTED: how many writes the slot has posted. TAKEN: how many of them the
 * storage has done. CANCEL: the slot no longer needs the answer.
 */
export const CONTROL = {
  STATE: 0,
  OP: 1,
  ERROR: 2,
  FILLING: 3,
  REVOKED: 4,
  POSTED: 5,
  TAKEN: 6,
  CANCEL: 7,
} as const
export const STATE = { IDLE: 0, REQUEST: 1, ANSWER: 2 } as const
/**
 * Int32s of a door's bell. The slot adds to RINGS and notifies it to wake the storage. The storage writes the others and never reads
 * them back, so a slot that changes them harms only itself. CLOSED: 1 when the storage is gone. CHANGES: gets another value whenever
 * the node that the slot opened last may have changed. POSTING: what the slot does after it has posted a write, see `POSTING`.
 */
export const BELL = { RINGS: 0, CLOSED: 1, CHANGES: 2, POSTING: 3 } as const
export const BELL_BYTES = 64
/**
 * QUIET: no other session knows the file's status, so the slot wakes nobody. ASK: another session may know it, so the write returns only
 * when the storage has done it. RING: like QUIET, but the host watches for changes, so the slot rings the bell.
 */
export const POSTING = { QUIET: 0, ASK: 1, RING: 2 } as const
/** Index in the numbers of `open`'s answer: the bell's CHANGES for which the status holds, or NaN if not only sessions change nodes. */
export const CHANGES = 11
/** Values of ERROR besides the operating system's error numbers. */
export const LEFT_ABOVE = -1
export const LEFT_ROOT = -2

/** Float64s, the numbers of a request and its answer. */
export const NUMBERS_AT = 64
export const NUMBERS = 16
/**
 * Float64s: posted writes, each at its number modulo `MOST_POSTED`, which is a power of two. A write has a node, a position, the number
 * of reserved extents (whole chunks) that belong to the file there, or 0 if the node is given back, and the time by `Date.now()`, because
 * the storage may read it much later.
 */
export const POSTED_AT = NUMBERS_AT + 8 * NUMBERS
export const POST_NUMBERS = 4
export const MOST_POSTED = 8
/**
 * Uint32s, written only by the storage's thread, in the answer of `read`: the lent pieces. Each has its position in the arena, its position
 * in the data read, and its length.
 */
export const LENT_AT = POSTED_AT + 8 * MOST_POSTED * POST_NUMBERS
export const LENT_WORDS = 64
export const PIECE_WORDS = 3
/**
 * Uint32s, written only by the storage's thread, before it answers or updates TAKEN: the number of extents reserved for the slot, then the
 * extents. The slot uses them in this order.
 */
export const RESERVED_AT = LENT_AT + 4 * LENT_WORDS
/** Together, they hold as much as the window. */
export const MOST_RESERVED = 16
/** Text and bytes fill the rest. It starts at a round number, which is good for copies. */
export const WINDOW_AT = 1024

/** Operations. mounted-nodes.ts and client.ts show the numbers that each one takes, and what its answer holds. */
export const OP = {
  open: 1,
  status: 2,
  place: 3,
  mkdir: 4,
  makeFile: 5,
  symlink: 6,
  readlink: 7,
  unlink: 8,
  rmdir: 9,
  rename: 10,
  path: 11,
  nodeStatus: 12,
  parent: 13,
  list: 14,
  nextCookie: 15,
  read: 16,
  write: 17,
  append: 18,
  resize: 19,
  extend: 20,
  sync: 21,
  setMode: 22,
  setTimes: 23,
  hold: 24,
  release: 25,
  usage: 26,
  lock: 27,
  unlock: 28,
  blocking: 29,
  isLocked: 30,
  exchange: 31,
  /** Does nothing itself: before any request, the storage does what was posted. */
  settle: 32,
} as const

export const KINDS = ['file', 'directory', 'symlink', 'device', 'pipe'] as const

/** Length of an entry of a listing before its name: cookie and node as float64, kind and length of the name as one byte each. */
export const ENTRY_HEAD_BYTES = 18
