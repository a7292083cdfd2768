// SessionManager: the sessions of one process and the slots that they share. Owns its parts and the counters. session.ts implements a
// session, manager/session-table.ts has those in use, manager/opener.ts creates and opens them, slots/pool.ts assigns slots.
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
  type ResolvedManagerOptions,
  type ResolvedOpening,
  resolveManagerOptions,
  resolveOpening,
  resolveSessionOptions,
} from './manager/options.js'
import {
  resolveSalvage,
  type SalvageOptions,
  type SalvageResult,
  salvageStored,
} from './manager/salvage-store.js'
import { SessionTable } from './manager/session-table.js'
import type { ManagerStats } from './manager/stats.js'
import {
  resolveListFilter,
  resolveSweep,
  type SweepOptions,
  type SweepResult,
  sweepStore,
} from './manager/sweep.js'
import { HotSnapshots } from './memory/hot-snapshots.js'
import { ManagerMemory } from './memory/manager-memory.js'
import type {
  GetOrCreateOptions,
  ManagerOptions,
  OpenOptions,
  SessionOptions,
  TypedSessionOptions,
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
import { type ListFilter, listStored } from './store/listing.js'
import { MemoryStore } from './store/memory-store.js'
import { Ownership } from './store/ownership.js'
import type { StoredSession } from './store/store.js'
import type { ManagerEvents } from './telemetry/events.js'
import { Observer } from './telemetry/observer.js'

type Lifecycle =
  | { readonly kind: 'open' }
  | { readonly kind: 'draining'; readonly drained: Promise<DrainResult> }
  | { readonly kind: 'closed'; readonly closed: Promise<void> }

/** Creates, opens and stores Python sessions, and owns the worker threads that run them. Create one with `SessionManager.create`. */
export class SessionManager implements AsyncDisposable {
  readonly #options: ResolvedManagerOptions
  readonly #images: readonly BootedImage[]
  readonly #pool: SlotPool
  readonly #memory: ManagerMemory
  readonly #sessions = new SessionTable()
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
  #lifecycle: Lifecycle = { kind: 'open' }

  private constructor(
    options: ResolvedManagerOptions,
    pool: SlotPool,
    memory: ManagerMemory,
    images: readonly BootedImage[],
    observer: Observer,
  ) {
    // Only TypeScript enforces that the constructor is private.
    if (images === undefined) throw notConstructible('SessionManager', 'await SessionManager.create(options)')
    this.#options = options
    this.#images = images
    this.#pool = pool
    this.#memory = memory
    this.#observer = observer
    // If a session waits for memory to wake, another session must hibernate, just as if it waited for a slot.
    const missing = () => Math.max(pool.missing, memory.room.isAwaited ? 1 : 0)
    this.#spares = new SparePolicy(options.slots, pool)
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
        this.#sessions.remove(session.id)
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
      register: (session) => this.#sessions.add(session),
    })
    this.#endTelemetry = options.telemetry?.observe(() => this.stats())
  }

  /**
   * Opens the images, which are built once per machine and version, and starts the first slots. The process stays alive
   * until `close`.
   *
   * @throws InvalidOptionError, also when `maxMemoryBytes` or `limits.memoryBytes` is too small for the images
   * @throws PackageError when one of `packages` cannot be found or fetched, or cannot be part of an image
   * @throws ImageError when there is no image and none can be built
   */
  static async create(options?: ManagerOptions): Promise<SessionManager> {
    const resolved = resolveManagerOptions(options)
    // Load Piscina while other threads read, check and compile the image.
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
   * Creates a session with an interpreter of its own. Waits if no slot is free. If `options` has an `id`, the manager's store keeps the
   * session.
   *
   * @throws InvalidOptionError, also when `id` is in use or in the store, when the manager does not have `image`, and when
   * `limits.memoryBytes` is less than the image needs from the start
   * @throws SnapshotError when `from` cannot be restored
   * @throws PoolExhaustedError when no slot becomes free in time, or too many callers are waiting
   * @throws LimitError when `maxMemoryBytes` has no room for the session
   * @throws InterpreterCrashedError when three interpreters in a row crashed while they loaded the session
   * @throws StoreError
   * @throws SessionClosedError when the manager is closed, or is being closed meanwhile
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
    if (this.#sessions.isInUse(id)) throw new InvalidOptionError('id', 'an id that is not in use', id)
    return this.#openOnce(id, async () => {
      const session = await this.#opener.create(resolved, true)
      if (session) return session
      if (this.#options.store === undefined) {
        // The default MemoryStore still has a closed session with this id. The user did not ask to keep it, so replace it.
        await this.#ownership.delete(id)
        const again = await this.#opener.create(resolved, true)
        if (again) return again
      }
      const message = `id: the store has a session ${JSON.stringify(id)}; open it with openSession or getOrCreate, or delete it`
      throw new InvalidOptionError('id', 'an id that is not in use', id, message)
    })
  }

  /**
   * Returns the session with this id: the open one, else the stored one, else a new one. Concurrent calls get the same session; the
   * options of the call that opens it apply.
   *
   * @throws SessionOwnedError when another manager has the session
   * @throws what `createSession` and `openSession` throw
   */
  async getOrCreate<Schemas>(
    id: string,
    options?: TypedSessionOptions<Schemas, GetOrCreateOptions>,
  ): Promise<Session> {
    const opening = resolveOpening(id, options as GetOrCreateOptions | undefined, this.#options, 'any')
    for (;;) {
      this.#requireOpen()
      const open = await this.#sessions.openNow(id, opening.takeOver)
      if (open) {
        requireTenant(open, opening.tenant)
        return open
      }
      if (this.#sessions.isInUse(id)) continue
      return this.#openOnce(id, async () => {
        for (;;) {
          const session =
            (await this.#opener.open(opening)) ?? (await this.#opener.create(opening.session, true))
          // If both are undefined, another manager has just created the session: try to open it again.
          if (session) return session
        }
      })
    }
  }

  /**
   * Opens a stored session. Waits if no slot is free. The session continues exactly where it was when it was last stored, suspended
   * executions included.
   *
   * @throws InvalidOptionError when the store has no such session, when it is open in this manager, or when it belongs to another `tenant`
   * @throws SessionOwnedError when another manager has the session, unless `takeOver` is true
   * @throws SnapshotError of reason `incompatible` when the manager does not have the session's image, unless `salvage` is true; with
   * `salvage`, when the snapshot does not list the globals, which can happen if the session has lost its worker
   * @throws what `createSession` throws
   */
  async openSession<Schemas>(
    id: string,
    options?: TypedSessionOptions<Schemas, OpenOptions>,
  ): Promise<Session> {
    const opening = resolveOpening(id, options as OpenOptions | undefined, this.#options, 'without-new')
    this.#requireOpen()
    if (!this.#sessions.isOpening(id)) await this.#sessions.openNow(id, true)
    this.#requireOpen()
    if (this.#sessions.isInUse(id)) {
      const message = `id: the session ${id} is open in this manager; use get or getOrCreate`
      throw new InvalidOptionError('id', 'the id of a session that is not open', id, message)
    }
    return this.#openStored(opening)
  }

  /** Returns the session with this id if it is open in this manager; `undefined` while `salvageStore` is working on it. */
  get(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /**
   * Closes the session if it is open here, and removes it from the store. Resolves to whether there was such a session.
   *
   * @throws SessionOwnedError when another manager has the session: take it over first
   * @throws SessionMovedError, StoreError
   */
  async delete(id: string): Promise<boolean> {
    const session = await this.#sessions.settled(id)
    if (session === undefined) return this.#ownership.delete(id)
    await session.delete()
    return true
  }

  /**
   * Lists the sessions in the store, including those of other managers, in the order of their ids.
   *
   * @throws InvalidOptionError, StoreError
   */
  list(filter?: ListFilter): AsyncIterable<StoredSession> {
    return listStored(this.#ownership, resolveListFilter(filter))
  }

  /**
   * Removes stored sessions that are too old, unused for too long, or over their tenant's quota. Keeps sessions that another manager has
   * or that are in use here. With `dryRun`, only reports which sessions it would remove.
   *
   * @throws InvalidOptionError, StoreError
   */
  async sweep(options: SweepOptions): Promise<SweepResult> {
    const resolved = resolveSweep(options)
    this.#requireOpen()
    return sweepStore(resolved, {
      sessions: this.list(resolved.filter),
      isInUse: ({ id, owner }) => {
        if (this.#sessions.isInUse(id)) return !this.#sessions.isAtRest(id)
        return owner !== undefined && owner.remainingMs > 0
      },
      remove: (id) => this.delete(id),
    })
  }

  /**
   * Moves stored sessions whose image this manager does not have to its first image. Each such session keeps the globals that its snapshot
   * stores as plain values, and loses everything else. Sessions of this manager's images are not changed, nor are those that another
   * manager has. A session's old state is replaced in a single write, once the new state is complete; if anything fails before that, the
   * store keeps the old state. If it stops early, `stopped` of the result says why; call it again to continue. With `dryRun`, only reports
   * what would be lost. While a session is being salvaged, `getOrCreate` and `openSession` wait for it.
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
      isOpen: (id) => this.#sessions.isInUse(id),
      isOwn: (ownerId) => ownerId === this.#ownership.id,
      read: async (id, tenant) => {
        const entry = await this.#ownership.read(id)
        return entry?.bytes.length ? Snapshot.adopt(entry.bytes, trustOf(snapshotKey, tenant)) : undefined
      },
      salvage: (id, takeOver) => this.#salvage(id, takeOver),
    })
  }

  /**
   * Calls the listener with events of sessions, slots or checkpoints, soon after they happen. An error that a listener throws becomes an
   * uncaught exception, as with an `EventTarget`.
   *
   * @param options.signal removes the listener when it aborts
   * @returns a function that removes the listener
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

  /** Statistics since the manager was created. Cheap enough to call every second. */
  stats(): ManagerStats {
    let attached = 0
    let memoryBytes = 0
    let fileBytes = 0
    for (const session of this.#sessions.sessions()) {
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
   * Shuts down gracefully, for example on SIGTERM: rejects new sessions and calls, gives running calls until `timeoutMs` to finish and then
   * interrupts them, stores every session that has an id, releases their leases, and closes the manager. Resolves to how many sessions were
   * stored, and which were not and why.
   *
   * @throws InvalidOptionError
   */
  async drain(options?: DrainOptions): Promise<DrainResult> {
    const timeoutMs = resolveDrain(options)
    if (this.#lifecycle.kind === 'draining') return this.#lifecycle.drained
    this.#requireOpen()
    const untilMs = performance.now() + timeoutMs
    const drained = drainSessions(this.#sessions.sessions(), untilMs).then(async (result) => {
      // The result already lists the sessions that were not stored.
      await this.close().catch(() => {})
      return result
    })
    this.#lifecycle = { kind: 'draining', drained }
    return drained
  }

  /**
   * Closes every session and terminates every worker, so that the process can exit by itself. If the manager has a `store`, running code is
   * interrupted and sessions with an id are stored first. Idempotent.
   *
   * @throws NotStoredError or SessionMovedError when one session could not be stored
   * @throws StoreError when several sessions could not be stored; its `cause` is an AggregateError with all errors
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
    const sessions = [...this.#sessions.sessions()]
    // The default MemoryStore ends with the manager, so there is no point in writing to it.
    const keeps = this.#options.store !== undefined
    const end = (session: Session) =>
      keeps
        ? session.closing.close()
        : session.closing.end(new SessionClosedError(`the session ${session.id} is closed`))
    const closed = Promise.allSettled(sessions.map(end))
    if (keeps) await closed
    await Promise.all([closed, this.#pool.close()])
    // Sessions that are still being opened fail and undo their changes.
    await this.#sessions.opened()
    await closeImages(this.#images, this.#options)
    this.#endTelemetry?.()
    throwUnstored(await closed)
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
   * Salvages one stored session that is not in use. Returns what it lost; undefined if it needed no salvage.
   *
   * @throws what `openSession` throws
   */
  #salvage(id: string, takeOver: boolean): Promise<SalvageLoss | undefined> {
    return this.#sessions.salvage(id, async () => {
      this.#requireOpen()
      const options = { salvage: true, takeOver }
      const session = await this.#openStored(resolveOpening(id, options, this.#options, 'without-new'))
      const { salvageLoss } = session
      await session.close()
      return salvageLoss
    })
  }

  async #openOnce(id: string, open: () => Promise<Session>): Promise<Session> {
    return this.#count(await this.#sessions.open(id, open))
  }

  #count(session: Session): Session {
    this.#counters.sessions++
    return session
  }

  #acquire(request: SlotRequest, signal?: AbortSignal): Promise<Slot> {
    this.#spares.callerCame()
    const acquired = this.#pool.acquire(request, signal)
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
