// Runs long work on guests' data in slices, so that it blocks neither the main thread nor other sessions. Owns the round-robin: one
// slice, a turn of the event loop, then the next session's slice. Jobs own the work itself.

/** Longest slice between two turns of the event loop. */
const SLICE_MS = 2
/** Jobs run at once, without waiting for a slice, up to this many bytes in one turn of the event loop. */
const AT_ONCE_BYTES = 16_384
/** Size of a job that must not share a turn with another one. */
export const WHOLE_TURN_BYTES = AT_ONCE_BYTES

export interface Job {
  /** Size of its input. Decides whether it runs at once. */
  readonly sizeBytes: number
  /** Works until done or until performance.now() passes `untilMs`. Returns whether it is done. May throw. */
  advance(untilMs: number): boolean
}

/** How a job ended. `dropped`: before it was done, its session was closed, or the interpreter it came from was given up. */
export type Ended = 'done' | 'dropped'

interface Waiting {
  readonly job: Job
  readonly resolve: (ended: Ended) => void
  readonly reject: (error: unknown) => void
}

/** Shares the thread among the sessions of a manager. */
export class Slices {
  /** Lanes with work, in the order of their turns. */
  #due: Lane[] = []
  #turn: NodeJS.Immediate | undefined
  /** Bytes of jobs run at once in this turn of the event loop. */
  #atOnceBytes = 0

  /** A queue for the jobs of one session, which run in order. */
  lane(): Lane {
    return new Lane(this)
  }

  /** @internal Whether a job may run at once. Counts it if so. */
  admits(sizeBytes: number): boolean {
    if (this.#atOnceBytes + sizeBytes > AT_ONCE_BYTES) return false
    this.#atOnceBytes += sizeBytes
    this.#turn ??= setImmediate(this.#work)
    return true
  }

  /** @internal Schedules a lane that has work again. */
  enqueue(lane: Lane): void {
    if (!this.#due.includes(lane)) this.#due.push(lane)
    this.#turn ??= setImmediate(this.#work)
  }

  readonly #work = (): void => {
    this.#turn = undefined
    this.#atOnceBytes = 0
    const untilMs = performance.now() + SLICE_MS
    let isDone = false
    // Stop after one finished job: the code that awaits it runs next and takes time, too.
    while (!isDone && performance.now() < untilMs) {
      const lane = this.#due.shift()
      if (lane === undefined) return
      isDone = lane.advance(untilMs)
      if (!lane.isEmpty) this.#due.push(lane)
    }
    if (this.#due.length > 0) this.#turn = setImmediate(this.#work)
  }
}

export class Lane {
  readonly #slices: Slices
  #waiting: Waiting[] = []

  constructor(slices: Slices) {
    this.#slices = slices
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /**
   * Runs the job after the earlier ones of this lane: at once if it is small and there are none.
   *
   * @returns undefined if it ran at once
   * @throws what the job throws, or rejects with it
   */
  run(job: Job): undefined | Promise<Ended> {
    if (this.isEmpty && this.#slices.admits(job.sizeBytes)) {
      job.advance(Number.POSITIVE_INFINITY)
      return undefined
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      if (this.#waiting.length === 1) this.#slices.enqueue(this)
    })
  }

  /** Drops all unfinished jobs (S2). */
  clear(): void {
    const dropped = this.#waiting
    this.#waiting = []
    for (const { resolve } of dropped) resolve('dropped')
  }

  /** Drops these jobs, because their results are no longer needed. Those that are not done yet end as `dropped`. */
  drop(jobs: ReadonlySet<Job>): void {
    if (jobs.size === 0) return
    const dropped = this.#waiting.filter(({ job }) => jobs.has(job))
    this.#waiting = this.#waiting.filter(({ job }) => !jobs.has(job))
    for (const { resolve } of dropped) resolve('dropped')
  }

  /** @internal Works on the first job. Returns whether it is done. */
  advance(untilMs: number): boolean {
    const first = this.#waiting[0]
    if (first === undefined) return false
    try {
      if (!first.job.advance(untilMs)) return false
      first.resolve('done')
    } catch (error) {
      first.reject(error)
    }
    // The job may have cleared this lane.
    if (this.#waiting[0] === first) this.#waiting.shift()
    return true
  }
}
