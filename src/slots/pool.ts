// Decides which caller gets which slot, and when slots are booted, renewed and ended. Owns the state of every slot. slot-threads.ts owns
// the threads, waiting-line.ts the queue of callers, ended-leases.ts memory that is not free yet; the manager owns sessions.

import { ManagerMemory } from '../memory/manager-memory.js'
import type { SlotLease } from '../memory/slot-lease.js'
import {
  CancelledError,
  InterpreterCrashedError,
  type LimitError,
  PoolExhaustedError,
  SessionClosedError,
} from '../shared/errors.js'
import type { Image } from '../shared/image/image.js'
import { EndedLeases } from './ended-leases.js'
import type { PoolOptions, PoolStats, Released } from './pool-options.js'
import type { Slot } from './slot.js'
import { SlotThreads } from './slot-threads.js'
import type { SlotThread } from './thread.js'
import { WaitingLine } from './waiting-line.js'

/** `tenant`: the only one that may use the slot; undefined: any. In either case nothing of an earlier lease can be observed (S1). */
type SlotState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'ready'; readonly tenant: string | undefined }
  | { readonly kind: 'leased'; readonly tenant: string }
  /** `previous`: memory of the previous lease, which is freed once the slot has been renewed. */
  | { readonly kind: 'renewing'; readonly tenant: string | undefined; readonly previous: SlotLease }

/** Slots kept booted beyond what is leased, as long as there is room. */
const SPARE_SLOTS = 2
/** Starting a thread blocks for milliseconds, so serve waiting callers before booting spare slots. */
const SPARE_DELAY_MS = 10
/** Longer for the first one, so that it does not take a core from the first session of a process. */
const FIRST_SPARE_DELAY_MS = 100
/** After this many failed boots in a row, reject all waiting callers. */
const MAX_FAILED_BOOTS = 3

export class SlotPool {
  readonly #options: PoolOptions
  readonly #threads: SlotThreads
  readonly #slots = new Map<SlotThread, SlotState>()
  readonly #leases = new Map<Slot, SlotThread>()
  readonly #line: WaitingLine
  readonly #memory: ManagerMemory
  #boots = 0
  #renewals = 0
  #failedBoots = 0
  #spareTimer: NodeJS.Timeout | undefined
  #spareDelayMs = FIRST_SPARE_DELAY_MS
  #roomTimer: NodeJS.Immediate | undefined
  #warmed = false
  readonly #ended: EndedLeases
  /** Sessions waiting for the memory of unused slots. While there are any, no spare slots are booted. */
  #makingRoom = 0
  /** Booting slots that are ended as soon as they have booted. */
  readonly #unwanted = new WeakSet<SlotThread>()
  #closed = false

  constructor(image: Image, options: PoolOptions, memory = new ManagerMemory(null, image)) {
    this.#options = options
    this.#memory = memory
    memory.onRelease = () => this.#roomCame()
    // There may be memory for spare slots now.
    this.#ended = new EndedLeases(memory, () => {
      if (!this.#closed) this.#provision()
    })
    this.#line = new WaitingLine(options.acquireTimeoutMs, () => this.#timedOut())
    this.#threads = new SlotThreads(image, options.slots, (reason) => this.#bootFailed(reason))
    // Boot only one at first, because two would share the cores. Spares follow when it is ready, or when a caller waits for another.
    if (this.#memory.hasPlenty) this.#boot()
  }

  get queued(): number {
    return this.#line.length
  }

  /** How many waiting callers can get a slot only if a session gives one up. */
  get missing(): number {
    // Hot path: read after every call of every session.
    return this.#line.length === 0 ? 0 : Math.max(0, this.#line.length - this.#coming)
  }

  /** Every slot is leased, and no more can be booted. */
  get isExhausted(): boolean {
    return this.#coming === 0
  }

  /** Slots that are free, or will be once they have been booted or renewed. */
  get #coming(): number {
    return this.#slots.size - this.#leases.size + this.#bootable
  }

  /** How many more slots can be booted, counting memory that ended slots are about to free. */
  get #bootable(): number {
    return Math.min(this.#options.slots - this.#slots.size, this.#memory.slotsThatFit)
  }

  /** More slots are allowed, but there is no memory for one. */
  get #lacksMemory(): boolean {
    return this.#slots.size < this.#options.slots && this.#memory.slotsThatFit === 0
  }

  stats(): PoolStats {
    const counts = { booting: 0, ready: 0, leased: 0, renewing: 0, parked: 0 }
    for (const state of this.#slots.values()) {
      const isParked = state.kind === 'ready' && state.tenant !== undefined
      counts[isParked ? 'parked' : state.kind]++
    }
    return { max: this.#options.slots, ...counts }
  }

  /** Since the pool was made: threads started, and slots renewed. */
  get counters(): { readonly boots: number; readonly renewals: number } {
    return { boots: this.#boots, renewals: this.#renewals }
  }

  /**
   * Returns a slot for one session of `tenant`. Give it back with `release`.
   *
   * @throws PoolExhaustedError when the queue is full, or all slots were leased to others for `acquireTimeoutMs`
   * @throws LimitError when there was no slot for that time because of `maxMemoryBytes`
   * @throws CancelledError when `signal` aborts first
   * @throws SessionClosedError when the pool closes first
   */
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot> {
    if (this.#closed) return Promise.reject(closedError())
    if (signal?.aborted) return Promise.reject(new CancelledError('not-started', { cause: signal.reason }))
    const free = this.tryAcquire(tenant)
    if (free) return Promise.resolve(free)
    const { maxQueued, slots } = this.#options
    // Slots that are not leased go to the first callers in the queue, so these do not count against maxQueued.
    if (this.#line.length >= maxQueued + slots - this.#leases.size) {
      const message = `${this.#description()}, and ${this.#line.length} callers wait (maxQueued: ${maxQueued})`
      return Promise.reject(new PoolExhaustedError(`${message}; raise slots or maxQueued, or close sessions`))
    }
    const acquired = this.#line.join(tenant, signal)
    this.#serve()
    return acquired
  }

  /** A slot that is free right now, unless other callers are waiting. */
  tryAcquire(tenant: string): Slot | undefined {
    if (this.#closed || this.#line.length > 0) return undefined
    const free = this.#find(tenant)
    return free && this.#lease(free, tenant)
  }

  /** Takes a leased slot back. It is renewed, or its worker is ended; this does not wait for either. */
  release(slot: Slot, { isClean, isTenantShared }: Released): void {
    const thread = this.#leases.get(slot)
    if (thread === undefined) return
    const state = this.#slots.get(thread)
    if (state?.kind !== 'leased') return
    slot.disconnect()
    const { slotReuse = 'any' } = this.#options
    const isReusable =
      slotReuse === 'any' || (slotReuse === 'tenant' && isTenantShared && this.#line.isOnly(state.tenant))
    // If a session waits for memory, end the slot to free its memory.
    // The same where memory is short and the slot holds more than a new one does: a thread that exits surely frees all of it.
    const isLean = this.#memory.hasPlenty || slot.memory.bytes <= slot.memory.newBytes
    const isKept = isClean && isReusable && isLean && !this.#memory.room.isAwaited
    if (!isKept || !slot.alive) return slot.terminate('its lease ended')
    this.#renew(thread, slotReuse === 'tenant' ? state.tenant : undefined)
  }

  /** Ends every slot and rejects every waiting caller. Resolves when the threads are gone and their memory is free. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#spareTimer)
    clearImmediate(this.#roomTimer)
    this.#line.rejectAll(closedError())
    for (const thread of [...this.#slots.keys()]) thread.terminate('the manager closed')
    await this.#threads.close()
    await this.#ended.close()
  }

  /** A ready slot: one reserved for the tenant, else the one renewed last, whose JavaScript is the best optimized. */
  #find(tenant: string): SlotThread | undefined {
    let found: SlotThread | undefined
    for (const [thread, state] of this.#slots) {
      if (state.kind !== 'ready') continue
      if (state.tenant === tenant) return thread
      if (state.tenant === undefined) found = thread
    }
    return found
  }

  #lease(thread: SlotThread, tenant: string): Slot {
    const { slot } = thread
    this.#slots.set(thread, { kind: 'leased', tenant })
    this.#leases.set(slot, thread)
    this.#provision()
    return slot
  }

  #renew(thread: SlotThread, tenant: string | undefined): void {
    const { slot } = thread
    const memory = slot.memory.succeed()
    if (memory === undefined) return thread.terminate('there is no memory for another lease')
    this.#leases.delete(slot)
    this.#slots.set(thread, { kind: 'renewing', tenant, previous: slot.memory })
    const next = thread.renew(memory)
    next.ready.then(
      () => {
        const state = this.#slots.get(thread)
        if (state?.kind === 'renewing') state.previous.close()
        this.#renewals++
        this.#nowReady(thread, tenant)
      },
      () => {
        // The handler of `thread.ended` handles this.
      },
    )
    this.#serve()
  }

  /** Moves the slot to the end of the map: the slot renewed last is leased first, and the one idle longest is evicted first. */
  #nowReady(thread: SlotThread, tenant: string | undefined): void {
    if (!thread.alive) return
    this.#slots.delete(thread)
    this.#slots.set(thread, { kind: 'ready', tenant })
    this.#serve()
  }

  /** Gives ready slots to waiting callers, in order. */
  #serve(): void {
    for (;;) {
      const { first } = this.#line
      if (first === undefined) break
      const thread = this.#find(first.tenant)
      if (thread === undefined) break
      first.resolve(this.#lease(thread, first.tenant))
    }
    this.#provision()
    this.#line.count(this.#coming)
  }

  /** Boots slots for waiting callers at once, and spares later. If no more fit, evicts a slot parked for another tenant. */
  #provision(): void {
    if (this.#closed) return
    const { booting, ready, renewing } = this.stats()
    let missing = this.#line.length - booting - ready - renewing
    while (missing > 0 && this.#boot()) missing--
    if (missing > this.#bootable) this.#evict()
    else this.#spareTimer ??= setTimeout(() => this.#provisionSpares(), this.#spareDelayMs)
  }

  #provisionSpares(): void {
    this.#spareTimer = undefined
    this.#spareDelayMs = SPARE_DELAY_MS
    if (this.#makingRoom > 0) return
    const { booting, ready, renewing } = this.stats()
    // Spares would slow down a boot that a caller waits for. `#provision` runs again after that boot.
    if (booting > 0 && this.#line.length > 0) return
    let missing = this.#line.length + SPARE_SLOTS - booting - ready - renewing
    while (missing > 0 && this.#memory.hasPlenty && this.#boot()) missing--
  }

  #evict(): void {
    for (const [thread, state] of this.#slots) {
      if (state.kind === 'ready' && state.tenant !== undefined)
        return thread.terminate('another tenant needs its place')
    }
  }

  /** Memory was freed. Serves those who wait for it in a later turn, because the code that freed it may not have finished. */
  #roomCame(): void {
    if (this.#line.length === 0 && !this.#memory.room.isAwaited) return
    this.#roomTimer ??= setImmediate(() => {
      this.#roomTimer = undefined
      if (this.#closed) return
      this.#serve()
      this.#memory.room.look()
    })
  }

  /** Ends unused slots for a session that needs memory. Resolves when their memory is free; undefined if there is nothing to free. */
  #makeRoom(): Promise<void> | undefined {
    // Includes memory of leases that ended earlier, which is freed soon.
    const gone = [...this.endSpares('a session needs its memory'), ...this.#ended.freed]
    for (const state of this.#slots.values()) if (state.kind === 'renewing') gone.push(state.previous.freed)
    if (gone.length === 0) return undefined
    this.#makingRoom += 1
    return Promise.all(gone).then(() => {
      this.#makingRoom -= 1
      if (!this.#closed) this.#provision()
    })
  }

  /** Ends slots that are neither leased nor waited for, including booting ones. The promises resolve when their memory is free. */
  endSpares(reason: string): Promise<void>[] {
    const gone: Promise<void>[] = []
    if (this.#line.length > 0) return gone
    for (const [thread, state] of [...this.#slots]) {
      if (state.kind === 'leased') continue
      const { memory } = thread.slot
      gone.push(memory.freed)
      if (state.kind === 'renewing') gone.push(state.previous.freed)
      // Until a slot has booted it is unknown which thread it has, if any, and so when its memory is free.
      if (state.kind === 'booting') this.#endOnceBooted(thread, reason)
      else thread.terminate(reason)
    }
    return gone
  }

  #endOnceBooted(thread: SlotThread, reason: string): void {
    if (this.#unwanted.has(thread)) return
    this.#unwanted.add(thread)
    thread.slot.ready.then(
      () => thread.terminate(reason),
      () => {
        // It has already ended.
      },
    )
  }

  /** Starts booting a slot. Returns false if `slots` is reached or there is no memory for one more. */
  #boot(): boolean {
    if (this.#slots.size >= this.#options.slots) return false
    const memory = this.#memory.openSlot(() => this.#makeRoom())
    if (memory === undefined) return false
    const thread = this.#threads.start(memory)
    this.#boots++
    this.#slots.set(thread, { kind: 'booting' })
    void this.#warm(thread.slot).then(
      () => {
        if (thread.alive) this.#failedBoots = 0
        this.#nowReady(thread, undefined)
      },
      () => {
        // The handler of `thread.ended` below handles this.
      },
    )
    void thread.ended.then((reason) => this.#threadEnded(thread, reason))
    return true
  }

  #threadEnded(thread: SlotThread, reason: string): void {
    const state = this.#slots.get(thread)
    this.#slots.delete(thread)
    this.#leases.delete(thread.slot)
    const gone = this.#threads.gone(thread)
    this.#ended.add(thread.slot.memory, gone)
    if (state?.kind === 'renewing') this.#ended.add(state.previous, gone)
    if (this.#closed) return
    const hasFailed = state?.kind === 'booting' && !this.#unwanted.has(thread)
    if (hasFailed && !this.#countFailedBoot(reason)) return
    this.#serve()
  }

  /**
   * Waits for a boot, then warms the slot up if no caller waits for it: V8 compiles functions when they are first called. WebAssembly is
   * compiled once for all threads, so the first slot runs more of it; JavaScript is compiled per thread. Creating a session then takes
   * less than half the time.
   */
  async #warm(slot: Slot): Promise<void> {
    await slot.ready
    if (this.#line.length > 0) return
    const first = !this.#warmed
    this.#warmed = true
    const reply = await slot.call('warm', [first])
    if (reply.kind === 'died') slot.terminate(reply.reason)
  }

  #bootFailed(reason: string): void {
    for (const [thread, { kind }] of [...this.#slots]) if (kind === 'booting') thread.terminate(reason)
  }

  /** Returns false once too many boots in a row have failed and the waiting callers have been rejected. */
  #countFailedBoot(reason: string): boolean {
    this.#failedBoots++
    if (this.#failedBoots < MAX_FAILED_BOOTS) return true
    const message = `the last ${MAX_FAILED_BOOTS} workers failed to boot; the last one because: ${reason}`
    this.#line.rejectAll(new InterpreterCrashedError(message, 'not-started'))
    return false
  }

  #timedOut(): PoolExhaustedError | LimitError {
    const { acquireTimeoutMs } = this.#options
    if (this.#lacksMemory) return this.#memory.error(`no memory came free within ${acquireTimeoutMs} ms`)
    const message = `no slot came free within acquireTimeoutMs (${acquireTimeoutMs} ms): ${this.#description()}`
    return new PoolExhaustedError(`${message}; raise slots or acquireTimeoutMs, or close sessions`)
  }

  /** The state of the slots, for error messages. */
  #description(): string {
    const { max, leased, booting, renewing } = this.stats()
    const parts = [`${leased} of ${max} slots are leased`]
    if (booting > 0) parts.push(`${booting} still boot`)
    if (renewing > 0) parts.push(`${renewing} are being renewed`)
    return parts.join(', ')
  }
}

function closedError(): SessionClosedError {
  return new SessionClosedError('the SessionManager is closed')
}
