// What a tenant may use, and what it has used. Owns the accounts, which are of this process: several processes each allow as much, but
// for what the store counts for all of them, sessions and stored bytes.
import { isRecord, known, numberOption } from '../options/check.js'
import { RequestProblem } from './problems.js'

/** `undefined`: no bound. */
export interface Quotas {
  /** Sessions, stored and open. */
  readonly sessions?: number
  /** Bytes that the store keeps of the tenant's sessions. */
  readonly storedBytes?: number
  /** Seconds within an hour for which the tenant's code has an interpreter: its waits for host calls count, because nobody else has that interpreter. */
  readonly executionSecondsPerHour?: number
  /** Executions at the same time, those that wait for an interpreter included. */
  readonly concurrentExecutions?: number
  /** Requests per second, on average. */
  readonly requestsPerSecond?: number
  /** Requests that may come at once. Default: one second's, at least 1. */
  readonly requestBurst?: number
}

const NAMES = [
  ...['sessions', 'storedBytes', 'executionSecondsPerHour', 'concurrentExecutions', 'requestsPerSecond'],
  ...['requestBurst'],
] as const
const whole = numberOption({ min: 0, max: 2 ** 50, integer: true })
const positive = numberOption({ min: 0.001, max: 1_000_000 })

/** @throws InvalidOptionError */
export function resolveQuotas(name: string, given: Quotas | undefined): Quotas {
  if (given === undefined) return {}
  isRecord(name, given)
  known(name, given, NAMES)
  for (const quota of ['sessions', 'storedBytes', 'executionSecondsPerHour', 'concurrentExecutions'] as const)
    whole(`${name}.${quota}`, given[quota], 0)
  positive(`${name}.requestsPerSecond`, given.requestsPerSecond, 1)
  numberOption({ min: 1, max: 1_000_000 })(`${name}.requestBurst`, given.requestBurst, 1)
  return { ...given }
}

export function overQuota(quota: string, max: number, retryAfter: number, detail: string): RequestProblem {
  return new RequestProblem(429, 'QUOTA', detail, {
    quota,
    max,
    retryAfter: Math.max(1, Math.ceil(retryAfter)),
  })
}

const HOUR_MS = 3_600_000
/** The hour has as many parts, which leave it one after the other. */
const PARTS = 60
const PART_MS = HOUR_MS / PARTS
/** How long a sum over a tenant's sessions holds: going through them before each request would take too long. */
const STORED_BYTES_MS = 5000

/** What one tenant has used. */
export class Account {
  readonly quotas: Quotas
  readonly #parts = new Float64Array(PARTS)
  #part = 0
  #tokens: number
  #filledMs: number
  #executions = 0
  #usedMs: number
  #stored: { readonly bytes: number; readonly atMs: number } | undefined

  constructor(quotas: Quotas, nowMs = performance.now()) {
    this.quotas = quotas
    this.#tokens = this.#burst
    this.#filledMs = nowMs
    this.#part = Math.floor(nowMs / PART_MS)
    this.#usedMs = nowMs
  }

  get #burst(): number {
    const { requestsPerSecond = 0, requestBurst } = this.quotas
    return requestBurst ?? Math.max(1, requestsPerSecond)
  }

  /** Nothing of it is left: a new account would be the same. */
  isBlank(nowMs = performance.now()): boolean {
    return this.#executions === 0 && nowMs - this.#usedMs > HOUR_MS
  }

  /** Counts a request. @throws RequestProblem */
  request(nowMs = performance.now()): void {
    this.#usedMs = nowMs
    const { requestsPerSecond } = this.quotas
    if (requestsPerSecond === undefined) return
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#filledMs) * requestsPerSecond) / 1000)
    this.#filledMs = nowMs
    if (this.#tokens < 1) {
      const waitSeconds = (1 - this.#tokens) / requestsPerSecond
      const detail = `more than ${requestsPerSecond} requests per second`
      throw overQuota('requestsPerSecond', requestsPerSecond, waitSeconds, detail)
    }
    this.#tokens -= 1
  }

  /**
   * Begins an execution.
   *
   * @returns ends it
   * @throws RequestProblem
   */
  begin(nowMs = performance.now()): () => void {
    const { concurrentExecutions: most, executionSecondsPerHour: seconds } = this.quotas
    if (most !== undefined && this.#executions >= most)
      throw overQuota('concurrentExecutions', most, 1, `${most} executions run already`)
    if (seconds !== undefined) {
      this.#advance(nowMs)
      const used = this.#parts.reduce((sum, ms) => sum + ms, 0)
      if (used >= seconds * 1000) {
        const detail = `code has run for ${seconds} seconds within an hour`
        throw overQuota(
          'executionSecondsPerHour',
          seconds,
          this.#waitMs(used, seconds * 1000, nowMs) / 1000,
          detail,
        )
      }
    }
    this.#executions++
    let isRunning = true
    return () => {
      if (isRunning) this.#executions--
      isRunning = false
    }
  }

  /** What the store has of the tenant. Undefined: nobody has asked lately. */
  storedBytes(nowMs = performance.now()): number | undefined {
    return this.#stored !== undefined && nowMs - this.#stored.atMs < STORED_BYTES_MS
      ? this.#stored.bytes
      : undefined
  }

  stores(bytes: number, nowMs = performance.now()): void {
    this.#stored = { bytes, atMs: nowMs }
  }

  /** An execution has had an interpreter for that long. */
  used(ms: number, nowMs = performance.now()): void {
    this.#usedMs = nowMs
    this.#advance(nowMs)
    this.#parts[this.#part % PARTS] = (this.#parts[this.#part % PARTS] ?? 0) + ms
  }

  /** Empties the parts that are an hour old. */
  #advance(nowMs: number): void {
    const now = Math.floor(nowMs / PART_MS)
    for (let part = Math.max(this.#part + 1, now - PARTS + 1); part <= now; part++)
      this.#parts[part % PARTS] = 0
    this.#part = now
  }

  /** Until enough of the oldest parts have left the hour. */
  #waitMs(usedMs: number, maxMs: number, nowMs: number): number {
    let left = usedMs
    for (let part = this.#part - PARTS + 1; part <= this.#part; part++) {
      left -= this.#parts[((part % PARTS) + PARTS) % PARTS] ?? 0
      if (left < maxMs) return (part + PARTS) * PART_MS - nowMs
    }
    return HOUR_MS
  }
}

/** Accounts by tenant. */
export class Accounts {
  readonly #accounts = new Map<string, Account>()
  readonly #quotasOf: (tenant: string) => Quotas
  #sweptMs = performance.now()

  constructor(quotasOf: (tenant: string) => Quotas) {
    this.#quotasOf = quotasOf
  }

  of(tenant: string): Account {
    this.#sweep(performance.now())
    let account = this.#accounts.get(tenant)
    if (account === undefined) {
      account = new Account(this.#quotasOf(tenant))
      this.#accounts.set(tenant, account)
    }
    return account
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < HOUR_MS) return
    this.#sweptMs = nowMs
    for (const [tenant, account] of this.#accounts) if (account.isBlank(nowMs)) this.#accounts.delete(tenant)
  }
}
