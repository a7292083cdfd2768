// Passes an execution's live output to the session's listeners and the call's own. If a listener throws, or its promise rejects, its
// execution rejects once it has ended; other executions are not affected.
import type { OutputListener } from '../options/execution.js'
import { messageOf } from '../shared/thrown.js'

export type Stream = 'stdout' | 'stderr'

interface Pair {
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
}

/** Most executions have none. */
const NONE: readonly OutputListener[] = []

export class Listeners {
  readonly #stdout: readonly OutputListener[]
  readonly #stderr: readonly OutputListener[]
  #thrown: { readonly error: unknown } | undefined
  #isOver = false

  constructor(...pairs: readonly Pair[]) {
    const isSilent = pairs.every(({ onStdout, onStderr }) => onStdout === undefined && onStderr === undefined)
    this.#stdout = isSilent ? NONE : pairs.flatMap(({ onStdout }) => onStdout ?? [])
    this.#stderr = isSilent ? NONE : pairs.flatMap(({ onStderr }) => onStderr ?? [])
  }

  get stdout(): boolean {
    return this.#stdout.length > 0
  }

  get stderr(): boolean {
    return this.#stderr.length > 0
  }

  onOutput(stream: Stream, text: string): void {
    for (const listener of stream === 'stdout' ? this.#stdout : this.#stderr) {
      try {
        this.#follow(stream, listener(text))
      } catch (error) {
        this.#fail(stream, error)
      }
    }
  }

  /** The execution has ended, so later rejections can no longer reject it. */
  end(): void {
    this.#isOver = true
  }

  /** @throws what a listener threw first */
  rethrow(): void {
    if (this.#thrown) throw this.#thrown.error
  }

  /** Handles an async listener's promise, because an unhandled rejection would end the process. The execution does not wait for it. */
  #follow(stream: Stream, returned: unknown): void {
    if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
    Promise.resolve(returned).catch((error: unknown) => this.#fail(stream, error))
  }

  #fail(stream: Stream, error: unknown): void {
    if (!this.#isOver) {
      this.#thrown ??= { error }
      return
    }
    const listener = stream === 'stdout' ? 'onStdout' : 'onStderr'
    process.emitWarning(
      `${listener} failed after its execution had ended: ${messageOf(error, 'for an unknown reason')}`,
      {
        code: 'BRUMATE_LISTENER',
      },
    )
  }
}
