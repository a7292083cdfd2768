// Ends synchronous work on this thread that takes too long. Owns how: V8 can stop any code, a regular expression in the middle of
// backtracking included, where node:vm asks for it.
import { type Context, createContext, Script } from 'node:vm'

/** Longest that work lasts. The clock also runs while the operating system gives the thread no core. */
export const TIME_LIMIT_MS = 5

export class TimeLimit {
  /** A millisecond to make, so it is made once it is needed. */
  #context: Context | undefined
  readonly #script = new Script('work()')

  /**
   * What `work` returns, or undefined if it takes longer than `TIME_LIMIT_MS`. It may be stopped anywhere, so it must not leave anything
   * half done that matters.
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
