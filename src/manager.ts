// SessionManager: the sessions of one process and the slots they share. Owns the table of sessions and the counters; how a
// session behaves is session.ts's, who gets a slot is slots/pool.ts's, what a slot is made of is the image's.
import { createHistogram } from 'node:perf_hooks'
import { openImage } from './image/open.js'
import { ManagerMemory, type MemoryStats } from './memory/manager-memory.js'
import {
  type ManagerOptions,
  type ResolvedManagerOptions,
  resolveManagerOptions,
  resolveSessionOptions,
  type SessionOptions,
} from './options.js'
import type { Countable, SessionContext } from './session/context.js'
import { IdleEvictor } from './session/idle-evictor.js'
import { SparePolicy } from './session/spare-policy.js'
import { Usage } from './session/usage.js'
import { Session } from './session.js'
import { InterpreterCrashedError, InvalidOptionError, SessionClosedError } from './shared/errors.js'
import { trustOf } from './shared/snapshot/signature.js'
import { Slices } from './shared/values/slices.js'
import type { SlotPool } from './slots/pool.js'
import type { PoolStats } from './slots/pool-options.js'

/** Durations in milliseconds. */
export interface Distribution {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface ManagerStats {
  readonly slots: PoolStats
  /** Sessions with an interpreter. */
  readonly attached: number
  /** Sessions without one; their next call gets it. */
  readonly dormant: number
  /** Callers waiting for a slot. */
  readonly queued: number
  readonly counters: {
    readonly sessions: number
    readonly executions: number
    readonly timeouts: number
    readonly cancellations: number
    readonly crashes: number
    /** Automatic checkpoints, and those that could not be taken (`limits.snapshotBytes`, or no memory left). */
    readonly checkpoints: number
    readonly refusedCheckpoints: number
    /** Hibernated sessions, and snapshots restored into a slot. */
    readonly hibernations: number
    readonly thaws: number
    /** Results of host calls that came too late to be used. */
    readonly lateAnswers: number
    /** Slots booted in a new thread, and slots renewed for another session. */
    readonly boots: number
    readonly renewals: number
  }
  readonly memory: MemoryStats
  /** Sums over all executions, of closed sessions too, and what open sessions have now. */
  readonly usage: {
    readonly executionMs: number
    readonly outputBytes: number
    readonly callbackInvocations: number
    readonly memoryBytes: number
    readonly fileBytes: number
  }
  readonly histograms: {
    /** Waits for a slot. */
    readonly acquire: Distribution
    /** Executions, in their slot. */
    readonly execute: Distribution
  }
}

export class SessionManager implements AsyncDisposable {
  readonly #options: ResolvedManagerOptions
  readonly #pool: SlotPool
  readonly #memory: ManagerMemory
  readonly #sessions = new Map<string, Session>()
  readonly #counters: Record<Countable | 'sessions', number> = {
    sessions: 0,
    executions: 0,
    timeouts: 0,
    cancellations: 0,
    crashes: 0,
    checkpoints: 0,
    refusedCheckpoints: 0,
    hibernations: 0,
    thaws: 0,
    lateAnswers: 0,
  }
  readonly #usage = new Usage()
  readonly #idleEvictor: IdleEvictor
  readonly #spares: SparePolicy
  /** In microseconds: the histogram takes integers. */
  readonly #acquireUs = createHistogram()
  readonly #executeUs = createHistogram()
  readonly #context: SessionContext
  #closing: Promise<void> | undefined

  private constructor(
    options: ResolvedManagerOptions,
    pool: SlotPool,
    memory: ManagerMemory,
    image: SessionContext['image'],
  ) {
    this.#options = options
    this.#pool = pool
    this.#memory = memory
    // If a session waits for memory to wake, another session must hibernate, just as if it waited for a slot.
    const missing = () => Math.max(pool.missing, memory.room.isAwaited ? 1 : 0)
    this.#spares = new SparePolicy(options.slots, () => pool.isExhausted)
    this.#idleEvictor = new IdleEvictor(missing, options.idleTimeoutMs, this.#spares)
    memory.room.makeRoom = () => {
      pool.endSpares('a session needs its memory to wake')
      this.#idleEvictor.evictForWaiters()
    }
    this.#context = {
      image,
      snapshotKey: options.snapshotKey,
      slices: new Slices(),
      memory: memory.values,
      maxMemoryBytes: options.maxMemoryBytes,
      snapshots: memory.snapshots,
      acquireTimeoutMs: options.acquireTimeoutMs,
      waitToWake: (...args) => memory.waitToWake(...args),
      tryAcquire: (tenant) => pool.tryAcquire(tenant),
      onIdle: (session) => this.#idleEvictor.markIdle(session),
      acquire: (tenant, signal) => this.#acquire(tenant, signal),
      release: (slot, released) => pool.release(slot, released),
      count: (what) => {
        this.#counters[what]++
      },
      record: (used) => {
        this.#usage.add(used)
        record(this.#executeUs, used.durationMs)
      },
      onClosed: (session) => {
        this.#sessions.delete(session.id)
        this.#idleEvictor.remove(session)
      },
    }
  }

  /**
   * Opens the image, which is built once per machine and version, and starts the first slots. The process stays alive
   * until `close`.
   *
   * @throws InvalidOptionError
   * @throws ImageError when there is no image and none can be built
   */
  static async create(options?: ManagerOptions): Promise<SessionManager> {
    const resolved = resolveManagerOptions(options)
    // The image is read, checked and compiled by other threads; Piscina is loaded meanwhile.
    const [image, { SlotPool }] = await Promise.all([
      openImage(resolved.cacheDir === undefined ? {} : { cacheDir: resolved.cacheDir }),
      import('./slots/pool.js'),
    ])
    const memory = new ManagerMemory(resolved.maxMemoryBytes, image)
    return new SessionManager(resolved, new SlotPool(image, resolved, memory), memory, image)
  }

  /**
   * A new session with its own interpreter, waiting for a free slot if there is none.
   *
   * @throws InvalidOptionError, also for an `id` that is in use
   * @throws SnapshotError when `from` cannot be restored
   * @throws PoolExhaustedError when no slot comes free
   * @throws LimitError when `maxMemoryBytes` has no room for it
   * @throws InterpreterCrashedError when three interpreters in a row ended while they loaded it
   * @throws SessionClosedError when the manager is or gets closed
   */
  async createSession(options?: SessionOptions): Promise<Session> {
    const resolved = resolveSessionOptions(options, this.#options)
    this.#open()
    if (this.#sessions.has(resolved.id))
      throw new InvalidOptionError('id', 'an id that is not in use', resolved.id)
    const { image, snapshotKey } = this.#context
    if (resolved.from) {
      resolved.from.require(image.id, trustOf(snapshotKey, resolved.tenant))
      const bytes = this.#memory.snapshots.costOf(resolved.from)
      this.#memory.requireRoom(bytes, 'there is no room for the snapshot')
    }
    const session = new Session(this.#context, resolved)
    this.#sessions.set(session.id, session)
    try {
      await session.open()
    } catch (error) {
      await session.close()
      // There was no session yet that could be closed: what closed it is what happened.
      if (error instanceof SessionClosedError && error.cause instanceof InterpreterCrashedError)
        throw error.cause
      // The caller knows of no session, but may have closed the manager.
      if (error instanceof SessionClosedError) this.#open()
      throw error
    }
    this.#counters.sessions++
    return session
  }

  /** Figures since the manager was created; cheap enough to be asked every second. */
  stats(): ManagerStats {
    let attached = 0
    let memoryBytes = 0
    let fileBytes = 0
    for (const session of this.#sessions.values()) {
      const { usage } = session
      if (session.state === 'attached') attached++
      memoryBytes += usage.memoryBytes
      fileBytes += usage.fileBytes
    }
    const { executionMs, outputBytes, callbackInvocations } = this.#usage.read(false)
    return {
      slots: this.#pool.stats(),
      attached,
      dormant: this.#sessions.size - attached,
      queued: this.#pool.queued,
      counters: { ...this.#counters, ...this.#pool.counters },
      memory: this.#memory.stats(),
      usage: { executionMs, outputBytes, callbackInvocations, memoryBytes, fileBytes },
      histograms: { acquire: distribution(this.#acquireUs), execute: distribution(this.#executeUs) },
    }
  }

  /** Closes every session and ends every worker; the process can then exit by itself. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#idleEvictor.close()
    this.#memory.room.close()
    const sessions = [...this.#sessions.values()]
    await Promise.all([...sessions.map((session) => session.close()), this.#pool.close()])
  }

  async #acquire(tenant: string, signal?: AbortSignal) {
    const startedMs = performance.now()
    const acquired = this.#pool.acquire(tenant, signal)
    this.#spares.acquired()
    this.#idleEvictor.evictForWaiters()
    const slot = await acquired
    record(this.#acquireUs, performance.now() - startedMs)
    return slot
  }

  #open(): void {
    if (this.#closing) throw new SessionClosedError('the SessionManager is closed')
  }
}

type RecordableHistogram = ReturnType<typeof createHistogram>

function record(histogram: RecordableHistogram, durationMs: number): void {
  histogram.record(Math.max(1, Math.round(durationMs * 1000)))
}

function distribution(histogram: RecordableHistogram): Distribution {
  const { count } = histogram
  if (count === 0) return { count, meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 }
  return {
    count,
    meanMs: histogram.mean / 1000,
    p50Ms: histogram.percentile(50) / 1000,
    p99Ms: histogram.percentile(99) / 1000,
    maxMs: histogram.max / 1000,
  }
}
