// What a session's last calls with an idempotency key came to, so that a call that is repeated does not run again. Owns how many are kept,
// and how large. They are part of the session's record: a store has both a call's effect and its outcome, or neither (D2).
import { StoreError } from '../shared/errors.js'
import { outcomeFromJson, outcomeToJson, type Settled } from './outcome-json.js'

const MOST_OUTCOMES = 16
const MOST_OUTCOME_BYTES = 64 * 1024
/** Of all of them. The last one is kept in any case. */
const MOST_BYTES = 128 * 1024

interface Kept {
  readonly key: string
  /** JSON without line ends. */
  readonly line: string
}

export class KeptOutcomes {
  readonly #sessionId: string
  /** The oldest first. Undefined: `#text` has not been read yet. */
  #kept: Kept[] | undefined
  #text: string | undefined

  constructor(sessionId: string, text: string | undefined) {
    this.#sessionId = sessionId
    this.#text = text
  }

  /** As the record has it. */
  get text(): string | undefined {
    return this.#text
  }

  /** @throws StoreError */
  find(key: string): Settled | undefined {
    const found = this.#read().find((kept) => kept.key === key)
    return found && this.#decode(() => outcomeFromJson(parse(found.line)[1]))
  }

  add(key: string, settled: Settled): void {
    const line = JSON.stringify([key, outcomeToJson(settled, MOST_OUTCOME_BYTES)])
    const kept = [...this.#read().filter((other) => other.key !== key), { key, line }].slice(-MOST_OUTCOMES)
    let bytes = kept.reduce((sum, other) => sum + other.line.length, 0)
    while (kept.length > 1 && bytes > MOST_BYTES) bytes -= kept.shift()?.line.length ?? 0
    this.#kept = kept
    this.#text = kept.map((other) => other.line).join('\n')
  }

  #read(): Kept[] {
    this.#kept ??= this.#decode(() =>
      this.#text === undefined ? [] : this.#text.split('\n').map((line) => ({ key: parse(line)[0], line })),
    )
    return this.#kept
  }

  #decode<T>(decode: () => T): T {
    try {
      return decode()
    } catch (cause) {
      const message = `the record of the session ${this.#sessionId} is damaged: it has no outcomes of calls`
      throw new StoreError(message, { reason: 'damaged', sessionId: this.#sessionId, cause })
    }
  }
}

function parse(line: string): [key: string, outcome: unknown] {
  const entry: unknown = JSON.parse(line)
  if (!Array.isArray(entry) || typeof entry[0] !== 'string') throw new TypeError('not a key and an outcome')
  return entry as [string, unknown]
}
