// Locks by name, granted in the order of the calls, no matter from which client. Owns that order.

import { deferred } from '../deferred.js'
import type { SessionManager } from '../manager.js'

export class NameLocks {
  static readonly #ofManagers = new WeakMap<SessionManager, NameLocks>()
  /** By name, settles when the last call that asked for the lock is done. */
  readonly #tails = new Map<string, Promise<void>>()

  /** The locks of a manager, which all servers on its sessions share. */
  static of(manager: SessionManager): NameLocks {
    const locks = NameLocks.#ofManagers.get(manager) ?? new NameLocks()
    NameLocks.#ofManagers.set(manager, locks)
    return locks
  }

  /**
   * Runs the task after all earlier tasks of this name.
   *
   * @throws the signal's reason if it aborts before the task's turn, and what the task throws
   */
  async run<T>(name: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name)
    const done = deferred<void>()
    const tail = before === undefined ? done.promise : before.then(() => done.promise)
    this.#tails.set(name, tail)
    try {
      if (before !== undefined) await settledOrAborted(before, signal)
      return await task()
    } finally {
      done.resolve()
      void tail.then(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name)
      })
    }
  }
}

async function settledOrAborted(settled: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return settled
  signal.throwIfAborted()
  const aborted = deferred<void>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    await Promise.race([settled, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
