// Tracks which callback the running code belongs to. A session checks this before it queues a call, so that a callback that awaits its own
// execution gets an error instead of a deadlock.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { RunningCall } from './running-call.js'

/** A callback that may be running. It outlives the call if code that the callback started is still running, so it holds little. */
export class Caller {
  readonly session: unknown
  /** The callback that started the execution of this call and awaits it. */
  #waiting: Caller | undefined
  #call: RunningCall | undefined

  constructor(session: unknown, call: RunningCall, waiting: Caller | undefined) {
    this.session = session
    this.#call = call
    this.#waiting = waiting
  }

  /** Whether Python is waiting for the callback's answer. */
  get isAwaited(): boolean {
    return this.#call?.answer !== undefined
  }

  /** Whether the call blocks Python's thread. */
  get blocks(): boolean {
    return this.#call?.blocking === true
  }

  /** Call this when the callback has settled. */
  end(): void {
    this.#call = undefined
    this.#waiting = undefined
  }

  /** Finds the callback of `session` that the running code is part of, directly or through executions of other sessions. */
  of(session: unknown): Caller | undefined {
    for (let caller: Caller | undefined = this; caller?.isAwaited; caller = caller.#waiting)
      if (caller.session === session) return caller
    return undefined
  }
}

/** One for the whole process, because under Node 20 and 22 each AsyncLocalStorage slows down every promise a little. */
const callers = new AsyncLocalStorage<Caller>()

/** The callback that the running code belongs to. */
export function currentCaller(): Caller | undefined {
  return callers.getStore()
}

/** Runs a callback's code so that it, and everything it starts, belongs to `caller`. */
export function runAs<T>(caller: Caller, run: () => T): T {
  return callers.run(caller, run)
}
