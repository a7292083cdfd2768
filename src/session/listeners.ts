// Who hears an execution's output while it runs: the session's listeners and the call's own. Owns nothing but the calls
// to them; a listener that throws fails the execution it was listening to, once that has ended, and nobody else's.
import type { OutputListener } from '../options/execution.js'

interface Pair {
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
}

export class Listeners {
  readonly #stdout: readonly OutputListener[]
  readonly #stderr: readonly OutputListener[]
  #thrown: { readonly error: unknown } | undefined

  constructor(...pairs: readonly Pair[]) {
    this.#stdout = pairs.flatMap(({ onStdout }) => onStdout ?? [])
    this.#stderr = pairs.flatMap(({ onStderr }) => onStderr ?? [])
  }

  get stdout(): boolean {
    return this.#stdout.length > 0
  }

  get stderr(): boolean {
    return this.#stderr.length > 0
  }

  hear(stream: 1 | 2, text: string): void {
    for (const listener of stream === 1 ? this.#stdout : this.#stderr) {
      try {
        listener(text)
      } catch (error) {
        this.#thrown ??= { error }
      }
    }
  }

  /** @throws what a listener threw first */
  rethrow(): void {
    if (this.#thrown) throw this.#thrown.error
  }
}
