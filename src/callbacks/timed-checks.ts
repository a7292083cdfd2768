// When the checks of a session's arguments run that a guest can make slow. Owns their pace: one in a turn of the event loop, for all
// sessions of the manager together, and after a slow one a pause, so that other sessions are served.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, type Lane, WHOLE_TURN_BYTES } from '../shared/values/slices.js'
import { ArgumentsError } from './schema.js'

/** After a check its session pauses for so many times what that took, and so has a fifth of the thread at most. */
const PAUSE_FACTOR = 4
/** A check may run out of time only because other threads have the cores; after the pause it is tried again. */
const TRIES = 4
/** Checks that take less are followed by no pause. */
const SLOW_MS = 2

class Check implements Job {
  /** As much as fits into one turn: there is no other in it. */
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

  /** What `check` returns, after the checks before it. `isWanted`: somebody still waits for it; if not, it is not run. @throws what it throws */
  run(check: () => unknown, isWanted: () => boolean): Promise<unknown> {
    const checked = this.#last.then(() => this.#run(check, isWanted))
    this.#last = checked.catch(() => {
      // Told to who waits for it; the next check runs whatever came of this one.
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
