// Calls the listeners for an execution's output and displays. Owns their errors: the execution rejects with the first one, once it has
// ended.
import type { ExecuteOptions, OutputChunk } from '../options/execution.js'
import type { Display } from '../shared/display.js'

type Given = Pick<ExecuteOptions, 'onStdout' | 'onStderr' | 'onOutput' | 'onDisplay'>

export class Listeners {
  readonly #given: readonly Given[]
  readonly #promises: Promise<unknown>[] = []
  #error: { readonly value: unknown } | undefined

  /** @param given listeners of the session, then those of the call */
  constructor(...given: readonly Given[]) {
    this.#given = given
  }

  output(chunk: OutputChunk): void {
    for (const { onStdout, onStderr, onOutput } of this.#given) {
      this.#call(() => onOutput?.(chunk))
      this.#call(() => (chunk.stream === 'stdout' ? onStdout : onStderr)?.(chunk.text))
    }
  }

  display(display: Display): void {
    for (const { onDisplay } of this.#given) this.#call(() => onDisplay?.(display))
  }

  /** Waits for async listeners. @throws what the first failing one threw */
  async finish(): Promise<void> {
    await Promise.all(this.#promises)
    if (this.#error) throw this.#error.value
  }

  #call(listener: () => unknown): void {
    const onError = (value: unknown) => {
      this.#error ??= { value }
    }
    try {
      const returned = listener()
      if (returned instanceof Promise) this.#promises.push(returned.catch(onError))
    } catch (error) {
      onError(error)
    }
  }
}
