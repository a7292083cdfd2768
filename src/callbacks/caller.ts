// Which callback the running code belongs to. A session looks here before it makes a call wait, so that a callback that awaits its own
// execution gets an error instead of waiting for itself.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { RunningCall } from './running-call.js'

/** A callback that may be running. It outlives the call where code that the callback started goes on, so it holds little. */
export class Caller {
  readonly session: unknown
  /** The callback that awaits the execution that made this call. */
  #waiting: Caller | undefined
  #call: RunningCall | undefined

  constructor(session: unknown, call: RunningCall, waiting: Caller | undefined) {
    this.session = session
    this.#call = call
    this.#waiting = waiting
  }

  /** Python waits for the callback's answer. */
  get isAwaited(): boolean {
    return this.#call?.answer !== undefined
  }

  /** Python's thread does nothing else meanwhile. */
  get blocks(): boolean {
    return this.#call?.blocking === true
  }

  /** The callback has settled. */
  end(): void {
    this.#call = undefined
    this.#waiting = undefined
  }

  /** The callback of this session that waits for what this code does, by way of other sessions if need be. */
  of(session: unknown): Caller | undefined {
    for (let caller: Caller | undefined = this; caller?.isAwaited; caller = caller.#waiting)
      if (caller.session === session) return caller
    return undefined
  }
}

/** One for the process: each costs every promise a little under Node 20 and 22. */
const callers = new AsyncLocalStorage<Caller>()

/** The callback that the running code belongs to. */
export function currentCaller(): Caller | undefined {
  return callers.getStore()
}

/** Runs a callback's code, and what it starts, as the caller's. */
export function runAs<T>(caller: Caller, run: () => T): T {
  return callers.run(caller, run)
}
