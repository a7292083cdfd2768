// The sessions and snapshots of one tenant, by the names that clients give them. Owns their ids in the manager, and their number.
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { SessionManager } from '../manager.js'
import type { GetOrCreateOptions } from '../options.js'
import { NameLocks } from '../presentation/name-locks.js'
import { lostNote } from '../presentation/outcome.js'
import type { Session } from '../session.js'
import { count } from '../shared/count.js'
import { SessionOwnedError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { Outputs } from './outputs.js'

/** A client's request cannot be fulfilled. The message says what to do. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

export interface Opened {
  readonly session: Session
  /** Remarks for the client about the session's state. */
  readonly notes: readonly string[]
}

export interface Listed {
  readonly name: string
  readonly updatedAt: Date
  readonly sizeBytes: number
  readonly executionCount: number
}

export interface TenantOptions {
  readonly manager: SessionManager
  readonly tenant: string
  readonly maxSessions: number
  readonly sessionOptions: Omit<GetOrCreateOptions, 'tenant' | 'from' | 'takeOver'>
}

type Kind = 'session' | 'snapshot'

const HASH_LENGTH = 16
/** Longest wait for the lease of a process that was killed. */
const LONGEST_LEASE_MS = 60_000
const MARGIN_MS = 50

export class Tenant {
  readonly outputs = new Outputs()
  readonly #options: TenantOptions
  readonly #prefixes: Readonly<Record<Kind, string>>

  constructor(options: TenantOptions) {
    this.#options = options
    // Ids are unique over all tenants, and consist of letters, digits, - and _.
    const hash = createHash('sha256').update(options.tenant).digest('base64url').slice(0, HASH_LENGTH)
    this.#prefixes = { session: `mcp-${hash}-s-`, snapshot: `mcp-${hash}-n-` }
  }

  /** Opens the session of this name, wherever it is stored, or creates it. */
  open(name: string, signal?: AbortSignal): Promise<Opened> {
    return this.#open('session', name, signal)
  }

  /** Whether a session of this name exists. */
  has(name: string): Promise<boolean> {
    return this.#has('session', name)
  }

  /**
   * Saves a snapshot, replacing the one of this name if there is one.
   *
   * @returns the snapshot's size in bytes
   */
  async saveSnapshot(session: string, name: string, signal?: AbortSignal): Promise<number> {
    const source = await this.#existing('session', session, signal)
    const state = await source.snapshotState()
    return this.#locked('snapshot', name, signal, async () => {
      const isThere = await this.#has('snapshot', name)
      const { session: copy } = await this.#open('snapshot', name, signal, state)
      try {
        if (isThere) await copy.restoreState(state)
      } finally {
        // Closing the session stores it. A snapshot needs no interpreter.
        await copy.close()
      }
      return state.size
    })
  }

  async restore(session: string, name: string, signal?: AbortSignal): Promise<void> {
    const snapshot = await this.#locked('snapshot', name, signal, async () => {
      const saved = await this.#existing('snapshot', name, signal)
      try {
        return await saved.snapshotState()
      } finally {
        await saved.close()
      }
    })
    const { session: target } = await this.open(session, signal)
    await target.restoreState(snapshot)
  }

  async fork(session: string, name: string, signal?: AbortSignal): Promise<void> {
    const source = await this.#existing('session', session, signal)
    await this.#locked('session', name, signal, async () => {
      if (await this.#has('session', name))
        throw new RefusedError(`there is a session ${name} already; choose another name, or delete it`)
      await this.#open('session', name, signal, await source.snapshotState())
    })
  }

  /** Resolves to whether it existed. */
  delete(kind: Kind, name: string, signal?: AbortSignal): Promise<boolean> {
    const { manager } = this.#options
    return this.#locked(kind, name, signal, () => manager.delete(this.#prefixes[kind] + name))
  }

  async list(kind: Kind): Promise<Listed[]> {
    const { manager, tenant } = this.#options
    const prefix = this.#prefixes[kind]
    const found: Listed[] = []
    for await (const { id, updatedAt, sizeBytes, executionCount: stored } of manager.list({
      tenant,
      prefix,
    })) {
      // The store may not know of the latest executions yet.
      const executionCount = manager.get(id)?.executionCount ?? stored
      found.push({ name: id.slice(prefix.length), updatedAt, sizeBytes, executionCount })
    }
    return found
  }

  /** Saving, restoring and deleting a snapshot open and close the same session of the manager, so they must not overlap. */
  #locked<T>(kind: Kind, name: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    return NameLocks.of(this.#options.manager).run(this.#prefixes[kind] + name, signal, task)
  }

  async #existing(kind: Kind, name: string, signal?: AbortSignal): Promise<Session> {
    if (!(await this.#has(kind, name))) {
      const names = (await this.list(kind)).map((one) => one.name)
      const known = names.length === 0 ? 'there are none' : `there are: ${names.slice(0, 20).join(', ')}`
      throw new RefusedError(`there is no ${kind} ${name}; ${known}`)
    }
    return (await this.#open(kind, name, signal)).session
  }

  async #has(kind: Kind, name: string): Promise<boolean> {
    if (this.#options.manager.get(this.#prefixes[kind] + name)) return true
    return (await this.list(kind)).some((one) => one.name === name)
  }

  /** @param from the snapshot that a new session starts from */
  async #open(kind: Kind, name: string, signal?: AbortSignal, from?: Snapshot): Promise<Opened> {
    const { manager, tenant, maxSessions, sessionOptions } = this.#options
    const id = this.#prefixes[kind] + name
    const open = manager.get(id)
    if (open) return { session: open, notes: [] }
    const names = (await this.list(kind)).map((one) => one.name)
    if (names.length >= maxSessions && !names.includes(name))
      throw new RefusedError(
        `there are ${count(names.length, kind)}, which is the limit; delete one with reset_session, or use one of: ${names.slice(0, 20).join(', ')}`,
      )
    const options = { ...sessionOptions, tenant, salvage: true, ...(from === undefined ? {} : { from }) }
    const session = await retryWhileOwned(() => manager.getOrCreate(id, options), signal)
    const { lostGlobals } = session
    return { session, notes: lostGlobals.length === 0 ? [] : [lostNote(lostGlobals)] }
  }
}

/**
 * Retries while another server has the session open. A killed server's leases last some seconds longer. A live one renews its leases, and
 * keeps its sessions.
 */
async function retryWhileOwned(open: () => Promise<Session>, signal?: AbortSignal): Promise<Session> {
  const startedMs = performance.now()
  for (let expires: number | undefined; ; ) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof SessionOwnedError)) throw error
      const at = error.expiresAt.getTime()
      // The lease was renewed, so its owner is alive.
      const isAlive = expires !== undefined && at > expires
      if (isAlive || performance.now() - startedMs > LONGEST_LEASE_MS)
        throw new RefusedError(
          'another server has this session open; use another session, or stop that server',
        )
      expires = at
      const waitMs = Math.min(Math.max(at - Date.now(), 0) + MARGIN_MS, LONGEST_LEASE_MS)
      await setTimeout(waitMs, undefined, signal === undefined ? {} : { signal })
    }
  }
}
