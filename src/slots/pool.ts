// Which caller gets which slot: slots booted ahead of need, callers waiting in order, slots kept for their tenant. Owns
// the slots and the queue; threads are Piscina's (a slot is one long task of it), sessions are the manager's.
//
// Piscina's own queue cannot do this job (its 5.3.2 source): a task with an abort signal that finds no worker goes to a
// side queue that `maxQueue` does not count, a worker removed by an abort is not replaced above `minThreads` although
// tasks wait, and no task can ask for a worker of its own tenant.
import type { MessagePort, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { ManagerMemory } from '../memory/manager-memory.js'
import {
  CancelledError,
  InterpreterCrashedError,
  PoolExhaustedError,
  SessionClosedError,
} from '../shared/errors.js'
import type { Image } from '../shared/image/image.js'
import { messageOf } from '../shared/thrown.js'
import { Slot } from './slot.js'

/** S1: a slot that has served a tenant is only ever leased to that tenant again. */
type SlotState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'leased'; readonly tenant: string }
  | { readonly kind: 'parked'; readonly tenant: string }

interface Waiter {
  readonly tenant: string
  readonly resolve: (slot: Slot) => void
  readonly reject: (error: Error) => void
}

export interface PoolOptions {
  readonly slots: number
  readonly maxQueued: number
  readonly acquireTimeoutMs: number
}

export interface PoolStats {
  readonly max: number
  readonly booting: number
  readonly ready: number
  readonly leased: number
  /** Free, but kept for the tenant they served. */
  readonly parked: number
}

/** Slots kept booted beyond what is leased, as long as there is room. */
const SPARE_SLOTS = 2
/** Starting a thread blocks this one for milliseconds, so serve waiting callers before booting spare slots. */
const SPARE_DELAY_MS = 10
/** A thread exits within tens of milliseconds. Stop waiting for one that does not report its exit. */
const LAST_EXIT_MS = 5_000
/** The same where all threads have been told to end and Piscina has seen its own end. */
const CLOSE_EXIT_MS = 500
/** Boots that may fail in a row before callers are told instead of kept waiting. */
const MAX_FAILED_BOOTS = 3
/** With V8's default stack, nested data overflows it before CPython's own guard sees the depth (DESIGN.md 6). */
const STACK_MB = 64
/** A slot's JavaScript allocates little; without this its heap grows to several times what it uses. */
const YOUNG_GENERATION_MB = 4
/**
 * Most that a slot needs: files by the ten thousand, all of them in a snapshot. Without it V8 collects nothing before there are
 * hundreds of megabytes of garbage, which are in no account.
 */
const OLD_GENERATION_MB = 384

export class SlotPool {
  readonly #options: PoolOptions
  readonly #piscina: Piscina
  readonly #slots = new Map<Slot, SlotState>()
  /** Slots that are gone, but not yet their threads and memory. */
  readonly #stopping = new Set<Slot>()
  /** Threads that have ended and that no slot has been told of; slots that wait to be told. */
  #exits = 0
  readonly #awaitingExit: (() => void)[] = []
  readonly #waiters: Waiter[] = []
  readonly #memory: ManagerMemory
  #failedBoots = 0
  #spareTimer: NodeJS.Timeout | undefined
  #roomTimer: NodeJS.Immediate | undefined
  #warmed = false
  /** Sessions that wait until slots that nobody uses have given their memory back: none are booted ahead of need meanwhile. */
  #makingRoom = 0
  /** Slots that still boot and end as soon as they have. */
  readonly #unwanted = new WeakSet<Slot>()
  #closed = false

  constructor(image: Image, options: PoolOptions, memory = new ManagerMemory(null, image)) {
    this.#options = options
    this.#memory = memory
    memory.onRelease = () => this.#roomCame()
    this.#piscina = new Piscina({
      filename: new URL('../../workers/slot.bundle.cjs', import.meta.url).href,
      name: 'serve',
      workerData: image,
      minThreads: 0,
      maxThreads: options.slots,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      // The worker gets no environment, arguments or flags of ours (ATTACKS.md D29, A20).
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: {
        stackSizeMb: STACK_MB,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: OLD_GENERATION_MB,
      },
    })
    this.#piscina.on('error', (error: unknown) => this.#bootFailed(error))
    this.#piscina.on('workerCreate', (worker: object) =>
      endAfterTask(worker).once('exit', () => this.#exited()),
    )
    this.#provisionSpares()
  }

  get queued(): number {
    return this.#waiters.length
  }

  /** Slots that callers wait for and that will not come by themselves: all others are leased. */
  get missing(): number {
    // Asked after every call of every session.
    if (this.#waiters.length === 0) return 0
    const { booting, ready, parked } = this.stats()
    return Math.max(0, this.#waiters.length - booting - ready - parked - this.#bootable)
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
    const counts = { booting: 0, ready: 0, leased: 0, parked: 0 }
    for (const { kind } of this.#slots.values()) counts[kind]++
    return { max: this.#options.slots, ...counts }
  }

  /**
   * A slot for one session of `tenant`, to be given back with `release`.
   *
   * @throws PoolExhaustedError when too many wait already or `acquireTimeoutMs` passes
   * @throws LimitError when it passes, and there would be a slot but for `maxMemoryBytes`
   * @throws CancelledError when `signal` aborts first
   * @throws SessionClosedError when the pool closes first
   */
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot> {
    if (this.#closed) return Promise.reject(closedError())
    if (signal?.aborted) return Promise.reject(new CancelledError('not-started', { cause: signal.reason }))
    const free = this.#waiters.length === 0 ? this.#find(tenant) : undefined
    if (free) return Promise.resolve(this.#lease(free, tenant))
    const { maxQueued, slots, acquireTimeoutMs } = this.#options
    // Slots that are not leased are, or will soon be, for those who wait first.
    if (this.#waiters.length >= maxQueued + slots - this.stats().leased) {
      const message = `all ${slots} slots are in use and ${this.#waiters.length} callers wait (maxQueued: ${maxQueued})`
      return Promise.reject(new PoolExhaustedError(`${message}; raise slots or maxQueued, or close sessions`))
    }
    return new Promise<Slot>((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        const index = this.#waiters.indexOf(waiter)
        if (index >= 0) this.#waiters.splice(index, 1)
      }
      const waiter: Waiter = {
        tenant,
        resolve: (slot) => {
          leave()
          resolve(slot)
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      const onAbort = () => waiter.reject(new CancelledError('not-started', { cause: signal?.reason }))
      const timer = Number.isFinite(acquireTimeoutMs)
        ? setTimeout(() => {
            if (this.#lacksMemory)
              return waiter.reject(this.#memory.error(`no memory came free within ${acquireTimeoutMs} ms`))
            const message = `no slot came free within acquireTimeoutMs (${acquireTimeoutMs} ms)`
            waiter.reject(new PoolExhaustedError(`${message}; all ${slots} are in use`))
          }, acquireTimeoutMs)
        : undefined
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
      this.#serve()
    })
  }

  /** A slot that is free right now, if nobody waits. */
  tryAcquire(tenant: string): Slot | undefined {
    if (this.#closed || this.#waiters.length > 0) return undefined
    const free = this.#find(tenant)
    return free && this.#lease(free, tenant)
  }

  /** Takes a leased slot back. With `keep` it is made the image again and kept for its tenant, else its worker ends. */
  async release(slot: Slot, keep: boolean): Promise<void> {
    const state = this.#slots.get(slot)
    if (state?.kind !== 'leased') return
    slot.disconnect()
    if (
      keep &&
      !this.#memory.room.isAwaited &&
      this.#waiters.every(({ tenant }) => tenant === state.tenant)
    ) {
      const reply = await slot.call('revert', []).catch(() => undefined)
      if (reply?.kind === 'reverted' && reply.done && slot.alive) {
        // Behind the others: the one that has been free longest is the first to be leased again, and to make room.
        this.#slots.delete(slot)
        this.#slots.set(slot, { kind: 'parked', tenant: state.tenant })
        this.#serve()
        return
      }
    }
    slot.terminate('its lease ended')
  }

  /** Ends every slot and rejects every waiter. Resolves when the threads are gone and the account has their memory. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#spareTimer)
    clearImmediate(this.#roomTimer)
    for (const waiter of [...this.#waiters]) waiter.reject(closedError())
    const slots = [...this.#slots.keys()]
    for (const slot of slots) slot.terminate('the manager closed')
    const ending = [...slots, ...this.#stopping]
    await Promise.all(ending.map((slot) => slot.stopped))
    await this.#piscina.destroy()
    // Threads that were ending before are gone soon as well. A slot whose task no thread had taken is told of none.
    const freed = Promise.all(ending.map(({ memory }) => memory.freed))
    const timer = setTimeout(() => {
      for (const { memory } of ending) memory.close()
    }, CLOSE_EXIT_MS)
    await freed
    clearTimeout(timer)
  }

  #find(tenant: string): Slot | undefined {
    let ready: Slot | undefined
    for (const [slot, state] of this.#slots) {
      if (state.kind === 'parked' && state.tenant === tenant) return slot
      if (state.kind === 'ready') ready ??= slot
    }
    return ready
  }

  #lease(slot: Slot, tenant: string): Slot {
    this.#slots.set(slot, { kind: 'leased', tenant })
    this.#provision()
    return slot
  }

  /** Gives slots to waiters, the longest waiting first. */
  #serve(): void {
    for (;;) {
      const [waiter] = this.#waiters
      if (waiter === undefined) break
      const slot = this.#find(waiter.tenant)
      if (slot === undefined) break
      waiter.resolve(this.#lease(slot, waiter.tenant))
    }
    this.#provision()
  }

  /** Boots what waiters need at once and a few ahead later; a slot parked for another tenant makes room for a waiter. */
  #provision(): void {
    if (this.#closed) return
    const { booting, ready } = this.stats()
    let missing = this.#waiters.length - booting - ready
    while (missing > 0 && this.#boot()) missing--
    if (missing > this.#bootable) this.#evict()
    else this.#spareTimer ??= setTimeout(() => this.#provisionSpares(), SPARE_DELAY_MS)
  }

  #provisionSpares(): void {
    this.#spareTimer = undefined
    const { booting, ready } = this.stats()
    let missing = this.#waiters.length + SPARE_SLOTS - booting - ready
    if (this.#makingRoom > 0) return
    while (missing > 0 && this.#memory.hasPlenty && this.#boot()) missing--
  }

  #evict(): void {
    for (const [slot, { kind }] of this.#slots) {
      if (kind === 'parked') return slot.terminate('another tenant needs its place')
    }
  }

  /** Somebody gave memory back, perhaps in the middle of something: what waits for a slot is looked at after that. */
  #roomCame(): void {
    if (this.#waiters.length === 0 && !this.#memory.room.isAwaited) return
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
    // Memory of slots that have ended before comes free soon.
    for (const { memory } of this.#stopping) gone.push(memory.freed)
    if (gone.length === 0) return undefined
    this.#makingRoom += 1
    return Promise.all(gone).then(() => {
      this.#makingRoom -= 1
      if (!this.#closed) this.#provision()
    })
  }

  #endOnceBooted(slot: Slot, reason: string): void {
    if (this.#unwanted.has(slot)) return
    this.#unwanted.add(slot)
    slot.ready.then(
      () => slot.terminate(reason),
      () => {
        // It has ended by itself.
      },
    )
  }

  /** Ends slots that nobody uses or waits for, those that still boot included. The promises resolve when their memory is free. */
  endSpares(reason: string): Promise<void>[] {
    const gone: Promise<void>[] = []
    if (this.#waiters.length > 0) return gone
    for (const [slot, { kind }] of [...this.#slots]) {
      if (kind === 'leased') continue
      // Until it has booted nobody can tell which thread it has, if any, and so not when its memory is free.
      if (kind === 'booting') this.#endOnceBooted(slot, reason)
      else slot.terminate(reason)
      gone.push(slot.memory.freed)
    }
    return gone
  }

  /**
   * Its memory is free. Each slot is one thread, but Piscina does not say which: one that ends at the same moment may be taken for it.
   */
  async #threadGone(slot: Slot): Promise<void> {
    await Promise.all([slot.stopped, slot.memory.threadEnded])
    if (this.#exits > 0) this.#exits -= 1
    else await new Promise<void>((resolve) => this.#awaitingExit.push(resolve))
  }

  #exited(): void {
    const tell = this.#awaitingExit.shift()
    if (tell) tell()
    else this.#exits += 1
  }

  /** False if there are as many slots as there may be, or no memory for one more. */
  #boot(): boolean {
    if (this.#slots.size >= this.#options.slots) return false
    const memory = this.#memory.openSlot(() => this.#makeRoom())
    if (memory === undefined) return false
    const slot = new Slot(this.#piscina, memory)
    this.#slots.set(slot, { kind: 'booting' })
    void this.#warm(slot).then(
      () => {
        if (!slot.alive) return
        this.#failedBoots = 0
        this.#slots.set(slot, { kind: 'ready' })
        this.#serve()
      },
      () => {
        // `ended` below sees every end, this one included.
      },
    )
    void slot.ended.then((reason) => {
      const state = this.#slots.get(slot)
      this.#slots.delete(slot)
      const freed = this.#memory.closeSlot(slot.memory, this.#threadGone(slot), LAST_EXIT_MS)
      this.#stopping.add(slot)
      void freed.then(() => {
        this.#stopping.delete(slot)
        // There may be memory for spare slots now.
        if (!this.#closed) this.#provision()
      })
      if (this.#closed) return
      const hasFailed = state?.kind === 'booting' && !this.#unwanted.has(slot)
      if (hasFailed && !this.#countFailedBoot(reason)) return
      this.#serve()
    })
    return true
  }

  /**
   * Waits for a boot. What nobody waits for then runs a little of everything: V8 compiles each WebAssembly function when it is
   * first called, for all threads at once, so the first of them does so thoroughly, and JavaScript per thread: a session is
   * created in less than half the time.
   */
  async #warm(slot: Slot): Promise<void> {
    await slot.ready
    if (this.#waiters.length > 0) return
    const first = !this.#warmed
    this.#warmed = true
    const reply = await slot.call('warm', [first])
    if (reply.kind === 'died') slot.terminate(reply.reason)
  }

  /** A worker failed before it took its task: Piscina cannot say which, so all that still boot start again. */
  #bootFailed(error: unknown): void {
    const reason = messageOf(error, 'its worker failed')
    for (const [slot, { kind }] of [...this.#slots]) if (kind === 'booting') slot.terminate(reason)
  }

  /** False when callers have been told instead of kept waiting for boots that go on failing. */
  #countFailedBoot(reason: string): boolean {
    this.#failedBoots++
    if (this.#failedBoots < MAX_FAILED_BOOTS) return true
    const error = new InterpreterCrashedError(
      `no worker boots, the last one because: ${reason}`,
      'not-started',
    )
    for (const waiter of [...this.#waiters]) waiter.reject(error)
    return false
  }
}

/**
 * A slot's task never ends, so a word on Piscina's own port is an owned worker's: the worker is ended before Piscina reads
 * it, which would throw on what is no task and give a worker whose task is "done" the next tenant's (S1, R3).
 */
function endAfterTask(worker: object): Worker {
  for (const key of Object.getOwnPropertySymbols(worker)) {
    const info = (worker as Record<symbol, PiscinaWorker>)[key]
    if (info?.port === undefined) continue
    info.port.removeAllListeners('message')
    info.port.on('message', () => void info.worker.terminate())
    return info.worker
  }
  throw new Error('this version of Piscina does not show its workers')
}

/** What Piscina 5.3.2 keeps of a worker. */
interface PiscinaWorker {
  readonly port?: MessagePort
  readonly worker: Worker
}

function closedError(): SessionClosedError {
  return new SessionClosedError('the SessionManager is closed')
}
