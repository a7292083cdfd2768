// The memory that one lease takes from the manager's account: a fixed share while the slot's thread lives, and memory granted on request.
// Owns the main thread's half of these requests (workers/memory/budget.ts has the slot's), and returning everything exactly once.
//
// The slot's messages are untrusted (R3). A slot can only return memory, and no more than it was granted. How much it really uses cannot
// be checked here.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { deferred } from '../deferred.js'
import { ANSWERED, GRANT_BYTES, GRANTED, type MemoryWire } from '../shared/messages/memory.js'
import { PacedPort } from '../shared/threads/paced-port.js'
import type { MemoryAccount } from './account.js'

const MiB = 1024 * 1024

/**
 * Memory of a slot before a session allocates anything: 32 MiB of interpreter memory, all pages of which are eventually used, plus the
 * thread, the isolate and the instance. Measured by `npm run bench -- memory`.
 */
export const SLOT_BYTES = 48 * MiB
/** Memory that a slot may use in addition without a request. */
const INITIAL_BYTES = 8 * MiB
/** All memory of a new slot. */
export const NEW_SLOT_BYTES = SLOT_BYTES + INITIAL_BYTES

/** Grants exceed the request by a sixteenth of the free memory, so that most sessions ask at most once. */
const EXTRA_SHARE = 16
const MAX_EXTRA_BYTES = 16 * MiB
/** More than WebAssembly memory, files and a snapshot can take together. */
const MAX_ASKED_BYTES = 2 ** 44
/** A slot asks once and waits, and not again for 20 ms after a refusal. */
const MAX_MESSAGES_AT_ONCE = 1_000
const MAX_MESSAGES_PER_MS = 20

export interface LeaseOptions {
  readonly account: MemoryAccount
  /** Memory of a slot's interpreter beyond 32 MiB, for packages in the image's memory. Default: 0. */
  readonly packagesBytes?: number
  /** Part of the account that only packing may take. */
  readonly reserveBytes: number
  /** Called when a request cannot be granted. Frees unused memory, and resolves when that is done; returns undefined if there is none. */
  readonly makeRoom: () => Promise<void> | undefined
}

export class SlotLease {
  readonly #options: LeaseOptions
  readonly #port: MessagePort
  readonly #words = new Int32Array(new SharedArrayBuffer(8))
  readonly #startedMs = performance.now()
  /** For the slot; the port goes into the transfer list. */
  readonly wire: MemoryWire
  /** Called when the slot sends something that our own code in a slot never sends. */
  onViolation: (what: string) => void = () => {}
  #ownBytes: number
  /** Bytes granted in addition to `#ownBytes`. */
  #grantedBytes = INITIAL_BYTES
  /** Bytes sent to the slot, which take memory until it has answered. */
  #sentBytes = 0
  #messages = 0
  #closed = false
  readonly #threadEnded = deferred<void>()
  readonly #freed = deferred<void>()

  /** Undefined if there is no room for another slot. */
  static open(options: LeaseOptions): SlotLease | undefined {
    const { account, reserveBytes, packagesBytes = 0 } = options
    const bytes = NEW_SLOT_BYTES + packagesBytes
    if (account.freeBytes - reserveBytes < bytes) return undefined
    account.take(bytes)
    return new SlotLease(options)
  }

  /**
   * Opens the slot's next lease with part of this one's memory. This lease keeps the rest until it is closed, because the slot uses it
   * until it has been renewed, and no longer receives messages. Returns undefined if there is no memory for the next lease.
   */
  succeed(): SlotLease | undefined {
    const missing = this.newBytes - this.bytes
    if (this.#closed || !this.#options.account.tryTake(Math.max(0, missing))) return undefined
    this.#ownBytes = 0
    this.#grantedBytes = Math.max(0, -missing)
    this.#sentBytes = 0
    this.#port.close()
    return new SlotLease(this.#options)
  }

  private constructor(options: LeaseOptions) {
    this.#options = options
    this.#ownBytes = SLOT_BYTES + (options.packagesBytes ?? 0)
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.wire = { port: port2, words: this.#words.buffer as SharedArrayBuffer, bytes: INITIAL_BYTES }
    new PacedPort(port1, (message) => this.#receive(message)).unref()
    port1.on('close', () => this.#threadEnded.resolve(undefined))
  }

  /** Bytes that the lease held when it was new. */
  get newBytes(): number {
    return NEW_SLOT_BYTES + (this.#options.packagesBytes ?? 0)
  }

  /** All bytes that the account holds for this slot. */
  get bytes(): number {
    return this.#closed ? 0 : this.#ownBytes + this.#grantedBytes + this.#sentBytes
  }

  /** Returns memory that the slot reports to use no more. */
  giveBack(bytes: number): void {
    if (this.#closed) return
    if (!Number.isSafeInteger(bytes) || bytes > this.#grantedBytes)
      return this.onViolation('it returned more memory than it was granted')
    this.#grantedBytes -= bytes
    this.#options.account.release(bytes)
  }

  /** Takes memory for bytes to send to the slot. Resolves to false, taking nothing, if there is none. */
  async takeToSend(bytes: number): Promise<boolean> {
    const { account, makeRoom } = this.#options
    if (bytes > account.freeBytes) await makeRoom()
    if (this.#closed || !account.tryTake(bytes)) return false
    this.#sentBytes += bytes
    return true
  }

  /** Call when the bytes that were sent no longer take memory. */
  releaseSent(bytes: number): void {
    if (this.#closed) return
    this.#sentBytes -= bytes
    this.#options.account.release(bytes)
  }

  /** Closes the slot's end of the port, in case no thread ever took it. */
  abandon(): void {
    this.wire.port.close()
  }

  /** Resolves when the slot's thread is ending: its end of the port is closed then. */
  get threadEnded(): Promise<void> {
    return this.#threadEnded.promise
  }

  /** Resolves when everything has been returned. */
  get freed(): Promise<void> {
    return this.#freed.promise
  }

  /** Returns everything to the account. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#options.account.release(this.bytes)
    this.#closed = true
    this.#port.close()
    this.#freed.resolve(undefined)
  }

  #receive(message: unknown): void {
    if (this.#closed) return
    const elapsedMs = performance.now() - this.#startedMs
    const isFlood = ++this.#messages > MAX_MESSAGES_AT_ONCE + MAX_MESSAGES_PER_MS * elapsedMs
    if (!isMessage(message) || isFlood)
      return this.onViolation('a malformed memory request, or too many of them')
    const [what, bytes] = message
    if (what === 'giveBack') this.giveBack(bytes)
    else if (!this.#grant(what, bytes)) this.#grantLater(what, bytes)
  }

  /** Grants the request, or returns false if there is no room. */
  #grant(what: 'grow' | 'pack', bytes: number): boolean {
    const { account, reserveBytes } = this.#options
    const free = account.freeBytes - (what === 'grow' ? reserveBytes : 0)
    if (bytes > free) return false
    // An account without a limit has infinite room.
    const extra = Math.min(MAX_EXTRA_BYTES, (free - bytes) / EXTRA_SHARE)
    this.#answer(Math.floor((bytes + extra) / GRANT_BYTES))
    return true
  }

  #grantLater(what: 'grow' | 'pack', bytes: number): void {
    const room = this.#options.makeRoom()
    if (room === undefined) return this.#answer(0)
    void room.then(() => {
      if (!this.#closed && !this.#grant(what, bytes)) this.#answer(0)
    })
  }

  #answer(units: number): void {
    const bytes = units * GRANT_BYTES
    this.#options.account.take(bytes)
    this.#grantedBytes += bytes
    Atomics.add(this.#words, GRANTED, units)
    Atomics.add(this.#words, ANSWERED, 1)
    Atomics.notify(this.#words, ANSWERED)
  }
}

function isMessage(message: unknown): message is ['grow' | 'pack' | 'giveBack', number] {
  if (!Array.isArray(message) || message.length !== 2) return false
  const [what, bytes] = message as unknown[]
  if (what !== 'grow' && what !== 'pack' && what !== 'giveBack') return false
  if (typeof bytes !== 'number' || !(bytes > 0 && bytes <= MAX_ASKED_BYTES)) return false
  return what === 'giveBack' || bytes % GRANT_BYTES === 0
}
