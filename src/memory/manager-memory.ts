// Accounts for all memory of one manager's sessions, by kind (`maxMemoryBytes`). Owns the limit, the reserve that lets
// sessions be saved when the limit is reached, and the error for that case.
import { totalmem } from 'node:os'
import { InvalidOptionError, LimitError } from '../shared/errors.js'
import { BLOCK_HASH_BYTES, blockCount } from '../shared/image/file-blocks.js'
import type { Image } from '../shared/image/image.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { MemoryAccount } from './account.js'
import { RoomQueue } from './room-queue.js'
import { NEW_SLOT_BYTES, SlotLease } from './slot-lease.js'
import { SnapshotLedger } from './snapshot-ledger.js'

const MiB = 1024 * 1024

/** Compiled code of the image's WebAssembly module, shared by all slots, in addition to the module itself. */
const CODE_BYTES = 26 * MiB
/**
 * Freed memory that the C library's malloc and V8 do not return to the OS: a constant, plus shares of the limit up to a maximum, because it
 * grows with the number of slots. V8 keeps more since Node 24. Measured while many hostile sessions were created and closed.
 */
const KEPT_BYTES = 64 * MiB
const KEPT_SHARES = [
  { share: 1 / 6, maxBytes: 96 * MiB, sinceNode: 20 },
  { share: 1 / 5, maxBytes: 96 * MiB, sinceNode: 24 },
]
/** Memory of a booted interpreter without packages. A slot's share includes it. */
const BOOTED_BYTES = 32 * MiB
/** Reserve for packing: when all other memory is taken, idle sessions can still hibernate and so free memory. */
const RESERVE_SHARE = 16
const MAX_RESERVE_BYTES = 64 * MiB
/** Default limit as a share of the memory that the process may use. */
const DEFAULT_SHARE = 3 / 4

/** The smallest limit with which one session can run. */
export const MIN_MEMORY_BYTES = 256 * MiB

/** Memory of a manager's sessions in bytes. Counts what may be used, which is a little more than what is used. */
export interface MemoryStats {
  /** Sum of the kinds below. */
  readonly usedBytes: number
  /** The limit, `maxMemoryBytes`; null: no limit. */
  readonly maxBytes: number | null
  /** The images, shared by all slots, and freed memory that malloc and V8 do not return to the OS. */
  readonly imageBytes: number
  /** Interpreters, including the private files, output and packing buffers of their sessions. */
  readonly slotBytes: number
  /** Checkpoints, and the snapshots of dormant sessions. */
  readonly snapshotBytes: number
  /** Values and arguments in transit. */
  readonly valueBytes: number
}

/** Calls a listener whenever memory is released. */
class TotalAccount extends MemoryAccount {
  onRelease: () => void = () => {}

  override release(bytes: number): void {
    super.release(bytes)
    this.onRelease()
  }
}

/** The parts of an image that take memory. */
export type ImageSizes = Pick<
  Image,
  'id' | 'fileTable' | 'fileContents' | 'fileSource' | 'codeBytes' | 'memoryBytes'
>

export class ManagerMemory {
  readonly #total: TotalAccount
  readonly #image: MemoryAccount
  readonly #slots: MemoryAccount
  readonly #reserveBytes: number
  /** Additional memory of a slot for the image's packages, by image id. */
  readonly #packagesBytes = new Map<string, number>()
  /** Memory of a new slot of the largest image. */
  readonly #newSlotBytes: number
  readonly snapshots: SnapshotLedger
  /** For values in transit; each session has its own account below this one. */
  readonly values: MemoryAccount
  /** Sessions that wait for memory in order to wake. */
  readonly room: RoomQueue
  /** Slots that have ended, but whose threads have not exited yet. */
  readonly #ending = new Set<SlotLease>()

  constructor(maxBytes: number | null, images: readonly ImageSizes[]) {
    this.#total = new TotalAccount(maxBytes)
    this.#image = new MemoryAccount(null, this.#total)
    this.#slots = new MemoryAccount(null, this.#total)
    this.values = new MemoryAccount(null, this.#total)
    this.snapshots = new SnapshotLedger(new MemoryAccount(null, this.#total))
    this.#reserveBytes = reserveBytes(maxBytes)
    this.room = new RoomQueue(() => this.#total.freeBytes - this.#reserveBytes)
    for (const image of images) {
      this.#packagesBytes.set(image.id, Math.max(0, image.memoryBytes - BOOTED_BYTES))
      this.#image.take(dataBytes(image) + image.codeBytes + CODE_BYTES)
    }
    this.#newSlotBytes = NEW_SLOT_BYTES + Math.max(0, ...this.#packagesBytes.values())
    this.#image.take(keptBytes(maxBytes))
  }

  /**
   * Checks that there is room for one slot. Otherwise sessions would wait for a slot forever.
   *
   * @throws InvalidOptionError that says how much memory the images need
   */
  requireRoomForSlot(): void {
    const { maxBytes } = this.#total
    if (maxBytes === null || this.slotsThatFit > 0) return
    const imageBytes = this.#image.usedBytes - keptBytes(maxBytes)
    let neededBytes = MIN_MEMORY_BYTES
    while (neededBytes < imageBytes + keptBytes(neededBytes) + this.#newSlotBytes + reserveBytes(neededBytes))
      neededBytes += 16 * MiB
    const needs = `the images take ${megabytes(imageBytes)}, and each session at least ${megabytes(this.#newSlotBytes)}`
    throw new InvalidOptionError(
      'maxMemoryBytes',
      `at least ${neededBytes}`,
      maxBytes,
      `maxMemoryBytes: expected at least ${neededBytes} bytes for these images, got ${maxBytes}: ${needs}. Give more memory, or use an image with fewer packages or less to preload`,
    )
  }

  /** The listener is called whenever memory is released. */
  set onRelease(listener: () => void) {
    this.#total.onRelease = listener
  }

  /** Takes memory for one more slot; returns undefined if there is not enough. `makeRoom`: see LeaseOptions. */
  openSlot(imageId: string, makeRoom: () => Promise<void> | undefined): SlotLease | undefined {
    return SlotLease.open({
      account: this.#slots,
      packagesBytes: this.#packagesBytes.get(imageId) ?? 0,
      reserveBytes: this.#reserveBytes,
      makeRoom,
    })
  }

  /** How many more slots there is room for, counting the memory of slots whose threads are exiting. */
  get slotsThatFit(): number {
    let free = this.#total.freeBytes - this.#reserveBytes
    for (const lease of this.#ending) free += lease.bytes
    return Math.max(0, Math.floor(free / this.#newSlotBytes))
  }

  /** Whether there is enough memory for spare slots besides what sessions may soon need. */
  get hasPlenty(): boolean {
    const { maxBytes, freeBytes } = this.#total
    return maxBytes === null || (!this.room.isAwaited && freeBytes - this.#newSlotBytes > maxBytes / 4)
  }

  /** Call when the slot has ended. Its memory is released when its thread is `gone`, or after `atMostMs` at the latest. */
  async closeSlot(lease: SlotLease, gone: Promise<void>, atMostMs: number): Promise<void> {
    this.#ending.add(lease)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      // This timer also keeps the event loop alive for callers that wait for memory, because nothing else might.
      timer = setTimeout(resolve, atMostMs)
    })
    await Promise.race([gone, late, lease.freed])
    clearTimeout(timer)
    this.#ending.delete(lease)
    lease.close()
  }

  /** @throws LimitError when the snapshot that a session is to start from does not fit */
  requireRoom(bytes: number, what: string): void {
    if (bytes > this.#total.freeBytes) throw this.error(what)
  }

  /**
   * Resolves when there is probably room to wake a session: for a slot, and for the memory and files of its snapshot. `scale` multiplies
   * the estimate; it is greater than 1 after the estimate turned out to be too low.
   *
   * @throws LimitError when there is no room until `untilMs` (on the clock of `performance.now()`), or can never be
   * @throws CancelledError when `signal` aborts first
   */
  async waitToWake(snapshot: Snapshot, scale: number, untilMs: number, signal?: AbortSignal): Promise<void> {
    const packagesBytes = this.#packagesBytes.get(snapshot.parts.head.imageId) ?? 0
    const bytes = Math.ceil(wakingBytes(snapshot, packagesBytes) * scale) + NEW_SLOT_BYTES + packagesBytes
    const max = this.#total.maxBytes ?? Number.POSITIVE_INFINITY
    const canFit =
      bytes <= max - this.#reserveBytes - this.#image.usedBytes - this.snapshots.costToHold(snapshot)
    // The engine may refuse memory to a slot although the account has room. Such retries must end, too.
    const isLate = scale > 1 && performance.now() >= untilMs
    if (canFit && !isLate && (await this.room.wait(bytes, untilMs, signal))) return
    const free = Math.max(0, this.#total.freeBytes - this.#reserveBytes)
    const message = `waking the session needs ${megabytes(bytes)} and maxMemoryBytes (${megabytes(max)}) has ${megabytes(free)} free`
    throw new LimitError('maxMemoryBytes', max, 'not-started', {
      message: `${message}; close or hibernate other sessions, or raise maxMemoryBytes`,
    })
  }

  error(what: string): LimitError {
    const max = this.#total.maxBytes ?? 0
    const message = `${what}: the manager's sessions hold ${this.#total.usedBytes} bytes of maxMemoryBytes, ${max}`
    const remedy = 'close sessions, lower their limits, or raise maxMemoryBytes'
    return new LimitError('maxMemoryBytes', max, 'not-started', {
      message: `${message}; ${remedy}`,
    })
  }

  stats(): MemoryStats {
    return {
      usedBytes: this.#total.usedBytes,
      maxBytes: this.#total.maxBytes,
      imageBytes: this.#image.usedBytes,
      slotBytes: this.#slots.usedBytes,
      snapshotBytes: this.snapshots.usedBytes,
      valueBytes: this.values.usedBytes,
    }
  }
}

/** Memory that a session needs in addition to a slot while it wakes: for its memory's growth, its files, and a copy of the snapshot. */
function wakingBytes({ parts: { head, body } }: Snapshot, packagesBytes: number): number {
  const grownBytes = Math.max(0, head.memoryBytes - BOOTED_BYTES - packagesBytes)
  return body.length + grownBytes + head.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`
}

function reserveBytes(limitBytes: number | null): number {
  return Math.min(MAX_RESERVE_BYTES, (limitBytes ?? Number.POSITIVE_INFINITY) / RESERVE_SHARE)
}

function keptBytes(limitBytes: number | null): number {
  const node = Number(process.versions.node.split('.')[0])
  let bytes = KEPT_BYTES
  for (const { share, maxBytes, sinceNode } of KEPT_SHARES)
    if (node >= sinceNode)
      bytes += Math.min(maxBytes, Math.floor((limitBytes ?? Number.POSITIVE_INFINITY) * share))
  return bytes
}

/** Bytes of the image's memory, its file table and the hashes. The contents of its files count only if they are not read from disk. */
function dataBytes({ fileTable, fileContents, fileSource }: ImageSizes): number {
  const hashesBytes = blockCount(fileContents.length) * BLOCK_HASH_BYTES
  const filesBytes = fileSource.kind === 'module' ? fileContents.length : 0
  return fileTable.offset + fileTable.length + hashesBytes + filesBytes
}

/** Three quarters of the memory that the process may use: its container's limit if it has one, else the machine's memory. */
export function defaultMaxMemoryBytes(): number {
  const total = totalmem()
  // 0 or an absurdly large number if nothing constrains the process.
  const constrained = process.constrainedMemory()
  const available = constrained > 0 && constrained < total ? constrained : total
  return Math.max(MIN_MEMORY_BYTES, Math.floor(available * DEFAULT_SHARE))
}
