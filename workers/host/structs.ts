// Results and arguments that are more than one number: stat, statfs, 64-bit sizes. Owns their encoding; abi.ts has the offsets.
import { BLOCK_BYTES, DT, NAME_MAX, S, STAT, STATFS } from './abi.js'
import { fail } from './errno.js'
import type { FileTime, NodeKind, NodeStatus, NodeStore } from './fs/node-store.js'
import { MAX_FILE_BYTES } from './fs/quota.js'
import type { GuestMemory } from './guest-memory.js'

/** st_blocks counts these. */
const SECTOR_BYTES = 512
/** f_type of Linux's tmpfs, the closest match. */
const TMPFS_MAGIC = 0x01021994
/** The size that statfs reports if there is no quota. */
const UNBOUNDED_BYTES = 2 ** 40

const TYPE_BITS: Readonly<Record<NodeKind, number>> = {
  file: S.IFREG,
  directory: S.IFDIR,
  symlink: S.IFLNK,
  device: S.IFCHR,
  pipe: S.IFIFO,
}

const ENTRY_TYPES: Readonly<Record<NodeKind, number>> = {
  file: DT.REG,
  directory: DT.DIR,
  symlink: DT.LNK,
  device: DT.CHR,
  pipe: DT.FIFO,
}

/** d_type. */
export function entryType(kind: NodeKind): number {
  return ENTRY_TYPES[kind]
}

/** struct stat. Everything belongs to user and group 0, and there are no hard links. */
export function writeStat(memory: GuestMemory, pointer: number, storeId: number, status: NodeStatus): void {
  const at = memory.range(pointer, STAT.BYTES)
  // Not Buffer's own fill: checking its arguments takes longer than filling these few bytes.
  Uint8Array.prototype.fill.call(memory.bytes, 0, at, at + STAT.BYTES)
  memory.setU32(at + STAT.dev, storeId)
  memory.setU32(at + STAT.mode, TYPE_BITS[status.kind] | status.mode)
  memory.setU32(at + STAT.nlink, status.linked ? 1 : 0)
  memory.setI64(at + STAT.size, status.size)
  memory.setU32(at + STAT.blksize, BLOCK_BYTES)
  memory.setU32(at + STAT.blocks, Math.ceil(status.size / SECTOR_BYTES))
  writeTime(memory, at + STAT.atim, status.accessed)
  writeTime(memory, at + STAT.mtim, status.modified)
  writeTime(memory, at + STAT.ctim, status.changed)
  memory.setI64(at + STAT.ino, status.id)
}

function writeTime(memory: GuestMemory, at: number, { seconds, nanoseconds }: FileTime): void {
  memory.setI64(at, seconds)
  memory.setU32(at + 8, nanoseconds)
}

export function writeStatfs(memory: GuestMemory, pointer: number, store: NodeStore): void {
  const at = memory.range(pointer, STATFS.BYTES)
  const { usedBytes, maxBytes, nodes, maxNodes } = store.usage()
  const blocks = Math.floor((maxBytes ?? UNBOUNDED_BYTES) / BLOCK_BYTES)
  const free = Math.max(0, blocks - Math.ceil(usedBytes / BLOCK_BYTES))
  memory.bytes.fill(0, at, at + STATFS.BYTES)
  memory.setU32(at + STATFS.type, TMPFS_MAGIC)
  memory.setU32(at + STATFS.bsize, BLOCK_BYTES)
  memory.setI64(at + STATFS.blocks, blocks)
  memory.setI64(at + STATFS.bfree, free)
  memory.setI64(at + STATFS.bavail, free)
  memory.setI64(at + STATFS.files, maxNodes)
  memory.setI64(at + STATFS.ffree, maxNodes - nodes)
  memory.setU32(at + STATFS.fsid, store.id)
  memory.setU32(at + STATFS.namelen, NAME_MAX)
  memory.setU32(at + STATFS.frsize, BLOCK_BYTES)
}

/** Converts a file size from a 64-bit number. */
export function sizeOf(value: bigint): number {
  if (value < 0n) fail('EINVAL')
  // Too large for any file, and possibly for a JavaScript number.
  if (value > BigInt(MAX_FILE_BYTES)) fail('ENOSPC')
  return Number(value)
}

/** Converts an offset, which may be negative, from a 64-bit number. */
export function offsetOf(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) fail('EOVERFLOW')
  return Number(value)
}

/** Converts a position in a file from a 64-bit number. */
export function positionOf(value: bigint): number {
  return value < 0n ? fail('EINVAL') : offsetOf(value)
}
