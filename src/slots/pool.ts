// Decides which caller gets which slot, and when slots are booted, renewed and ended. Owns the state of every slot. slot-threads.ts owns
// the threads, waiting-line.ts the queue of callers, spare-slots.ts how many slots are booted ahead, ended-leases.ts the memory that is not
// free yet, the manager the sessions.

import { ManagerMemory } from '../memory/manager-memory.js'
import { CancelledError, type LimitError, PoolExhaustedError, SessionClosedError } from '../shared/errors.js'
import type { Image } from '../shared/image/image.js'
import { Observer } from '../telemetry/observer.js'
import { EndedLeases } from './ended-leases.js'
import { FailedBoots } from './failed-boots.js'
import type { PoolOptions, PoolStats, Released, SlotRequest } from './pool-options.js'
import type { Slot } from './slot.js'
import { SlotObserver } from './slot-observer.js'
import { SlotTable } from './slot-table.js'
import { SlotThreads } from './slot-threads.js'
import { SpareSlots } from './spare-slots.js'
import type { SlotThread } from './thread.js'
import { WaitingLine } from './waiting-line.js'

export class SlotPool {
  readonly #options: PoolOptions
  readonly #threads: SlotThreads
  readonly #slots = new SlotTable()
  readonly #leases = new Map<Slot, SlotThread>()
  readonly #line: WaitingLine
  readonly #memory: ManagerMemory
  readonly #observer: SlotObserver
  /** Image of the last request. Spare slots have this image. */
  #latestImageId: string
  #boots = 0
  #renewals = 0
  readonly #failedBoots = new FailedBoots()
  readonly #spares = new SpareSlots(() => this.#bootSpare())
  #roomTimer: NodeJS.Immediate | undefined
  /** Images whose code has run in a slot. */
  readonly #warmed = new Set<string>()
  readonly #ended: EndedLeases
  /** Sessions waiting for the memory of unused slots. While there are any, no spare slots are booted. */
  #makingRoom = 0
  /** Booting slots that are ended as soon as they have booted. */
  readonly #unwanted = new WeakSet<SlotThread>()
  #closed = false

  /** @param images the first is the default */
  constructor(
    images: readonly [Image, ...Image[]],
    options: PoolOptions,
    memory = new ManagerMemory(null, images),
    observer = new Observer(),
  ) {
    this.#observer = new SlotObserver(observer)
    this.#latestImageId = images[0].id
    this.#options = options
    this.#memory = memory
    memory.onRelease = () => this.#roomCame()
    // When a lease's memory is free, there may be room for spare slots.
    this.#ended = new EndedLeases(memory, () => {
      if (!this.#closed) this.#provision()
    })
    this.#line = new WaitingLine(options.acquireTimeoutMs, () => this.#timedOut())
    this.#threads = new SlotThreads(images, options.slots, (...failure) => this.#bootFailed(...failure))
    // Boot only one at first, because two would share the cores. Spares follow when it is ready, or when a caller waits for another.
    if (this.#memory.hasPlenty) this.#boot(this.#latestImageId)
  }

  get queued(): number {
    return this.#line.length
  }

  /** How many waiting callers can get a slot only if a session gives one up. */
  get missing(): number {
    // Hot path: read after every call of every session.
    return this.#line.length === 0 ? 0 : Math.max(0, this.#line.length - this.#coming)
  }

  /** Whether every slot is leased, and no more can be booted. */
  get isExhausted(): boolean {
    return this.#coming === 0
  }

  /** Whether the next caller gets a slot only if a session gives one up. */
  get isCrowded(): boolean {
    return this.#coming <= this.#line.length
  }

  /** Slots that are free, or will be once they have been booted or renewed. */
  get #coming(): number {
    return this.#slots.size - this.#leases.size + this.#bootable
  }

  /** How many more slots can be booted, counting memory that ended slots are about to free. */
  get #bootable(): number {
    return Math.min(this.#options.slots - this.#slots.size, this.#memory.slotsThatFit)
  }

  /** Whether more slots are allowed, but there is no memory for one. */
  get #lacksMemory(): boolean {
    return this.#slots.size < this.#options.slots && this.#memory.slotsThatFit === 0
  }

  stats(): PoolStats {
    return { max: this.#options.slots, ...this.#slots.count() }
  }

  /** Number of threads started and of slots renewed since the pool was created. */
  get counters(): { readonly boots: number; readonly renewals: number } {
    return { boots: this.#boots, renewals: this.#renewals }
  }

  /**
   * Returns a slot for one session. Give it back with `release`.
   *
   * @throws PoolExhaustedError when the queue is full, or all slots were leased to others for `acquireTimeoutMs`
   * @throws LimitError when there was no slot for that time because of `maxMemoryBytes`
   * @throws CancelledError when `signal` aborts first
   * @throws SessionClosedError when the pool closes first
   */
  acquire(request: SlotRequest, signal?: AbortSignal): Promise<Slot> {
    if (this.#closed) return Promise.reject(closedError())
    if (signal?.aborted) return Promise.reject(new CancelledError('not-started', { cause: signal.reason }))
    const free = this.tryAcquire(request)
    if (free) return Promise.resolve(free)
    const { maxQueued, slots } = this.#options
    // Slots that are not leased go to the first callers in the queue, so these do not count against maxQueued.
    if (this.#line.length >= maxQueued + slots - this.#leases.size) {
      const message = `${this.#description()}, and ${this.#line.length} callers wait (maxQueued: ${maxQueued})`
      return Promise.reject(new PoolExhaustedError(`${message}; raise slots or maxQueued, or close sessions`))
    }
    this.#latestImageId = request.imageId
    const acquired = this.#line.join(request, signal)
    this.#observer.forCaller(() => this.#serve())
    return acquired
  }

  /** Returns a slot that is free right now, unless other callers are waiting. */
  tryAcquire(request: SlotRequest): Slot | undefined {
    if (this.#closed) return undefined
    const free = this.#line.length > 0 ? undefined : this.#slots.find(request)
    this.#spares.callerCame(free !== undefined)
    if (free) this.#latestImageId = request.imageId
    return free && this.#lease(free, request.tenant)
  }

  /** Takes a leased slot back, and renews it or ends its worker. Does not wait for either. */
  release(slot: Slot, { isClean, isTenantShared }: Released): void {
    const thread = this.#leases.get(slot)
    if (thread === undefined) return
    const state = this.#slots.get(thread)
    if (state?.kind !== 'leased') return
    slot.disconnect()
    this.#observer.released(thread, state.tenant)
    const { slotReuse = 'any' } = this.#options
    const isReusable =
      slotReuse === 'any' || (slotReuse === 'tenant' && isTenantShared && this.#line.isOnly(state.tenant))
    // If a session waits for memory, end the slot to free its memory. Also end it if memory is short and the slot holds more than a new
    // one: only a thread's exit is certain to free all of it.
    const isLean = this.#memory.hasPlenty || slot.memory.bytes <= slot.memory.newBytes
    const isWanted = this.#line.length === 0 || this.#line.first(thread.imageId) !== undefined
    const isKept = isClean && isReusable && isLean && isWanted && !this.#memory.room.isAwaited
    if (!isKept || !slot.alive) return slot.terminate('its lease ended')
    this.#renew(thread, slotReuse === 'tenant' ? state.tenant : undefined)
  }

  /** Ends every slot and rejects every waiting caller. Resolves when the threads are gone and their memory is free. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#observer.closing()
    this.#spares.close()
    clearImmediate(this.#roomTimer)
    this.#line.rejectAll(closedError())
    for (const thread of [...this.#slots.keys()]) thread.terminate('the manager closed')
    await this.#threads.close()
    await this.#ended.close()
  }

  #lease(thread: SlotThread, tenant: string): Slot {
    const { slot } = thread
    this.#slots.set(thread, { kind: 'leased', tenant })
    this.#leases.set(slot, thread)
    this.#observer.leased(thread, tenant)
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
    this.#observer.renewing(thread, next.ready)
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

  /** Gives ready slots to waiting callers, in order. Callers that wait for another image do not block them. */
  #serve(): void {
    for (const imageId of this.#line.countByImage().keys()) {
      for (;;) {
        const first = this.#line.first(imageId)
        const thread = first && this.#slots.find(first)
        if (thread === undefined) break
        first?.resolve(this.#lease(thread, first.tenant))
      }
    }
    this.#provision()
    this.#line.count(this.#coming)
  }

  /** Boots slots for waiting callers at once, and spares later. If no more fit, evicts a slot that no caller can use. */
  #provision(): void {
    if (this.#closed) return
    let missing = 0
    for (const [imageId, waiting] of this.#line.countByImage()) {
      let missingOfImage = Math.max(0, waiting - this.#slots.countComing(imageId))
      while (missingOfImage > 0 && this.#boot(imageId)) missingOfImage--
      missing += missingOfImage
    }
    if (missing > this.#bootable) this.#evict()
    else this.#spares.schedule()
  }

  #bootSpare(): void {
    if (this.#makingRoom > 0) return
    // Two boots at the same time would leave no core to the sessions that run. `#provision` runs again after the boot.
    if (this.stats().booting > 0) return
    const imageId = this.#latestImageId
    const waiting = this.#line.countByImage().get(imageId) ?? 0
    const coming = this.#slots.countComing(imageId) + this.#slots.countLeaving(imageId)
    if (coming < waiting + this.#spares.wanted && this.#memory.hasPlenty) this.#boot(imageId)
  }

  /** Ends a slot that was not given to a waiting caller: it is parked for another tenant, or of another image. */
  #evict(): void {
    for (const [thread, { kind }] of this.#slots)
      if (kind === 'ready') return thread.terminate('another session needs a slot')
  }

  /** Call when memory was freed. Serves waiting callers in a later turn, because the code that freed it may not have finished. */
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
    // Also wait for the memory of leases that ended earlier, which is freed soon.
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
      // Until a slot has booted, it is unknown which thread it has, if any, and so when its memory is free.
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
  #boot(imageId: string): boolean {
    if (this.#slots.size + this.#threads.stoppingCount >= this.#options.slots) return false
    const memory = this.#memory.openSlot(imageId, () => this.#makeRoom())
    if (memory === undefined) return false
    const thread = this.#threads.start(imageId, memory)
    this.#observer.booting(thread)
    this.#boots++
    this.#slots.set(thread, { kind: 'booting' })
    void this.#warm(thread).then(
      () => {
        if (thread.alive) this.#failedBoots.clear(imageId)
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
    this.#observer.ended(thread, reason, state?.kind)
    if (this.#closed) return
    // The thread keeps its place in its Piscina until its worker may be ended.
    if (this.#threads.stoppingCount > 0) void thread.stopped.then(() => this.#closed || this.#serve())
    const hasFailed = state?.kind === 'booting' && !this.#unwanted.has(thread)
    const error = hasFailed ? this.#failedBoots.add(thread.imageId, reason) : undefined
    if (error) this.#line.rejectAll(error, thread.imageId)
    else this.#serve()
  }

  /**
   * Waits for a boot, then warms the slot up if no caller waits for it: V8 compiles functions when they are first called. WebAssembly is
   * compiled once for all threads, so the first slot runs more of it; JavaScript is compiled per thread. Creating a session then takes
   * less than half the time.
   */
  async #warm({ slot, imageId }: SlotThread): Promise<void> {
    await slot.ready
    if (this.#line.length > 0) return
    const first = !this.#warmed.has(imageId)
    this.#warmed.add(imageId)
    const reply = await slot.call('warm', [first])
    if (reply.kind === 'died') slot.terminate(reply.reason)
  }

  #bootFailed(imageId: string, reason: string): void {
    for (const [thread, { kind }] of [...this.#slots])
      if (kind === 'booting' && thread.imageId === imageId) thread.terminate(reason)
  }

  #timedOut(): PoolExhaustedError | LimitError {
    const { acquireTimeoutMs } = this.#options
    if (this.#lacksMemory) return this.#memory.error(`no memory became free within ${acquireTimeoutMs} ms`)
    const message = `no slot became free within acquireTimeoutMs (${acquireTimeoutMs} ms): ${this.#description()}`
    return new PoolExhaustedError(`${message}; raise slots or acquireTimeoutMs, or close sessions`)
  }

  /** The state of the slots, for error messages. */
  #description(): string {
    const { max, leased, booting, renewing } = this.stats()
    const parts = [`${leased} of ${max} slots are leased`]
    if (booting > 0) parts.push(`${booting} booting`)
    if (renewing > 0) parts.push(`${renewing} being renewed`)
    return parts.join(', ')
  }
}

function closedError(): SessionClosedError {
  return new SessionClosedError('the SessionManager is closed')
}
