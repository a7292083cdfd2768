// Collects what the running execution writes and displays, for its result or error, and passes it on to the listeners. Displays are decoded
// in the session's lane, in order with the slot's other messages.
import type { MemoryAccount } from '../memory/account.js'
import type { Display } from '../shared/display.js'
import type { Produced } from '../shared/errors.js'
import type { LiveOutput } from '../shared/messages/slot.js'
import { MalformedValueError } from '../shared/values/decode.js'
import type { Lane } from '../shared/values/slices.js'
import type { ExecutionListener } from '../slots/slot.js'
import { DisplayList, DisplayReader } from './displays.js'
import type { Listeners } from './listeners.js'

interface ExecutionParts {
  readonly listeners: Listeners
  readonly lane: Lane
  readonly account: MemoryAccount
  /** Called when the slot sent something that our code never sends. The slot must be ended. */
  readonly onMalformed: (what: string) => void
}

export class RunningExecution implements ExecutionListener {
  readonly #parts: ExecutionParts
  readonly #displays = new DisplayList()
  #stdout = ''
  #stderr = ''
  #displayBytes = 0
  #reading: Promise<unknown> | undefined

  constructor(parts: ExecutionParts) {
    this.#parts = parts
  }

  onOutput(output: LiveOutput): void {
    const { stream, text, lengths } = output
    const [first, other] = lengths === undefined ? [text, ''] : apart(text, lengths)
    this.#stdout += stream === 1 ? first : other
    this.#stderr += stream === 1 ? other : first
    this.#parts.listeners.onOutput(output)
  }

  onDisplay(bytes: Uint8Array): void {
    const { account, lane, listeners, onMalformed } = this.#parts
    const refuse = (error: unknown) => {
      if (!(error instanceof MalformedValueError)) throw error
      onMalformed(error.message)
    }
    this.#displayBytes += bytes.length
    try {
      const reading = lane.run(
        new DisplayReader(bytes, (message) => {
          const display = this.#displays.follow(message)
          if (display !== undefined) listeners.onDisplay(display)
        }),
      )
      if (reading === undefined) return
      account.take(bytes.length)
      this.#reading = reading.catch(refuse).finally(() => account.release(bytes.length))
    } catch (error) {
      refuse(error)
    }
  }

  /** Adds the output that came with the reply. If there are listeners, they have already received it. */
  addRest({ stdout, stderr }: Pick<Produced, 'stdout' | 'stderr'>): void {
    this.#stdout += stdout
    this.#stderr += stderr
  }

  /** Passes the last expression's display to the listeners. */
  addLast(display: Display): void {
    this.#parts.listeners.onDisplay(display)
  }

  /** Resolves when every display that has arrived is decoded. Rejects only because of a bug of ours. */
  get read(): Promise<unknown> | undefined {
    return this.#reading
  }

  /** Characters of the longer stream. */
  get outputLength(): number {
    return Math.max(this.#stdout.length, this.#stderr.length)
  }

  /** Bytes of all displays that have arrived. */
  get displayBytes(): number {
    return this.#displayBytes
  }

  get produced(): Produced {
    return { stdout: this.#stdout, stderr: this.#stderr, displays: this.#displays.displays }
  }
}

/** Splits the text by stream. Returns the stream that `text` begins with first. */
function apart(text: string, lengths: Uint32Array): [string, string] {
  // Join the parts once: code may write to both streams in turn, a character at a time, and a string concatenated from so many pieces takes
  // far more memory than its characters.
  const parts: [string[], string[]] = [[], []]
  let isOther: 0 | 1 = 0
  let at = 0
  for (const length of lengths) {
    parts[isOther].push(text.slice(at, at + length))
    at += length
    isOther = isOther === 0 ? 1 : 0
  }
  return [parts[0].join(''), parts[1].join('')]
}
