// What a session's last calls with an idempotency key came to, so that a call that is repeated does not run again. Owns how many are kept,
// and how large. They are part of the session's record: a store has both a call's effect and its outcome, or neither (D2).
import type { MemoryAccount } from '../memory/account.js'
import { StoreError } from '../shared/errors.js'
import { outcomeFromJson, outcomeToJson, type Settled } from './outcome-json.js'

const MOST_OUTCOMES = 16
const MOST_OUTCOME_LENGTH = 64 * 1024
/** Of all of them, in characters. The last one is kept in any case. */
const MOST_LENGTH = 128 * 1024
/** Of what a store returns. Characters of other alphabets may make a line longer than it was estimated to be. */
const MOST_STORED_LENGTH = 1024 * 1024

type Line = readonly [key: string, outcome: unknown, isOver?: boolean]

export class KeptOutcomes {
  readonly #sessionId: string
  /** A line of JSON each, the oldest first. Nothing else is kept, as thousands of sessions may sleep. */
  #text: string | undefined
  /** Undefined once the session is closed. */
  #account: MemoryAccount | undefined

  /** @param account what they take counts there, until `close` */
  constructor(sessionId: string, text: string | undefined, account: MemoryAccount) {
    this.#sessionId = sessionId
    this.#account = account
    this.#hold(text)
  }

  /** As the record has it. */
  get text(): string | undefined {
    return this.#text
  }

  /**
   * `isOver`: the session's state is not the one any more in which a suspended execution waits.
   *
   * @throws StoreError
   */
  find(key: string): { readonly settled: Settled; readonly isOver: boolean } | undefined {
    const line = this.#lines.find((other) => this.#parse(other)[0] === key)
    if (line === undefined) return undefined
    const [, outcome, isOver = false] = this.#parse(line)
    try {
      return { settled: outcomeFromJson(outcome), isOver }
    } catch (cause) {
      throw this.#damaged(cause)
    }
  }

  /** @throws StoreError */
  add(key: string, settled: Settled): void {
    const others = this.#lines.filter((line) => this.#parse(line)[0] !== key)
    const line = JSON.stringify([key, outcomeToJson(settled, MOST_OUTCOME_LENGTH)])
    const kept = [...others, line].slice(-MOST_OUTCOMES)
    let length = kept.reduce((sum, other) => sum + other.length, 0)
    while (kept.length > 1 && length > MOST_LENGTH) length -= kept.shift()?.length ?? 0
    this.#hold(kept.join('\n'))
  }

  /** Suspended executions do not wait any more: the session has another state, damaged outcomes or not. `find` says that they are. */
  endSuspended(): void {
    try {
      const lines = this.#lines.map((line) => {
        const [key, outcome] = this.#parse(line)
        return isSuspended(outcome) ? JSON.stringify([key, outcome, true]) : line
      })
      if (lines.length > 0) this.#hold(lines.join('\n'))
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  /** Ends the counting. A last write may still need the text. */
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
    const message = `the record of the session ${this.#sessionId} is damaged: what it has are no outcomes of calls`
    return new StoreError(message, { reason: 'damaged', sessionId: this.#sessionId, cause })
  }
}

/** At most: text of other alphabets has two bytes for each character. */
function bytesOf(text: string | undefined): number {
  return 2 * (text?.length ?? 0)
}

function isSuspended(outcome: unknown): boolean {
  const { result } = Object(outcome) as { readonly result?: { readonly status?: unknown } }
  return result?.status === 'suspended'
}
