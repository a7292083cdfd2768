// Which caller gets which slot: slots booted ahead of need, slots renewed between two leases, callers waiting in order. Owns the state of
// every slot; threads are slot-threads.ts's, the line of callers is waiting-line.ts's, sessions are the manager's.

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
import type { Slot } from './slot.js'
import { SlotThreads } from './slot-threads.js'
import type { SlotThread } from './thread.js'
import { WaitingLine } from './waiting-line.js'

/** Whom a slot may serve after its first lease. */
export type SlotReuse = 'any' | 'tenant' | 'never'

/** S1: nothing of one lease can be observed in the next. `tenant`: the only one that a slot may serve; undefined: anyone. */
type SlotState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'ready'; readonly tenant: string | undefined }
  | { readonly kind: 'leased'; readonly tenant: string }
  /** `previous` is what the lease before had of the memory, until the slot has been renewed. */
  | { readonly kind: 'renewing'; readonly tenant: string | undefined; readonly previous: SlotLease }

export interface PoolOptions {
  readonly slots: number
  readonly maxQueued: number
  readonly acquireTimeoutMs: number
  /** Default `any`. */
  readonly slotReuse?: SlotReuse
}

export interface PoolStats {
  readonly max: number
  readonly booting: number
  readonly ready: number
  readonly leased: number
  /** Between two leases: being made the image again. */
  readonly renewing: number
  /** Ready, but for the tenant they served (`slotReuse: 'tenant'`). */
  readonly parked: number
}

/** How a lease ended. */
export interface Released {
  /** Nothing went wrong, and nothing runs: the slot can be renewed. */
  readonly isClean: boolean
  /** Another session of its tenant may want a slot. */
  readonly isTenantShared: boolean
}

/** Slots kept booted beyond what is leased, as long as there is room. */
const SPARE_SLOTS = 2
/** Starting a thread blocks for milliseconds, so serve waiting callers before booting spare slots. */
const SPARE_DELAY_MS = 10
/** The first spare must not take a core from the first session of a process, which is about to run something. */
const FIRST_SPARE_DELAY_MS = 100
/** A thread exits within tens of milliseconds. Stop waiting for one that does not report its exit. */
const LAST_EXIT_MS = 5_000
/** The same where all threads have been told to end and Piscina has seen its own end. */
const CLOSE_EXIT_MS = 500
/** Boots that may fail in a row before callers are told instead of kept waiting. */
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
  /** Leases that have ended and whose memory is not free yet. */
  readonly #freeing = new Set<SlotLease>()
  /** Sessions that wait until slots that nobody uses have given their memory back: none are booted ahead of need meanwhile. */
  #makingRoom = 0
  /** Slots that still boot and end as soon as they have. */
  readonly #unwanted = new WeakSet<SlotThread>()
  #closed = false

  constructor(image: Image, options: PoolOptions, memory = new ManagerMemory(null, image)) {
    this.#options = options
    this.#memory = memory
    memory.onRelease = () => this.#roomCame()
    this.#line = new WaitingLine(options.acquireTimeoutMs, () => this.#timedOut())
    this.#threads = new SlotThreads(image, options.slots, (reason) => this.#bootFailed(reason))
    // One alone boots sooner than two that share the cores; spares follow when it is ready or somebody waits for another.
    if (this.#memory.hasPlenty) this.#boot()
  }

  get queued(): number {
    return this.#line.length
  }

  /** Slots that callers wait for and that will not come by themselves: all others are leased. */
  get missing(): number {
    // Asked after every call of every session.
    return this.#line.length === 0 ? 0 : Math.max(0, this.#line.length - this.#coming)
  }

  /** Every slot is leased, and there cannot be more. */
  get isExhausted(): boolean {
    return this.#coming === 0
  }

  /** Slots that somebody can have, now or when they have been booted or renewed. */
  get #coming(): number {
    return this.#slots.size - this.#leases.size + this.#bootable
  }

  /** Slots that can be booted, some of them when others that have ended are gone. */
  get #bootable(): number {
    return Math.min(this.#options.slots - this.#slots.size, this.#memory.slotsThatFit)
  }

  /** Slots are missing for want of memory: there could be more of them. */
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

  /** Threads started, and leases begun in a thread that had one before, since the pool was made. */
  get counters(): { readonly boots: number; readonly renewals: number } {
    return { boots: this.#boots, renewals: this.#renewals }
  }

  /**
   * A slot for one session of `tenant`, to be given back with `release`.
   *
   * @throws PoolExhaustedError when too many wait already, or all slots were leased to others for `acquireTimeoutMs`
   * @throws LimitError when that passes, and there would be a slot but for `maxMemoryBytes`
   * @throws CancelledError when `signal` aborts first
   * @throws SessionClosedError when the pool closes first
   */
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot> {
    if (this.#closed) return Promise.reject(closedError())
    if (signal?.aborted) return Promise.reject(new CancelledError('not-started', { cause: signal.reason }))
    const free = this.tryAcquire(tenant)
    if (free) return Promise.resolve(free)
    const { maxQueued, slots } = this.#options
    // Slots that are not leased are, or will soon be, for those who wait first.
    if (this.#line.length >= maxQueued + slots - this.#leases.size) {
      const message = `${this.#description()}, and ${this.#line.length} callers wait (maxQueued: ${maxQueued})`
      return Promise.reject(new PoolExhaustedError(`${message}; raise slots or maxQueued, or close sessions`))
    }
    const acquired = this.#line.join(tenant, signal)
    this.#serve()
    return acquired
  }

  /** A slot that is free right now, if nobody waits. */
  tryAcquire(tenant: string): Slot | undefined {
    if (this.#closed || this.#line.length > 0) return undefined
    const free = this.#find(tenant)
    return free && this.#lease(free, tenant)
  }

  /** Takes a leased slot back: it is renewed for the next lease, or its worker ends. Nobody has to wait for either. */
  release(slot: Slot, { isClean, isTenantShared }: Released): void {
    const thread = this.#leases.get(slot)
    if (thread === undefined) return
    const state = this.#slots.get(thread)
    if (state?.kind !== 'leased') return
    slot.disconnect()
    const { slotReuse = 'any' } = this.#options
    const isReusable =
      slotReuse === 'any' || (slotReuse === 'tenant' && isTenantShared && this.#line.isOnly(state.tenant))
    // A session that waits for memory gets that of the slot.
    const isKept = isClean && isReusable && !this.#memory.room.isAwaited
    if (!isKept || !slot.alive) return slot.terminate('its lease ended')
    this.#renew(thread, slotReuse === 'tenant' ? state.tenant : undefined)
  }

  /** Ends every slot and rejects every waiter. Resolves when the threads are gone and the account has their memory. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#spareTimer)
    clearImmediate(this.#roomTimer)
    this.#line.rejectAll(closedError())
    for (const thread of [...this.#slots.keys()]) thread.terminate('the manager closed')
    await this.#threads.close()
    // Threads that were ending before are gone soon as well. A slot whose task no thread had taken is told of none.
    const leases = [...this.#freeing]
    const timer = setTimeout(() => {
      for (const lease of leases) lease.close()
    }, CLOSE_EXIT_MS)
    await Promise.all(leases.map(({ freed }) => freed))
    clearTimeout(timer)
  }

  /** The one that was renewed last: its JavaScript is the hottest. */
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
        // `ended` sees every end, this one included.
      },
    )
    this.#serve()
  }

  /** Behind the others: the one that was renewed last is leased first, the one that has been free longest makes room first. */
  #nowReady(thread: SlotThread, tenant: string | undefined): void {
    if (!thread.alive) return
    this.#slots.delete(thread)
    this.#slots.set(thread, { kind: 'ready', tenant })
    this.#serve()
  }

  /** Gives slots to waiters, the longest waiting first. */
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

  /** Boots what waiters need at once and a few ahead later; a slot parked for another tenant makes room for a waiter. */
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
    // They would slow down a boot that a caller waits for. When it is done, `#provision` is called again.
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

  /** Somebody gave memory back, perhaps in the middle of something: what waits for a slot is looked at after that. */
  #roomCame(): void {
    if (this.#line.length === 0 && !this.#memory.room.isAwaited) return
    this.#roomTimer ??= setImmediate(() => {
      this.#roomTimer = undefined
      if (this.#closed) return
      this.#serve()
      this.#memory.room.look()
    })
  }

  /**
   * A session needs more memory than there is: slots that nobody uses are ended. Resolves when their memory is free; undefined if
   * there are none.
   */
  #makeRoom(): Promise<void> | undefined {
    const gone = this.endSpares('a session needs its memory')
    // Memory of leases that have ended before comes free soon.
    for (const { freed } of this.#freeing) gone.push(freed)
    if (gone.length === 0) return undefined
    this.#makingRoom += 1
    return Promise.all(gone).then(() => {
      this.#makingRoom -= 1
      if (!this.#closed) this.#provision()
    })
  }

  /** Ends slots that nobody uses or waits for, those that still boot included. The promises resolve when their memory is free. */
  endSpares(reason: string): Promise<void>[] {
    const gone: Promise<void>[] = []
    if (this.#line.length > 0) return gone
    for (const [thread, state] of [...this.#slots]) {
      if (state.kind === 'leased') continue
      const { memory } = thread.slot
      gone.push(memory.freed)
      if (state.kind === 'renewing') gone.push(state.previous.freed)
      // Until it has booted nobody can tell which thread it has, if any, and so not when its memory is free.
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
        // It has ended by itself.
      },
    )
  }

  /** False if there are as many slots as there may be, or no memory for one more. */
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
        // `ended` below sees every end, this one included.
      },
    )
    void thread.ended.then((reason) => this.#ended(thread, reason))
    return true
  }

  #ended(thread: SlotThread, reason: string): void {
    const state = this.#slots.get(thread)
    this.#slots.delete(thread)
    this.#leases.delete(thread.slot)
    const gone = this.#threads.gone(thread)
    this.#close(thread.slot.memory, gone)
    if (state?.kind === 'renewing') this.#close(state.previous, gone)
    if (this.#closed) return
    const hasFailed = state?.kind === 'booting' && !this.#unwanted.has(thread)
    if (hasFailed && !this.#countFailedBoot(reason)) return
    this.#serve()
  }

  #close(lease: SlotLease, gone: Promise<void>): void {
    this.#freeing.add(lease)
    void this.#memory.closeSlot(lease, gone, LAST_EXIT_MS).then(() => {
      this.#freeing.delete(lease)
      // There may be memory for spare slots now.
      if (!this.#closed) this.#provision()
    })
  }

  /**
   * Waits for a boot. What nobody waits for then runs a little of everything: V8 compiles each WebAssembly function when it is
   * first called, for all threads at once, so the first of them does so thoroughly, and JavaScript per thread: a session is
   * created in less than half the time.
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

  /** False when callers have been told instead of kept waiting for boots that go on failing. */
  #countFailedBoot(reason: string): boolean {
    this.#failedBoots++
    if (this.#failedBoots < MAX_FAILED_BOOTS) return true
    const message = `no worker boots, the last one because: ${reason}`
    this.#line.rejectAll(new InterpreterCrashedError(message, 'not-started'))
    return false
  }

  #timedOut(): PoolExhaustedError | LimitError {
    const { acquireTimeoutMs } = this.#options
    if (this.#lacksMemory) return this.#memory.error(`no memory came free within ${acquireTimeoutMs} ms`)
    const message = `no slot came free within acquireTimeoutMs (${acquireTimeoutMs} ms): ${this.#description()}`
    return new PoolExhaustedError(`${message}; raise slots or acquireTimeoutMs, or close sessions`)
  }

  /** What is true of the slots now. */
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
