// SessionManager: the sessions of one process and the slots they share. Owns the table of sessions and the counters; how a
// session behaves is session.ts's, who gets a slot is slots/pool.ts's, what a slot is made of is the image's.
import { createHistogram } from 'node:perf_hooks'
import { standardProgress } from './image/build-report.js'
import { openImage } from './image/open.js'
import { Image } from './image.js'
import { ManagerMemory, type MemoryStats } from './memory/manager-memory.js'
import {
  type ManagerOptions,
  type ResolvedManagerOptions,
  resolveManagerOptions,
  resolveSessionOptions,
  type SessionOptions,
  type TypedSessionOptions,
} from './options.js'
import type { Countable, SessionContext } from './session/context.js'
import { IdleEvictor } from './session/idle-evictor.js'
import type { ResolvedSessionOptions } from './session/options.js'
import { SparePolicy } from './session/spare-policy.js'
import { Usage } from './session/usage.js'
import { Session } from './session.js'
import {
  InterpreterCrashedError,
  InvalidOptionError,
  notConstructible,
  SessionClosedError,
} from './shared/errors.js'
import type { Image as BootedImage } from './shared/image/image.js'
import { trustOf } from './shared/snapshot/signature.js'
import { Slices } from './shared/values/slices.js'
import type { SlotPool } from './slots/pool.js'
import type { PoolStats, SlotRequest } from './slots/pool-options.js'

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
  /** By id. */
  readonly #images: ReadonlyMap<string, BootedImage>
  /** What sessions of each image need, by its id. The first is the default. */
  readonly #contexts: ReadonlyMap<string, SessionContext>
  #closing: Promise<void> | undefined

  private constructor(
    options: ResolvedManagerOptions,
    pool: SlotPool,
    memory: ManagerMemory,
    images: readonly BootedImage[],
  ) {
    // JavaScript does not know that the constructor is private.
    if (images === undefined) throw notConstructible('SessionManager', 'await SessionManager.create(options)')
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
    const common = {
      snapshotKey: options.snapshotKey,
      slices: new Slices(),
      memory: memory.values,
      maxMemoryBytes: options.maxMemoryBytes,
      snapshots: memory.snapshots,
      acquireTimeoutMs: options.acquireTimeoutMs,
      waitToWake: (...args) => memory.waitToWake(...args),
      onIdle: (session) => this.#idleEvictor.markIdle(session),
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
    } satisfies Partial<SessionContext>
    const contextOf = (image: SessionContext['image']): SessionContext => ({
      ...common,
      image,
      tryAcquire: (tenant) => pool.tryAcquire({ tenant, imageId: image.id }),
      acquire: (tenant, signal) => this.#acquire({ tenant, imageId: image.id }, signal),
    })
    this.#images = new Map(images.map((image) => [image.id, image]))
    this.#contexts = new Map(images.map((image) => [image.id, contextOf(image)]))
  }

  /**
   * Opens the images, which are built once per machine and version, and starts the first slots. The process stays alive
   * until `close`.
   *
   * @throws InvalidOptionError, also when `maxMemoryBytes` or `limits.memoryBytes` are too small for the images
   * @throws PackageError when one of `packages` cannot be had, or cannot be part of an image
   * @throws ImageError when there is no image and none can be built
   */
  static async create(options?: ManagerOptions): Promise<SessionManager> {
    const resolved = resolveManagerOptions(options)
    // The image is read, checked and compiled by other threads; Piscina is loaded meanwhile.
    const [images, { SlotPool }] = await Promise.all([openImages(resolved), import('./slots/pool.js')])
    const memory = new ManagerMemory(resolved.maxMemoryBytes, images)
    memory.requireRoomForSlot()
    const [smallest] = images.toSorted((a, b) => a.memoryBytes - b.memoryBytes)
    requireMemory(resolved.limits, smallest)
    return new SessionManager(resolved, new SlotPool(images, resolved, memory), memory, images)
  }

  /**
   * A new session with its own interpreter, waiting for a free slot if there is none.
   *
   * @throws InvalidOptionError, also for an `id` that is in use, an `image` that the manager does not have, and a
   * `limits.memoryBytes` that is less than the image has
   * @throws SnapshotError when `from` cannot be restored
   * @throws PoolExhaustedError when no slot comes free
   * @throws LimitError when `maxMemoryBytes` has no room for it
   * @throws InterpreterCrashedError when three interpreters in a row ended while they loaded it
   * @throws SessionClosedError when the manager is or gets closed
   */
  async createSession<Schemas>(options?: TypedSessionOptions<Schemas>): Promise<Session> {
    const resolved = resolveSessionOptions(options as SessionOptions | undefined, this.#options)
    this.#open()
    if (this.#sessions.has(resolved.id))
      throw new InvalidOptionError('id', 'an id that is not in use', resolved.id)
    const context = this.#contextOf(resolved)
    const { image, snapshotKey } = context
    requireMemory(resolved.limits, this.#images.get(image.id))
    if (resolved.from) {
      resolved.from.require(image.id, trustOf(snapshotKey, resolved.tenant))
      const bytes = this.#memory.snapshots.costOf(resolved.from)
      this.#memory.requireRoom(bytes, 'there is no room for the snapshot')
    }
    const session = new Session(context, resolved)
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

  #contextOf({ image, from }: ResolvedSessionOptions): SessionContext {
    const [first] = this.#contexts.values()
    if (first === undefined) throw new Error('unreachable: a manager without images')
    if (image === undefined) return this.#contexts.get(from?.parts.head.imageId ?? '') ?? first
    const context = this.#contexts.get(image)
    if (context) return context
    const known = [...this.#contexts.keys()].join(', ')
    throw new InvalidOptionError('image', `the id of an image of this manager: ${known}`, image)
  }

  async #acquire(request: SlotRequest, signal?: AbortSignal) {
    const startedMs = performance.now()
    const acquired = this.#pool.acquire(request, signal)
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

/** @throws InvalidOptionError if sessions of the image have more memory from the start */
function requireMemory(
  { memoryBytes }: ResolvedManagerOptions['limits'],
  image: BootedImage | undefined,
): void {
  if (memoryBytes === null || image === undefined || image.memoryBytes <= memoryBytes) return
  const packages = image.packages.length === 0 ? '' : ` with its ${image.packages.length} packages`
  throw new InvalidOptionError(
    'limits.memoryBytes',
    `at least ${image.memoryBytes}`,
    memoryBytes,
    `limits.memoryBytes: expected at least ${image.memoryBytes} bytes, which a session of the image${packages} has from the start, got ${memoryBytes}. Raise it, or preload less`,
  )
}

/** Each once. */
async function openImages({
  images,
  packages,
  cacheDir,
  onProgress,
}: ResolvedManagerOptions): Promise<[BootedImage, ...BootedImage[]]> {
  const options = cacheDir === undefined ? {} : { cacheDir }
  if (images === undefined) {
    if (Object.keys(packages).length > 0) {
      const listener = onProgress ? { onProgress } : {}
      return [(await Image.build({ ...packages, ...options, ...listener })).booted]
    }
    const listener = standardProgress(onProgress)
    return [await openImage({ ...options, ...(listener ? { onProgress: listener } : {}) })]
  }
  const opened = await Promise.all(
    images.map(async (image) => (typeof image === 'string' ? await Image.load(image) : image).booted),
  )
  const [first, ...others] = new Map(opened.map((image) => [image.id, image])).values()
  if (first === undefined) throw new Error('unreachable: no images')
  return [first, ...others]
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
