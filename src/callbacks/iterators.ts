// Async iterables that callbacks return: Python requests their values one by one. Owns the iterators and their numbers. Iterators end
// with the session's state, or when Python closes or drops them.
import { isInstance } from '../shared/thrown.js'
import type { Value } from '../shared/values/value.js'
import { Suspension } from './running-call.js'

/** The kernel's reserved names (workers/kernel/_brumate/iterators.py). They contain a dot, so no callback can have them. */
const NEXT = 'iterator.next'
const CLOSE = 'iterator.close'

const MAX_ITERATORS = 10_000

const ENDED: Open = { iterator: { next: async () => ({ done: true, value: undefined }) }, cancel: () => {} }

interface Open {
  readonly iterator: AsyncIterator<unknown>
  /** Tells the source of the values that Python needs no more of them. */
  readonly cancel: (reason: Error) => void
}

export class HostIterators {
  /** Undefined until it is needed, because most sessions have no iterators. */
  #iterators: Map<number, Open> | undefined
  #lastNumber = 0

  /** Whether there has ever been an iterator. */
  get hasCounted(): boolean {
    return this.#lastNumber > 0
  }

  serves(name: string): boolean {
    return name === NEXT || name === CLOSE
  }

  /**
   * Adds an async iterable and returns its number. Returns undefined for any other value.
   *
   * @param cancel called when Python stops iterating before the end
   */
  add(value: unknown, cancel: Open['cancel'] = () => {}): number | undefined {
    if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return undefined
    this.#iterators ??= new Map()
    if (this.#iterators.size >= MAX_ITERATORS)
      throw new RangeError('too many iterators are open; close some with aclose(), or read them to the end')
    const iterator = (value as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    this.#iterators.set(++this.#lastNumber, { iterator, cancel })
    return this.#lastNumber
  }

  /** Answers a step with `[true, null]` at the end, otherwise `[false, value]`. Answers a close with null. */
  async serve(name: string, args: Readonly<Record<string, Value>>): Promise<unknown> {
    const number = args.iterator
    const open = typeof number === 'number' ? this.#iterators?.get(number) : undefined
    if (name === CLOSE) {
      if (open && typeof number === 'number') await this.drop(number)
      return null
    }
    if (open === undefined)
      throw new Error('the iterator belongs to another session or process, or has ended')
    try {
      const { done, value } = await open.iterator.next()
      if (done) this.#forget(number)
      return done ? [true, null] : [false, value === undefined ? null : value]
    } catch (error) {
      // The generator ends when it suspends a step, so the value that `resume` gives for this step is the last one.
      if (isInstance(error, Suspension) && typeof number === 'number') this.#iterators?.set(number, ENDED)
      else this.#forget(number)
      throw error
    }
  }

  /** Ends an iterator early. @throws what the iterator throws */
  async drop(number: number): Promise<void> {
    const open = this.#iterators?.get(number)
    this.#iterators?.delete(number)
    // Cancel first: a generator's `return` waits until the value in progress is ready.
    open?.cancel(new Error('Python stopped iterating'))
    await open?.iterator.return?.()
  }

  /** Ends all iterators. Errors are ignored, because no caller is left to receive them. */
  close(): void {
    for (const number of [...(this.#iterators?.keys() ?? [])]) void this.drop(number).catch(() => {})
  }

  #forget(number: Value | undefined): void {
    if (typeof number === 'number') this.#iterators?.delete(number)
  }
}
