// Where sandboxes get their manager: the one that they were given, or one that all others share. Owns when the shared one is open.
import { SessionManager } from '../manager.js'
import { MemoryStore } from '../store/memory-store.js'

/** What this file needs of sandboxes before their manager closes. */
export interface Suspendable {
  suspend(): Promise<void>
}

export interface ManagerSource {
  /** Open sandboxes by their id. */
  readonly machines: Map<string, Suspendable>
  /** Sandboxes that are being stored, and cannot be opened until that is done. */
  readonly pausing: Map<string, Promise<void>>
  /** Runs a task with the manager, which stays open until it settles. */
  use<T>(task: (manager: SessionManager) => Promise<T>): Promise<T>
}

const IDLE_MS = 1000

const givenSources = new WeakMap<SessionManager, ManagerSource>()

/** Returns the same source for the same manager, so that several handles of a sandbox share its sessions. */
export function sourceOf(manager: SessionManager): ManagerSource {
  const source = givenSources.get(manager) ?? {
    ...{ machines: new Map(), pausing: new Map() },
    use: (task) => task(manager),
  }
  givenSources.set(manager, source)
  return source
}

/**
 * A manager with default options. The first sandbox opens it, and it is closed after a second without calls, so that programs end without
 * closing anything, as they do with E2B. Sandboxes are then suspended: a MemoryStore keeps them until the process ends.
 */
class SharedManager implements ManagerSource {
  readonly machines = new Map<string, Suspendable>()
  readonly pausing = new Map<string, Promise<void>>()
  readonly #store = new MemoryStore()
  #opening: Promise<SessionManager> | undefined
  #closing: Promise<void> | undefined
  #users = 0
  #idle: NodeJS.Timeout | undefined

  async use<T>(task: (manager: SessionManager) => Promise<T>): Promise<T> {
    this.#users++
    clearTimeout(this.#idle)
    try {
      await this.#closing
      this.#opening ??= SessionManager.create({ store: this.#store })
      return await task(await this.#opening.catch((error) => this.#forget(error)))
    } finally {
      this.#users--
      if (this.#users === 0) this.#idle = setTimeout(() => this.#close(), IDLE_MS)
    }
  }

  #forget(error: unknown): never {
    this.#opening = undefined
    throw error
  }

  #close(): void {
    const opening = this.#opening
    if (opening === undefined) return
    this.#opening = undefined
    this.#closing = (async () => {
      try {
        await Promise.all([...this.machines.values()].map((machine) => machine.suspend()))
        await (await opening).close()
      } finally {
        this.#closing = undefined
      }
    })()
  }
}

export const SHARED: ManagerSource = new SharedManager()
