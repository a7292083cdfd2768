// Passes an execution's live output to the session's listeners and the call's own. If a listener throws, its execution rejects once it
// has ended; other executions are not affected.
import type { OutputListener } from '../options/execution.js'

export type Stream = 'stdout' | 'stderr'

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

  onOutput(stream: Stream, text: string): void {
    for (const listener of stream === 'stdout' ? this.#stdout : this.#stderr) {
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
