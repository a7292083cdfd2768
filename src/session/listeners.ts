// Passes an execution's live output and displays to the session's listeners and the call's own. If a listener throws, or its promise rejects, its
// execution rejects once it has ended; other executions are not affected.
import type { DisplayListener, OutputListener } from '../options/execution.js'
import { messageOf } from '../shared/thrown.js'
import type { Display } from './displays.js'

export type Stream = 'stdout' | 'stderr'

interface Given {
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
  readonly onDisplay: DisplayListener | undefined
}

type Name = 'onStdout' | 'onStderr' | 'onDisplay'

/** Most executions have none. */
const NONE: readonly [] = []

export class Listeners {
  readonly #stdout: readonly OutputListener[]
  readonly #stderr: readonly OutputListener[]
  readonly #display: readonly DisplayListener[]
  #thrown: { readonly error: unknown } | undefined
  #isOver = false

  constructor(...given: readonly Given[]) {
    const isSilent = given.every(
      ({ onStdout, onStderr, onDisplay }) =>
        onStdout === undefined && onStderr === undefined && onDisplay === undefined,
    )
    this.#stdout = isSilent ? NONE : given.flatMap(({ onStdout }) => onStdout ?? [])
    this.#stderr = isSilent ? NONE : given.flatMap(({ onStderr }) => onStderr ?? [])
    this.#display = isSilent ? NONE : given.flatMap(({ onDisplay }) => onDisplay ?? [])
  }

  get stdout(): boolean {
    return this.#stdout.length > 0
  }

  get stderr(): boolean {
    return this.#stderr.length > 0
  }

  onOutput(stream: Stream, text: string): void {
    for (const listener of stream === 'stdout' ? this.#stdout : this.#stderr) {
      this.#call(stream === 'stdout' ? 'onStdout' : 'onStderr', () => listener(text))
    }
  }

  onDisplay(display: Display): void {
    for (const listener of this.#display) this.#call('onDisplay', () => listener(display))
  }

  /** The execution has ended, so later rejections can no longer reject it. */
  end(): void {
    this.#isOver = true
  }

  /** @throws what a listener threw first */
  rethrow(): void {
    if (this.#thrown) throw this.#thrown.error
  }

  #call(name: Name, listener: () => unknown): void {
    try {
      this.#follow(name, listener())
    } catch (error) {
      this.#fail(name, error)
    }
  }

  /** Handles an async listener's promise, because an unhandled rejection would end the process. The execution does not wait for it. */
  #follow(name: Name, returned: unknown): void {
    if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
    Promise.resolve(returned).catch((error: unknown) => this.#fail(name, error))
  }

  #fail(name: Name, error: unknown): void {
    if (!this.#isOver) {
      this.#thrown ??= { error }
      return
    }
    process.emitWarning(
      `${name} failed after its execution had ended: ${messageOf(error, 'for an unknown reason')}`,
      {
        code: 'BRUMATE_LISTENER',
      },
    )
  }
}
