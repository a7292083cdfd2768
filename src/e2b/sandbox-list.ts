// Information about a sandbox that does not need it open, and `Sandbox.list`. Owns how the sessions of a store are recognized as sandboxes.
import type { SessionManager } from '../manager.js'
import type { StoredSession } from '../store/store.js'
import { InvalidArgumentError, SandboxNotFoundError, withSandboxErrors } from './errors.js'
import { Machine } from './machine.js'
import type { ManagerSource } from './manager-source.js'
import { type SandboxApiOpts, sourceOfOptions } from './options.js'

export type SandboxState = 'running' | 'paused'

export interface SandboxInfo {
  sandboxId: string
  templateId: string
  metadata: Record<string, string>
  startedAt: Date
  /** When the sandbox will be killed or paused; for a paused one, when it was last stored. */
  endAt: Date
  /** `running`: a process has it open. */
  state: SandboxState
  cpuCount: number
  memoryMB: number
  envdVersion: string
}

export type SandboxListOpts = Omit<SandboxApiOpts, 'signal'> & {
  query?: { metadata?: Record<string, string>; state?: SandboxState[]; startedAfter?: Date }
  /** Order by start time. Default `desc`. */
  order?: 'asc' | 'desc'
  /** Page size. Default 100. */
  limit?: number
  nextToken?: string
}

const ID = /^sbx[0-9a-f]{20}$/
const DEFAULT_LIMIT = 100
const MiB = 1024 * 1024
const DEFAULT_MEMORY_BYTES = 256 * MiB

export function isSandboxId(id: unknown): id is string {
  return typeof id === 'string' && ID.test(id)
}

export class SandboxPaginator {
  readonly #opts: SandboxListOpts
  #next: number | undefined

  constructor(opts: SandboxListOpts = {}) {
    const { limit, nextToken = '0', order = 'desc', query: { state } = {} } = opts
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0))
      throw new InvalidArgumentError(`limit: expected a positive integer, got ${String(limit)}`)
    if (!/^\d{1,15}$/.test(nextToken))
      throw new InvalidArgumentError('nextToken: expected that of a paginator')
    if (order !== 'asc' && order !== 'desc') throw new InvalidArgumentError('order: expected "asc" or "desc"')
    if (state !== undefined && !Array.isArray(state))
      throw new InvalidArgumentError('query.state: expected an array of "running" and "paused"')
    this.#opts = opts
    this.#next = Number(nextToken)
  }

  get hasNext(): boolean {
    return this.#next !== undefined
  }

  get nextToken(): string | undefined {
    return this.#next === undefined ? undefined : String(this.#next)
  }

  /** @throws Error when there are no more items: see `hasNext` */
  async nextItems(): Promise<SandboxInfo[]> {
    const from = this.#next
    if (from === undefined) throw new Error('No more items to fetch')
    const { query = {}, order = 'desc', limit = DEFAULT_LIMIT } = this.#opts
    const source = sourceOfOptions(this.#opts)
    const all = await withSandboxErrors(() =>
      source.use(async (manager) => {
        const filter = { prefix: 'sbx', ...(query.metadata ? { labels: query.metadata } : {}) }
        const found: SandboxInfo[] = []
        for await (const stored of manager.list(filter))
          if (isSandboxId(stored.id)) found.push(infoOf(stored, source))
        return found
      }),
    )
    const { state, startedAfter } = query
    const items = all
      .filter((info) => state === undefined || state.includes(info.state))
      .filter((info) => startedAfter === undefined || info.startedAt >= startedAfter)
      .sort((a, b) => (a.startedAt.getTime() - b.startedAt.getTime()) * (order === 'asc' ? 1 : -1))
    this.#next = from + limit < items.length ? from + limit : undefined
    return items.slice(from, from + limit)
  }
}

/** @throws SandboxNotFoundError */
export async function findSandbox(
  manager: SessionManager,
  source: ManagerSource,
  id: string,
): Promise<SandboxInfo> {
  for await (const stored of manager.list({ prefix: id }))
    if (stored.id === id && isSandboxId(id)) return infoOf(stored, source)
  throw new SandboxNotFoundError(`there is no sandbox ${id}`)
}

function infoOf(
  { id, labels, createdAt, updatedAt, owner }: StoredSession,
  source: ManagerSource,
): SandboxInfo {
  const machine = source.machines.get(id)
  const isOpen = machine instanceof Machine
  return {
    ...{ sandboxId: id, templateId: 'code-interpreter-v1', metadata: { ...labels } },
    ...{ startedAt: createdAt, endAt: isOpen ? machine.endAt : updatedAt },
    state: isOpen || owner !== undefined ? 'running' : 'paused',
    ...{
      cpuCount: 1,
      memoryMB: (isOpen ? machine.memoryBytes : DEFAULT_MEMORY_BYTES) / MiB,
      envdVersion: '0.0.0',
    },
  }
}
