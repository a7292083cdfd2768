// Creates a manager's sessions, and opens those that its store has. Owns the checks before, and the cleanup when a session fails to open.
// session-table.ts has the sessions.
import type { ManagerMemory } from '../memory/manager-memory.js'
import type { SessionContext } from '../session/context.js'
import type { ResolvedSessionOptions } from '../session/options.js'
import type { KeptSession } from '../session/persistence.js'
import { requireDescribed } from '../session/salvage.js'
import { Session } from '../session.js'
import { InterpreterCrashedError, InvalidOptionError, SessionClosedError } from '../shared/errors.js'
import type { Image as BootedImage } from '../shared/image/image.js'
import { trustOf } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'
import { NO_SNAPSHOT, type Ownership } from '../store/ownership.js'
import type { StoreEntry } from '../store/store.js'
import { requireMemory } from './images.js'
import type { ResolvedManagerOptions, ResolvedOpening } from './options.js'

export interface OpenerParts {
  readonly options: ResolvedManagerOptions
  /** Images by id. */
  readonly images: ReadonlyMap<string, BootedImage>
  /** Context of the sessions of each image, by the image's id. The first is the default. */
  readonly contexts: ReadonlyMap<string, SessionContext>
  readonly memory: ManagerMemory
  readonly ownership: Ownership
  /** @throws SessionClosedError when the manager is closed or draining */
  readonly requireOpen: () => void
  /** Adds a session to the manager's table. */
  readonly register: (session: Session) => void
}

/** What a session starts from. */
interface Beginning {
  readonly context: SessionContext
  readonly from: Snapshot | undefined
  /** Snapshot whose plain values the session starts with, instead of `from`. */
  readonly salvaged: Snapshot | undefined
}

export class Opener {
  readonly #parts: OpenerParts

  constructor(parts: OpenerParts) {
    this.#parts = parts
  }

  /**
   * Creates a session. Returns undefined if the store already has one with its id.
   *
   * @param isKept whether the store keeps the session
   * @throws what `SessionManager.createSession` throws
   */
  async create(options: ResolvedSessionOptions, isKept: boolean): Promise<Session | undefined> {
    const { snapshotKey } = this.#parts.options
    options.from?.requireTrust(trustOf(snapshotKey, options.tenant))
    const beginning = this.#begin(options, options.from, options.image)
    if (!isKept) return this.#start(options, beginning)
    const { context, from } = beginning
    const record = {
      tenant: options.tenant,
      imageId: context.image.id,
      labels: options.labels,
      executionCount: from?.parts.head.executionCount ?? 0,
    }
    const bytes = (await from?.copyBytes()) ?? NO_SNAPSHOT
    const entry = await this.#parts.ownership.create(options.id, bytes, record)
    if (entry === undefined) return undefined
    return this.#start(options, beginning, { entry, record, isStored: true }, 'created')
  }

  /**
   * Opens a stored session. Returns undefined if the store has none with the id.
   *
   * @throws what `SessionManager.openSession` throws
   */
  async open({ session: options, tenant, takeOver }: ResolvedOpening): Promise<Session | undefined> {
    const { ownership } = this.#parts
    const taken = await ownership.take(options.id, takeOver, (stored) =>
      this.#accept(options, stored, tenant),
    )
    if (taken === undefined) return undefined
    const { entry, record, accepted } = taken
    const kept = { entry, record, isStored: accepted.salvaged === undefined }
    const { tenant: owner, labels } = record
    return this.#start({ ...options, tenant: owner, labels }, accepted, kept)
  }

  #accept(options: ResolvedSessionOptions, stored: StoreEntry, tenant: string | undefined): Beginning {
    requireTenant(stored, tenant)
    if (stored.bytes.length === 0)
      return this.#begin(
        options,
        undefined,
        options.image ?? (this.#parts.contexts.has(stored.imageId) ? stored.imageId : undefined),
      )
    const { snapshotKey } = this.#parts.options
    const snapshot = Snapshot.adopt(stored.bytes, trustOf(snapshotKey, stored.tenant))
    return this.#begin(options, snapshot, options.image)
  }

  /** @param image id of the image; undefined: the snapshot's image, else the first */
  #begin(
    { limits, salvage }: ResolvedSessionOptions,
    snapshot: Snapshot | undefined,
    image: string | undefined,
  ): Beginning {
    const { contexts, images, memory } = this.#parts
    const { imageId } = snapshot?.parts.head ?? {}
    const fits = imageId === undefined || (contexts.has(imageId) && (image ?? imageId) === imageId)
    const context = this.#contextOf(image ?? (fits ? imageId : undefined))
    if (snapshot && !fits && !salvage)
      throw snapshot.incompatible(
        image === undefined ? `this manager has ${this.#imageIds}` : `\`image\` is ${image}`,
      )
    if (snapshot && !fits) requireDescribed(snapshot)
    requireMemory(limits, images.get(context.image.id))
    if (snapshot) memory.requireRoom(memory.snapshots.costOf(snapshot), 'there is no room for the snapshot')
    return fits
      ? { context, from: snapshot, salvaged: undefined }
      : { context, from: undefined, salvaged: snapshot }
  }

  #contextOf(image: string | undefined): SessionContext {
    const { contexts } = this.#parts
    const [first] = contexts.values()
    if (first === undefined) throw new Error('unreachable: a manager without images')
    if (image === undefined) return first
    const context = contexts.get(image)
    if (context) return context
    throw new InvalidOptionError('image', `the id of an image of this manager: ${this.#imageIds}`, image)
  }

  get #imageIds(): string {
    return [...this.#parts.contexts.keys()].join(', ')
  }

  async #start(
    options: ResolvedSessionOptions,
    { context, from, salvaged }: Beginning,
    kept?: KeptSession,
    how?: 'created',
  ): Promise<Session> {
    const { requireOpen, register } = this.#parts
    const session = new Session(context, { ...options, from }, kept)
    try {
      // The manager may have been closed during the request to the store.
      requireOpen()
      register(session)
      await session.open(kept && !how ? 'opened' : 'created', salvaged)
      // Take a snapshot, so that there is a state to store. Otherwise closing the session would replace the stored state with nothing (D3).
      if (salvaged && how !== 'created') await session.snapshotState()
    } catch (error) {
      await this.#undo(session, kept !== undefined, how)
      // To the caller there was no session yet that could have been closed, so report the crash that closed it.
      if (error instanceof SessionClosedError && error.cause instanceof InterpreterCrashedError)
        throw error.cause
      // For the same reason, if the manager was closed, report that instead.
      if (error instanceof SessionClosedError) requireOpen()
      throw error
    }
    return session
  }

  /** Restores the store to what it was. If that fails, the lease of the remaining entry expires by itself. */
  async #undo(session: Session, isKept: boolean, how?: 'created'): Promise<void> {
    if (!isKept) return session.closing.close()
    await (how ? session.closing.delete() : session.closing.abandon()).catch(() => {})
  }
}

/**
 * @param given undefined: the caller did not name a tenant
 * @throws InvalidOptionError if the session is another tenant's
 */
export function requireTenant(
  { id, tenant }: { readonly id: string; readonly tenant: string },
  given: string | undefined,
): void {
  if (given === undefined || given === tenant) return
  const message = `tenant: the session ${id} belongs to another tenant than the given one`
  throw new InvalidOptionError('tenant', 'the tenant of the session', given, message)
}
