// What hears an execution's output and displays as they come. Owns whose errors they are: the execution rejects once it has ended.
import type { ExecuteOptions, OutputChunk } from '../options/execution.js'
import type { Display } from '../shared/display.js'

type Given = Pick<ExecuteOptions, 'onStdout' | 'onStderr' | 'onOutput' | 'onDisplay'>

export class Listeners {
  readonly #given: readonly Given[]
  readonly #promises: Promise<unknown>[] = []
  #error: { readonly value: unknown } | undefined

  /** Those of the session, and those of the call. */
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

  /** Waits for listeners that are async. @throws what the first one threw */
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
