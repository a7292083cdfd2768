// The door between a slot and a storage thread: shared memory with one request or its answer at a time. Owns the layout and the
// numbers that both sides use, and no behaviour. A slot writes whatever it likes there: the storage thread copies first (R3).

/** What a slot gets to reach a storage with. */
export interface MountWire {
  /** Absolute and normalized. */
  readonly path: string
  readonly door: SharedArrayBuffer
  /** The door's own, like the door: see `BELL`. */
  readonly bell: SharedArrayBuffer
  /** The one thing that all slots of a storage share: see arena.ts. Null where all bytes go through the door. */
  readonly arena: SharedArrayBuffer | null
  readonly readOnly: boolean
}

/**
 * Int32 at the start of a door. FILLING: the slot is writing to its reserved extents, which it does not begin when REVOKED is set;
 * each side sets its own before it looks at the other's. POSTED: how often the slot has posted something, TAKEN: how much of it the
 * storage has done. CANCEL: the slot does not want the answer any more.
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
 * Int32 of a door's bell. The slot adds to RINGS and notifies it to wake the storage. The storage writes the others and never reads
 * them back, so a slot that changes them confuses nobody but itself. CLOSED: 1 when the storage is gone. CHANGES: another number
 * whenever the node that the slot opened last may have changed. POSTING: what a slot does after it has posted a write, see `POSTING`.
 */
export const BELL = { RINGS: 0, CLOSED: 1, CHANGES: 2, POSTING: 3 } as const
export const BELL_BYTES = 64
/**
 * QUIET: no other session knows the file's status, so nobody is woken. ASK: another may, so the write returns when the storage has
 * done it. RING: as QUIET, but the host watches and wants to hear of it soon.
 */
export const POSTING = { QUIET: 0, ASK: 1, RING: 2 } as const
/** Number of `open`'s answer: the bell's CHANGES for which the status holds, or NaN where others than sessions change nodes, too. */
export const CHANGES = 11
/** Beside the error numbers. */
export const LEFT_ABOVE = -1
export const LEFT_ROOT = -2

/** Float64. */
export const NUMBERS_AT = 64
export const NUMBERS = 16
/**
 * Float64: what was posted, each at its number modulo `MOST_POSTED`, which is a power of two. A node, a position, and how many
 * reserved extents of whole chunks are the file's there; none: the node is given back. When that was, in ms of `Date.now()`: nobody
 * may look for long.
 */
export const POSTED_AT = NUMBERS_AT + 8 * NUMBERS
export const POST_NUMBERS = 4
export const MOST_POSTED = 8
/**
 * Uint32, written by the storage's thread only, in `read`'s answer: pieces that are lent, each its place in the arena, its place in
 * what is read, and its length.
 */
export const LENT_AT = POSTED_AT + 8 * MOST_POSTED * POST_NUMBERS
export const LENT_WORDS = 64
export const PIECE_WORDS = 3
/**
 * Uint32, written by the storage's thread only, before it answers or says what it has taken: how many extents are reserved for the
 * slot, and they. It uses them from the first on.
 */
export const RESERVED_AT = LENT_AT + 4 * LENT_WORDS
/** As much as the window. */
export const MOST_RESERVED = 16
/** Texts and bytes fill what follows: at a round number, for copies. */
export const WINDOW_AT = 1024

/** Numbers that come with each operation, and what its answer holds, stand in mounted-nodes.ts and client.ts. */
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
  /** Asks for nothing: what was posted is done before any request. */
  settle: 32,
} as const

export const KINDS = ['file', 'directory', 'symlink', 'device', 'pipe'] as const

/** An entry of a listing: cookie and node as float 64, kind and length of the name as a byte each, the name. */
export const ENTRY_HEAD_BYTES = 18
