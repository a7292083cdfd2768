// Stops synchronous work on this thread that takes too long. Owns the mechanism: with node:vm's timeout, V8 can stop any code, even a
// regular expression in the middle of backtracking.
import { type Context, createContext, Script } from 'node:vm'

/** Time limit. Wall-clock time: it also runs while the operating system gives the thread no CPU time. */
export const TIME_LIMIT_MS = 5

export class TimeLimit {
  /** Created on first use, because that takes a millisecond. */
  #context: Context | undefined
  readonly #script = new Script('work()')

  /**
   * Returns what `work` returns, or undefined if it takes longer than `TIME_LIMIT_MS`. It may be stopped anywhere, so it must not change
   * state that others rely on.
   *
   * @throws what `work` throws
   */
  run<T>(work: () => T): { readonly result: T } | undefined {
    this.#context ??= createContext(Object.create(null))
    this.#context.work = work
    try {
      return { result: this.#script.runInContext(this.#context, { timeout: TIME_LIMIT_MS }) as T }
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
      throw error
    } finally {
      this.#context.work = undefined
    }
  }
}
