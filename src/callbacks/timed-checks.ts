// Schedules argument checks that a guest can make slow. Owns their pace: one per turn of the event loop for all sessions of the manager
// together, and a pause after each slow one, so that other sessions are served.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, type Lane, WHOLE_TURN_BYTES } from '../shared/values/slices.js'
import { ArgumentsError } from './schema.js'

/** After a slow check, pause its session for this many times its duration. A session so gets at most a fifth of the thread's time. */
const PAUSE_FACTOR = 4
/** A check may exceed the time limit just because other threads use the cores, so retry it after the pause. */
const TRIES = 4
/** Faster checks are not followed by a pause. */
const SLOW_MS = 2

class Check implements Job {
  /** Takes a whole turn, so that no other job runs in it. */
  readonly sizeBytes = WHOLE_TURN_BYTES
  result: unknown
  readonly #check: () => unknown

  constructor(check: () => unknown) {
    this.#check = check
  }

  advance(): boolean {
    this.result = this.#check()
    return true
  }
}

export class TimedChecks {
  readonly #lane: Lane
  #last: Promise<unknown> = Promise.resolve()
  #resumesMs = 0

  constructor(lane: Lane) {
    this.#lane = lane
  }

  /**
   * Runs `check` after the earlier checks and returns its result. Skips it if `isWanted` returns false by then.
   *
   * @throws what `check` throws
   */
  run(check: () => unknown, isWanted: () => boolean): Promise<unknown> {
    const checked = this.#last.then(() => this.#run(check, isWanted))
    this.#last = checked.catch(() => {
      // The caller gets the error. The next check runs in any case.
    })
    return checked
  }

  async #run(check: () => unknown, isWanted: () => boolean): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const pauseMs = this.#resumesMs - performance.now()
      if (pauseMs > 0 && isWanted()) await sleep(pauseMs)
      if (!isWanted()) return undefined
      try {
        return await this.#try(check)
      } catch (error) {
        const isLate = error instanceof ArgumentsError && error.isLate
        if (!isLate || tries === TRIES) throw error
      }
    }
  }

  async #try(check: () => unknown): Promise<unknown> {
    const job = new Check(() => {
      const startedMs = performance.now()
      try {
        return check()
      } finally {
        const endedMs = performance.now()
        if (endedMs - startedMs > SLOW_MS) this.#resumesMs = endedMs + (endedMs - startedMs) * PAUSE_FACTOR
      }
    })
    await this.#lane.run(job)
    return job.result
  }
}
