// What a tenant may use, and what it has used. Owns the accounts. They belong to this process, so several processes each allow the full
// amount, except for sessions and stored bytes, which the store counts for all processes.
import { isRecord, known, numberOption } from '../options/check.js'
import { RequestProblem } from './problems.js'

/** An `undefined` quota is unlimited. */
export interface Quotas {
  /** Number of sessions, stored or open. */
  readonly sessions?: number
  /** Bytes that the store keeps for the tenant's sessions. */
  readonly storedBytes?: number
  /** Seconds per hour in which the tenant's code has an interpreter. Waiting for host calls counts: no one else can use it. */
  readonly executionSecondsPerHour?: number
  /** Executions at the same time, including those that wait for an interpreter. */
  readonly concurrentExecutions?: number
  /** Requests per second, on average. */
  readonly requestsPerSecond?: number
  /** Requests that may arrive at once. Default: those of one second, at least 1. */
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

/** For quotas of what is stored: only the client itself can free space, so retrying soon is useless. */
export const FULL_RETRY_SECONDS = 60

export function overQuota(quota: string, max: number, retryAfter: number, detail: string): RequestProblem {
  return new RequestProblem(429, 'QUOTA', detail, {
    quota,
    max,
    retryAfter: Math.max(1, Math.ceil(retryAfter)),
  })
}

const HOUR_MS = 3_600_000
/** The hour is split into this many parts, which expire one after the other. */
const PARTS = 60
const PART_MS = HOUR_MS / PARTS

/** What one tenant has used. */
export class Account {
  readonly quotas: Quotas
  readonly #parts = new Float64Array(PARTS)
  #part = 0
  #tokens: number
  #filledMs: number
  #executions = 0
  #usedMs: number

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

  /** Whether a new account would be the same, so that this one can be dropped. */
  isBlank(nowMs = performance.now()): boolean {
    return this.#executions === 0 && nowMs - this.#usedMs > HOUR_MS
  }

  /** Counts a request. @throws RequestProblem when there are too many */
  request(nowMs = performance.now()): void {
    this.#usedMs = nowMs
    const { requestsPerSecond } = this.quotas
    if (requestsPerSecond === undefined) return
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#filledMs) * requestsPerSecond) / 1000)
    this.#filledMs = nowMs
    if (this.#tokens < 1) {
      const waitSeconds = (1 - this.#tokens) / requestsPerSecond
      const detail = `more than ${requestsPerSecond} requests per second; try again later`
      throw overQuota('requestsPerSecond', requestsPerSecond, waitSeconds, detail)
    }
    this.#tokens -= 1
  }

  /**
   * Begins an execution.
   *
   * @returns a function that ends it
   * @throws RequestProblem when the tenant has used its quota
   */
  begin(nowMs = performance.now()): () => void {
    const { concurrentExecutions: most, executionSecondsPerHour: seconds } = this.quotas
    if (most !== undefined && this.#executions >= most)
      throw overQuota(
        'concurrentExecutions',
        most,
        1,
        `${most} executions are running already; try again when one has ended`,
      )
    if (seconds !== undefined) {
      this.#advance(nowMs)
      const used = this.#parts.reduce((sum, ms) => sum + ms, 0)
      if (used >= seconds * 1000) {
        const detail = `code has run for ${seconds} seconds within an hour; try again later`
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

  /** Charges the time for which an execution had an interpreter. */
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

  /** How long until enough of the oldest parts have expired. */
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
