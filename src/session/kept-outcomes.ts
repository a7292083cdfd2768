// The outcomes of a session's last calls with an idempotency key, so that a repeated call does not run again. Owns how many are kept, their
// size, and the rejection of a key that comes again with another call. They are part of the session's record, so that a store has both a
// call's effect and its outcome, or neither (D2).
import type { MemoryAccount } from '../memory/account.js'
import { InvalidOptionError, StoreError } from '../shared/errors.js'
import { outcomeFromJson, outcomeToJson, type Settled } from './outcome-json.js'

const MOST_OUTCOMES = 16
const MOST_OUTCOME_LENGTH = 64 * 1024
/** Limit in characters for all outcomes together. The last one is always kept. */
const MOST_LENGTH = 128 * 1024
/** Limit in characters for what a store returns. Larger, because a line of non-ASCII text may be longer than it was estimated to be. */
const MOST_STORED_LENGTH = 1024 * 1024

/** A call that can be repeated. */
export interface KeyedCall {
  readonly key: string
  /** The fingerprint of what the call asks for (fingerprint.ts). */
  readonly request: string
}

/** A line without a request is of an earlier version, and matches every request. */
type Line = readonly [key: string, outcome: unknown, isOver?: boolean, request?: string | null]

export class KeptOutcomes {
  readonly #sessionId: string
  /** One line of JSON per outcome, the oldest first. Kept only as text, because thousands of sessions may be dormant. */
  #text: string | undefined
  /** Undefined once the session is closed. */
  #account: MemoryAccount | undefined

  /** @param account counts the memory of the outcomes until `close` */
  constructor(sessionId: string, text: string | undefined, account: MemoryAccount) {
    this.#sessionId = sessionId
    this.#account = account
    this.#hold(text)
  }

  /** The outcomes in the form that the record stores. */
  get text(): string | undefined {
    return this.#text
  }

  /**
   * Returns the outcome of the call with this key, if it is kept. `isOver`: the session's state was replaced since, so a suspended
   * execution no longer waits.
   *
   * @throws InvalidOptionError when the call with this key was another one; StoreError
   */
  find({ key, request }: KeyedCall): { readonly settled: Settled; readonly isOver: boolean } | undefined {
    const line = this.#lines.find((other) => this.#parse(other)[0] === key)
    if (line === undefined) return undefined
    const [, outcome, isOver = false, earlier] = this.#parse(line)
    if (typeof earlier === 'string' && earlier !== request) throw reused(key)
    try {
      return { settled: outcomeFromJson(outcome), isOver }
    } catch (cause) {
      throw this.#damaged(cause)
    }
  }

  /** @throws StoreError */
  add({ key, request }: KeyedCall, settled: Settled): void {
    const others = this.#lines.filter((line) => this.#parse(line)[0] !== key)
    const line = JSON.stringify([key, outcomeToJson(settled, MOST_OUTCOME_LENGTH), false, request])
    const kept = [...others, line].slice(-MOST_OUTCOMES)
    let length = kept.reduce((sum, other) => sum + other.length, 0)
    while (kept.length > 1 && length > MOST_LENGTH) length -= kept.shift()?.length ?? 0
    this.#hold(kept.join('\n'))
  }

  /** Call when the session's state was replaced: suspended executions no longer wait. Ignores damaged outcomes, which `find` reports. */
  endSuspended(): void {
    try {
      const lines = this.#lines.map((line) => {
        const [key, outcome, , request] = this.#parse(line)
        return isSuspended(outcome) ? JSON.stringify([key, outcome, true, request]) : line
      })
      if (lines.length > 0) this.#hold(lines.join('\n'))
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  /** Stops counting memory. Keeps the text, because a last write may still need it. */
  close(): void {
    this.#account?.release(bytesOf(this.#text))
    this.#account = undefined
  }

  #hold(text: string | undefined): void {
    this.#account?.take(bytesOf(text) - bytesOf(this.#text))
    this.#text = text
  }

  get #lines(): readonly string[] {
    if (this.#text === undefined) return []
    if (this.#text.length > MOST_STORED_LENGTH) throw this.#damaged(new RangeError('it is too long'))
    return this.#text.split('\n')
  }

  #parse(line: string): Line {
    try {
      const entry: unknown = JSON.parse(line)
      if (Array.isArray(entry) && typeof entry[0] === 'string') return entry as unknown as Line
    } catch (cause) {
      throw this.#damaged(cause)
    }
    throw this.#damaged(new TypeError('not a key and an outcome'))
  }

  #damaged(cause: unknown): StoreError {
    const message = `the record of the session ${this.#sessionId} is damaged: its call outcomes cannot be read; restore the store from a backup, or delete the session`
    return new StoreError(message, { reason: 'damaged', sessionId: this.#sessionId, cause })
  }
}

function reused(key: string): InvalidOptionError {
  const message = `idempotencyKey: ${JSON.stringify(key)} belongs to an earlier call of this session with other code or other answers; nothing ran. Give each call a key of its own, and repeat a call unchanged`
  return new InvalidOptionError('idempotencyKey', 'the key of the same call', key, message)
}

/** An upper bound: V8 stores text beyond Latin-1 with two bytes per character. */
function bytesOf(text: string | undefined): number {
  return 2 * (text?.length ?? 0)
}

function isSuspended(outcome: unknown): boolean {
  const { result } = Object(outcome) as { readonly result?: { readonly status?: unknown } }
  return result?.status === 'suspended'
}
