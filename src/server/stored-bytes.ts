// The bytes that the store keeps for a tenant: of its sessions, and of those behind LibreChat's ids. Owns the sum, which all requests of the
// tenant share for some seconds, because listing sessions before each request would take too long.
import type { SessionManager } from '../manager.js'
import { type Account, FULL_RETRY_SECONDS, overQuota } from './quotas.js'
import { idPrefixOf, LIBRECHAT_PREFIX } from './session-ids.js'

interface Sum {
  readonly bytes: Promise<number>
  readonly atMs: number
}

/** How long a sum is valid. */
const VALID_MS = 5000

export class StoredBytes {
  readonly #manager: SessionManager
  readonly #sums = new WeakMap<Account, Sum>()

  constructor(manager: SessionManager) {
    this.#manager = manager
  }

  /**
   * Called before a session is created or can become larger.
   *
   * @param advice what the client can do about a full store
   * @throws RequestProblem when the tenant has reached its quota of stored bytes; StoreError
   */
  async require(tenant: string, account: Account, advice = 'delete some'): Promise<void> {
    const { storedBytes } = account.quotas
    if (storedBytes === undefined) return
    const bytes = await this.#sumOf(tenant, account)
    if (bytes < storedBytes) return
    const detail = `the sessions take ${bytes} bytes of the store; ${advice}`
    throw overQuota('storedBytes', storedBytes, FULL_RETRY_SECONDS, detail)
  }

  #sumOf(tenant: string, account: Account): Promise<number> {
    const nowMs = performance.now()
    const known = this.#sums.get(account)
    if (known !== undefined && nowMs - known.atMs < VALID_MS) return known.bytes
    const sum: Sum = { bytes: this.#add(tenant), atMs: nowMs }
    this.#sums.set(account, sum)
    // The next request tries again.
    sum.bytes.catch(() => {
      if (this.#sums.get(account) === sum) this.#sums.delete(account)
    })
    return sum.bytes
  }

  async #add(tenant: string): Promise<number> {
    let bytes = 0
    for (const prefix of [idPrefixOf(tenant), LIBRECHAT_PREFIX])
      for await (const { sizeBytes } of this.#manager.list({ tenant, prefix })) bytes += sizeBytes
    return bytes
  }
}
