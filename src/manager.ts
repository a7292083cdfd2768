// SessionManager: the sessions of one process and the slots they share. Owns the table of sessions and the counters. How a session
// behaves is session.ts's, how it is made manager/opener.ts's, who gets a slot slots/pool.ts's, what a slot is made of the image's.
import { deferred } from './deferred.js'
import {
  type DrainOptions,
  type DrainResult,
  drainSessions,
  resolveDrain,
  throwUnstored,
} from './manager/drain.js'
import { closeImages, openImages, requireMemory } from './manager/images.js'
import { resolveListening } from './manager/listening.js'
import { Opener, requireTenant } from './manager/opener.js'
import {
  resolveSalvage,
  type SalvageOptions,
  type SalvageResult,
  salvageStored,
} from './manager/salvage-store.js'
import type { ManagerStats } from './manager/stats.js'
import {
  resolveFilter,
  resolveSweep,
  type SweepOptions,
  type SweepResult,
  sweepStore,
} from './manager/sweep.js'
import { HotSnapshots } from './memory/hot-snapshots.js'
import { ManagerMemory } from './memory/manager-memory.js'
import {
  type GetOrCreateOptions,
  type ManagerOptions,
  type OpenOptions,
  type ResolvedManagerOptions,
  type ResolvedOpening,
  resolveManagerOptions,
  resolveOpening,
  resolveSessionOptions,
  type SessionOptions,
  type TypedSessionOptions,
} from './options.js'
import type { Countable, SessionContext } from './session/context.js'
import { IdleEvictor } from './session/idle-evictor.js'
import type { SalvageLoss } from './session/salvage.js'
import { SparePolicy } from './session/spare-policy.js'
import { Usage } from './session/usage.js'
import type { Session } from './session.js'
import { InvalidOptionError, notConstructible, SessionClosedError } from './shared/errors.js'
import type { Image as BootedImage } from './shared/image/image.js'
import { trustOf } from './shared/snapshot/signature.js'
import { Snapshot } from './shared/snapshot/snapshot.js'
import { Slices } from './shared/values/slices.js'
import type { SlotPool } from './slots/pool.js'
import type { SlotRequest } from './slots/pool-options.js'
import type { Slot } from './slots/slot.js'
import { LeaseTimer } from './store/lease-timer.js'
import { listStored, type SessionFilter } from './store/listing.js'
import { MemoryStore } from './store/memory-store.js'
import { Ownership } from './store/ownership.js'
import type { StoredSession } from './store/store.js'
import type { ManagerEvents } from './telemetry/events.js'
import { Observer } from './telemetry/observer.js'

type Lifecycle =
  | { readonly kind: 'open' }
  | { readonly kind: 'draining'; readonly drained: Promise<DrainResult> }
  | { readonly kind: 'closed'; readonly closed: Promise<void> }

export class SessionManager implements AsyncDisposable {
  readonly #options: ResolvedManagerOptions
  readonly #images: readonly BootedImage[]
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
    stores: 0,
    failedStores: 0,
  }
  readonly #usage = new Usage()
  readonly #idleEvictor: IdleEvictor
  readonly #spares: SparePolicy
  readonly #observer: Observer
  readonly #endTelemetry: (() => void) | undefined
  readonly #ownership: Ownership
  readonly #opener: Opener
  /** Sessions with an id that are being created or opened. */
  readonly #opening = new Map<string, Promise<Session>>()
  /** Sessions that `salvageStore` works on. Nobody else gets them until it is done. Never rejects. */
  readonly #salvaging = new Map<string, Promise<void>>()
  #lifecycle: Lifecycle = { kind: 'open' }

  private constructor(
    options: ResolvedManagerOptions,
    pool: SlotPool,
    memory: ManagerMemory,
    images: readonly BootedImage[],
    observer: Observer,
  ) {
    // JavaScript does not know that the constructor is private.
    if (images === undefined) throw notConstructible('SessionManager', 'await SessionManager.create(options)')
    this.#options = options
    this.#images = images
    this.#pool = pool
    this.#memory = memory
    this.#observer = observer
    // If a session waits for memory to wake, another session must hibernate, just as if it waited for a slot.
    const missing = () => Math.max(pool.missing, memory.room.isAwaited ? 1 : 0)
    this.#spares = new SparePolicy(options.slots, () => pool.isExhausted)
    this.#idleEvictor = new IdleEvictor(missing, options.idleTimeoutMs, this.#spares)
    const hot = new HotSnapshots(options.maxMemoryBytes)
    memory.room.makeRoom = () => {
      hot.dropAll()
      pool.endSpares('a session needs its memory to wake')
      this.#idleEvictor.evictForWaiters()
    }
    this.#ownership = new Ownership(options.store ?? new MemoryStore(), options.leaseMs, observer)
    const common = {
      snapshotKey: options.snapshotKey,
      slices: new Slices(),
      memory: memory.values,
      maxMemoryBytes: options.maxMemoryBytes,
      snapshots: memory.snapshots,
      stored: {
        durability: options.durability,
        whenDormant: options.store !== undefined,
        leases: new LeaseTimer(options.leaseMs, observer),
        hot,
        forget: (id) => this.#ownership.delete(id),
      },
      observer,
      acquireTimeoutMs: options.acquireTimeoutMs,
      waitToWake: (...args) => memory.waitToWake(...args),
      onIdle: (session) => this.#idleEvictor.markIdle(session),
      release: (slot, released) => pool.release(slot, released),
      count: (what) => {
        this.#counters[what]++
      },
      record: (used) => this.#usage.add(used),
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
    this.#opener = new Opener({
      options,
      images: new Map(images.map((image) => [image.id, image])),
      contexts: new Map(images.map((image) => [image.id, contextOf(image)])),
      memory,
      ownership: this.#ownership,
      requireOpen: () => this.#requireOpen(),
      register: (session) => this.#sessions.set(session.id, session),
    })
    this.#endTelemetry = options.telemetry?.observe(() => this.stats())
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
    const observer = new Observer(resolved.telemetry)
    const pool = new SlotPool(images, resolved, memory, observer)
    return new SessionManager(resolved, pool, memory, images, observer)
  }

  /**
   * A new session with its own interpreter, waiting for a free slot if there is none. With an `id`, the manager's store keeps it.
   *
   * @throws InvalidOptionError, also for an `id` that is in use or that the store has, an `image` that the manager does not have, and a
   * `limits.memoryBytes` that is less than the image has
   * @throws SnapshotError when `from` cannot be restored
   * @throws PoolExhaustedError when no slot comes free
   * @throws LimitError when `maxMemoryBytes` has no room for it
   * @throws InterpreterCrashedError when three interpreters in a row ended while they loaded it
   * @throws StoreError
   * @throws SessionClosedError when the manager is or gets closed
   */
  async createSession<Schemas>(options?: TypedSessionOptions<Schemas>): Promise<Session> {
    const resolved = resolveSessionOptions(options as SessionOptions | undefined, this.#options)
    this.#requireOpen()
    const { id } = resolved
    if (options?.id === undefined) {
      const session = await this.#opener.create(resolved, false)
      if (session === undefined) throw new Error('unreachable: a session that no store keeps')
      return this.#count(session)
    }
    if (this.#isInUse(id)) throw new InvalidOptionError('id', 'an id that is not in use', id)
    return this.#openOnce(id, async () => {
      const session = await this.#opener.create(resolved, true)
      if (session) return session
      if (this.#options.store === undefined) {
        // Nobody chose to keep the session that had the id and was closed.
        await this.#ownership.delete(id)
        const again = await this.#opener.create(resolved, true)
        if (again) return again
      }
      const message = `id: the store has a session ${JSON.stringify(id)}; open it with openSession or getOrCreate, or delete it`
      throw new InvalidOptionError('id', 'an id that is not in use', id, message)
    })
  }

  /**
   * The session with this id: the open one, else the stored one, else a new one. Calls at the same time get the same session; the options
   * of the call that opens it count.
   *
   * @throws SessionOwnedError when another manager has it
   * @throws what `createSession` and `openSession` throw
   */
  async getOrCreate<Schemas>(
    id: string,
    options?: TypedSessionOptions<Schemas, GetOrCreateOptions>,
  ): Promise<Session> {
    const opening = resolveOpening(id, options as GetOrCreateOptions | undefined, this.#options, 'any')
    for (;;) {
      this.#requireOpen()
      const open = await this.#openNow(id, opening.takeOver)
      if (open) {
        requireTenant(open, opening.tenant)
        return open
      }
      if (this.#isInUse(id)) continue
      return this.#openOnce(id, async () => {
        for (;;) {
          const session =
            (await this.#opener.open(opening)) ?? (await this.#opener.create(opening.session, true))
          // Otherwise another manager has just created it.
          if (session) return session
        }
      })
    }
  }

  /**
   * Opens a stored session, and waits for a free slot if there is none. It goes on exactly where it was when it was stored last, suspended
   * executions included.
   *
   * @throws InvalidOptionError when the store has no such session, it is open in this manager, or it belongs to another `tenant`
   * @throws SessionOwnedError when another manager has it, unless `takeOver` is true
   * @throws SnapshotError of reason `incompatible` when the manager does not have its image, unless `salvage` is true; also with `salvage` when
   * the snapshot does not list the globals, as one of a session that lost its worker may not
   * @throws what `createSession` throws
   */
  async openSession<Schemas>(
    id: string,
    options?: TypedSessionOptions<Schemas, OpenOptions>,
  ): Promise<Session> {
    const opening = resolveOpening(id, options as OpenOptions | undefined, this.#options, 'without-new')
    this.#requireOpen()
    if (this.#salvaging.has(id) || !this.#opening.has(id)) await this.#openNow(id, true)
    this.#requireOpen()
    if (this.#isInUse(id)) {
      const message = `id: the session ${id} is open in this manager; use get or getOrCreate`
      throw new InvalidOptionError('id', 'the id of a session that is not open', id, message)
    }
    return this.#openStored(opening)
  }

  /** The session with this id if it is open in this manager. Not while `salvageStore` has it. */
  get(id: string): Session | undefined {
    if (this.#salvaging.has(id)) return undefined
    const session = this.#sessions.get(id)
    return session?.closing.hasBegun ? undefined : session
  }

  /**
   * Closes the session if it is open here, and removes it from the store. Resolves to whether there was one.
   *
   * @throws SessionOwnedError when another manager has it: take it over first
   * @throws SessionMovedError, StoreError
   */
  async delete(id: string): Promise<boolean> {
    await this.#salvaging.get(id)
    await this.#opening.get(id)?.catch(() => {})
    const session = this.#sessions.get(id)
    if (session === undefined) return this.#ownership.delete(id)
    await session.delete()
    return true
  }

  /**
   * The sessions of the store, of all managers, in the order of their ids.
   *
   * @throws InvalidOptionError, StoreError
   */
  list(filter?: SessionFilter): AsyncIterable<StoredSession> {
    return listStored(this.#ownership, resolveFilter(filter))
  }

  /**
   * Removes stored sessions that are too old, unused for too long, or beyond their tenant's quota. Sessions that another manager has, or that
   * are busy here, stay. With `dryRun` it only says which would go.
   *
   * @throws InvalidOptionError, StoreError
   */
  async sweep(options: SweepOptions): Promise<SweepResult> {
    const resolved = resolveSweep(options)
    this.#requireOpen()
    return sweepStore(resolved, {
      sessions: this.list(resolved.filter),
      isInUse: (session) => {
        const open = this.#sessions.get(session.id)
        if (this.#salvaging.has(session.id)) return true
        if (open || this.#opening.has(session.id)) return open?.state !== 'dormant' || !open.isIdle
        return session.owner !== undefined && session.owner.remainingMs > 0
      },
      remove: (id) => this.delete(id),
    })
  }

  /**
   * Moves stored sessions of images that the manager does not have to its first image: each keeps the globals that its snapshot stores as
   * plain values, and loses the rest. Sessions of the manager's images stay as they are, and so do those that another manager has. A
   * session's old state is replaced in one write, once the new state is complete; if anything fails before, the store keeps the old one. Run
   * it again to go on where it stopped: `stopped` of the result says why. With `dryRun` it only says what would be lost. Meanwhile
   * `getOrCreate` and `openSession` of a session that is being salvaged wait until that is done.
   *
   * @throws InvalidOptionError, SessionClosedError
   */
  async salvageStore(options?: SalvageOptions): Promise<SalvageResult> {
    const { slots, snapshotKey } = this.#options
    const resolved = resolveSalvage(options, slots)
    this.#requireOpen()
    return salvageStored(resolved, {
      sessions: this.list(resolved.filter),
      imageIds: new Set(this.#images.map(({ id }) => id)),
      isOpen: (id) => this.#isInUse(id),
      isOwn: (ownerId) => ownerId === this.#ownership.id,
      read: async (id, tenant) => {
        const entry = await this.#ownership.read(id)
        return entry?.bytes.length ? Snapshot.adopt(entry.bytes, trustOf(snapshotKey, tenant)) : undefined
      },
      salvage: (id, takeOver) => this.#salvage(id, takeOver),
    })
  }

  /**
   * Calls the listener with what happens to sessions, slots or checkpoints, soon after it has happened. What a listener throws becomes an
   * uncaught exception, as with an `EventTarget`.
   *
   * @param options.signal removes the listener when it aborts
   * @returns removes the listener
   * @throws InvalidOptionError
   */
  on<Name extends keyof ManagerEvents>(
    event: Name,
    listener: (event: ManagerEvents[Name]) => void,
    options?: { readonly signal?: AbortSignal },
  ): () => void {
    const { signal } = resolveListening(event, listener, options)
    return this.#observer.listeners.add(event, listener, signal)
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
      histograms: this.#observer.distributions(),
    }
  }

  /**
   * For the end of the process (SIGTERM): takes no new sessions and calls, lets running calls end until `timeoutMs`, interrupts them then,
   * stores every session that has an id, gives up their leases, and closes the manager. Resolves to what could not be stored, and why.
   *
   * @throws InvalidOptionError
   */
  async drain(options?: DrainOptions): Promise<DrainResult> {
    const timeoutMs = resolveDrain(options)
    if (this.#lifecycle.kind === 'draining') return this.#lifecycle.drained
    this.#requireOpen()
    const untilMs = performance.now() + timeoutMs
    const drained = drainSessions(this.#sessions.values(), untilMs).then(async (result) => {
      // What was not stored is in the result.
      await this.close().catch(() => {})
      return result
    })
    this.#lifecycle = { kind: 'draining', drained }
    return drained
  }

  /**
   * Closes every session and ends every worker; the process can then exit by itself. Sessions that a store of yours keeps are stored first;
   * running code is interrupted for that. Idempotent.
   *
   * @throws NotStoredError when a session could not be stored; of several, `cause` is an AggregateError with all of them
   */
  close(): Promise<void> {
    if (this.#lifecycle.kind !== 'closed') this.#lifecycle = { kind: 'closed', closed: this.#close() }
    return this.#lifecycle.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#idleEvictor.close()
    this.#memory.room.close()
    const sessions = [...this.#sessions.values()]
    // A store of the manager's own ends with it.
    const keeps = this.#options.store !== undefined
    const end = (session: Session) =>
      keeps
        ? session.closing.close()
        : session.closing.end(new SessionClosedError(`the session ${session.id} is closed`))
    const closed = Promise.allSettled(sessions.map(end))
    if (keeps) await closed
    await Promise.all([closed, this.#pool.close()])
    // What was being opened is undone.
    await Promise.allSettled(this.#opening.values())
    await closeImages(this.#images, this.#options)
    this.#endTelemetry?.()
    throwUnstored(await closed)
  }

  /**
   * The session if it is open, when it is. Waits for one that is being closed, and finds out whether another manager has it.
   *
   * @param always ask the store even while the lease holds
   */
  async #openNow(id: string, always: boolean): Promise<Session | undefined> {
    await this.#salvaging.get(id)
    await this.#sessions.get(id)?.closing.settled()
    const open = await (this.#opening.get(id) ?? this.get(id))
    return (await open?.isOwned(always)) ? open : undefined
  }

  /** Open here, or about to be. */
  #isInUse(id: string): boolean {
    return this.#sessions.has(id) || this.#opening.has(id) || this.#salvaging.has(id)
  }

  #openStored(opening: ResolvedOpening): Promise<Session> {
    const { id } = opening.session
    return this.#openOnce(id, async () => {
      const session = await this.#opener.open(opening)
      if (session) return session
      const message = `id: the store has no session ${id}; use createSession or getOrCreate`
      throw new InvalidOptionError('id', 'the id of a stored session', id, message)
    })
  }

  /**
   * Salvages one stored session, which is not in use. Returns what it lost, unless it needed no salvage.
   *
   * @throws as `openSession`
   */
  async #salvage(id: string, takeOver: boolean): Promise<SalvageLoss | undefined> {
    const done = deferred<void>()
    this.#salvaging.set(id, done.promise)
    try {
      this.#requireOpen()
      const options = { salvage: true, takeOver }
      const session = await this.#openStored(resolveOpening(id, options, this.#options, 'without-new'))
      const { salvageLoss } = session
      await session.close()
      return salvageLoss
    } finally {
      this.#salvaging.delete(id)
      done.resolve()
    }
  }

  async #openOnce(id: string, open: () => Promise<Session>): Promise<Session> {
    const opening = open()
    this.#opening.set(id, opening)
    try {
      return this.#count(await opening)
    } finally {
      this.#opening.delete(id)
    }
  }

  #count(session: Session): Session {
    this.#counters.sessions++
    return session
  }

  #acquire(request: SlotRequest, signal?: AbortSignal): Promise<Slot> {
    const acquired = this.#pool.acquire(request, signal)
    this.#spares.acquired()
    this.#idleEvictor.evictForWaiters()
    return acquired
  }

  #requireOpen(): void {
    const { kind } = this.#lifecycle
    if (kind === 'closed') throw new SessionClosedError('the SessionManager is closed')
    if (kind === 'draining')
      throw new SessionClosedError('the SessionManager is draining: it takes no new sessions')
  }
}
