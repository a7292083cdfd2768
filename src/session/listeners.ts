// Passes an execution's live output and displays to the session's listeners and to those of the call. If a listener throws or its promise
// rejects, its execution rejects once it has ended; other executions are not affected.
import type { AllOutputListener, DisplayListener, OutputListener } from '../options/execution.js'
import type { Limits } from '../options/limits.js'
import type { Display } from '../shared/display.js'
import type { LiveOutput } from '../shared/messages/slot.js'
import { messageOf } from '../shared/thrown.js'
import type { Observer } from '../telemetry/observer.js'

type Stream = 'stdout' | 'stderr'

interface Given {
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
  readonly onOutput: AllOutputListener | undefined
  readonly onDisplay: DisplayListener | undefined
}

/** A listener for the text of one stream. */
interface Listener {
  readonly name: keyof Given
  readonly call: (text: string) => unknown
}

/**
 * Limit for calls of async listeners that have not settled. Code that writes to both streams in turn causes millions of calls, which would
 * fill this thread's memory if a listener is slow.
 */
const MAX_PENDING = 100_000

/** Shared by all executions without listeners, which are most. */
const NONE: readonly [] = []

export class Listeners {
  readonly #listeners: Readonly<Record<Stream, readonly Listener[]>>
  readonly #displays: readonly DisplayListener[]
  readonly #timeoutMs: number | null
  /** Number of promises of async listeners that have not settled, by the listeners' names. */
  readonly #pending = new Map<string, number>()
  #pendingCount = 0
  /** Set while `finish` waits for these promises. */
  #onSettled: (() => void) | undefined
  #thrown: { readonly error: unknown } | undefined
  #isOver = false
  #hasWarned = false
  /** Runs a listener in the trace context of its execution; undefined: call it directly. */
  #within: ((listener: () => unknown) => unknown) | undefined

  constructor(session: Given & { readonly limits: Pick<Limits, 'callbackTimeoutMs'> }, call: Given) {
    const silent = isSilent(session) && isSilent(call)
    this.#listeners = silent
      ? { stdout: NONE, stderr: NONE }
      : { stdout: listenersOf('stdout', session, call), stderr: listenersOf('stderr', session, call) }
    this.#displays = silent ? NONE : displayListeners(session, call)
    this.#timeoutMs = session.limits.callbackTimeoutMs
  }

  /** Makes listeners run in the trace context that is active now. */
  bind(observer: Observer): void {
    if (!observer.isTracing) return
    const { context } = observer
    this.#within = (listener) => observer.within(context, listener)
  }

  get stdout(): boolean {
    return this.#listeners.stdout.length > 0
  }

  get stderr(): boolean {
    return this.#listeners.stderr.length > 0
  }

  /** Whether there are no listeners, so that `finish` would do nothing. */
  get isSilent(): boolean {
    return !this.stdout && !this.stderr && this.#displays.length === 0
  }

  onOutput({ stream: first, text, lengths }: LiveOutput): void {
    let stream: Stream = first === 1 ? 'stdout' : 'stderr'
    if (lengths === undefined) return this.#tell(stream, text)
    let at = 0
    for (const length of lengths) {
      this.#tell(stream, text.slice(at, at + length))
      at += length
      stream = stream === 'stdout' ? 'stderr' : 'stdout'
    }
  }

  onDisplay(display: Display): void {
    for (const listener of this.#displays) this.#call('onDisplay', () => listener(display))
  }

  /** @throws the first error of a listener */
  rethrow(): void {
    if (this.#thrown) throw this.#thrown.error
  }

  /** Settles as `run` does, after the promises of async listeners. @throws the first error of a listener */
  async finish<T>(run: Promise<T>): Promise<T> {
    try {
      const result = await run
      if (this.#pendingCount > 0) await this.#settled()
      this.rethrow()
      return result
    } finally {
      this.#isOver = true
    }
  }

  #tell(stream: Stream, text: string): void {
    for (const { name, call } of this.#listeners[stream]) this.#call(name, () => call(text))
  }

  #call(name: string, listener: () => unknown): void {
    if (this.#pendingCount >= MAX_PENDING) return this.#overrun(name)
    try {
      this.#follow(name, this.#within ? this.#within(listener) : listener())
    } catch (error) {
      this.#fail(name, error)
    }
  }

  /** Makes the execution reject, because too many promises of listeners are pending. Called instead of the listener. */
  #overrun(name: string): void {
    this.#thrown ??= {
      error: new RangeError(
        `${name}: ${MAX_PENDING} promises of listeners have not settled; let it collect the text, and await less often`,
      ),
    }
  }

  /** Handles the promise of an async listener. An unhandled rejection would end the process. */
  #follow(name: string, returned: unknown): void {
    if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + 1)
    this.#pendingCount += 1
    const settle = () => {
      this.#pending.set(name, (this.#pending.get(name) ?? 0) - 1)
      this.#pendingCount -= 1
      if (this.#pendingCount === 0) this.#onSettled?.()
    }
    Promise.resolve(returned).then(settle, (error: unknown) => {
      this.#fail(name, error)
      settle()
    })
  }

  async #settled(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const settled = await new Promise<'late' | 'settled'>((resolve) => {
      this.#onSettled = () => resolve('settled')
      if (this.#timeoutMs !== null) timer = setTimeout(() => resolve('late'), this.#timeoutMs)
    })
    this.#onSettled = undefined
    clearTimeout(timer)
    if (settled !== 'late') return
    const names = [...this.#pending].flatMap(([name, count]) => (count > 0 ? name : [])).join(' and ')
    warn(`${names} did not settle within callbackTimeoutMs (${this.#timeoutMs} ms) after the execution`)
  }

  #fail(name: string, error: unknown): void {
    if (!this.#isOver) this.#thrown ??= { error }
    else if (!this.#hasWarned) {
      // Warn only once, because thousands of late calls may fail in the same way.
      this.#hasWarned = true
      warn(`${name} failed after its execution had ended: ${messageOf(error, 'for an unknown reason')}`)
    }
  }
}

function isSilent({ onStdout, onStderr, onOutput, onDisplay }: Given): boolean {
  return onStdout === undefined && onStderr === undefined && onOutput === undefined && onDisplay === undefined
}

function displayListeners(...givens: readonly Given[]): readonly DisplayListener[] {
  return givens.flatMap(({ onDisplay }) => onDisplay ?? [])
}

function listenersOf(stream: Stream, ...givens: readonly Given[]): readonly Listener[] {
  const name = stream === 'stdout' ? 'onStdout' : 'onStderr'
  return givens.flatMap((given) => {
    const { [name]: own, onOutput } = given
    return [
      ...(own ? [{ name, call: own } as const] : []),
      ...(onOutput
        ? [{ name: 'onOutput', call: (text: string) => onOutput({ stream, text }) } as const]
        : []),
    ]
  })
}

function warn(message: string): void {
  process.emitWarning(message, { code: 'BRUMATE_LISTENER' })
}
