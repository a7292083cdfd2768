// Work on guests' data that may take long, done in slices of the main thread's time, so that neither it nor the other sessions wait.
// Owns whose turn it is: one slice, then a turn of the event loop, then the next session's. What the work is, a job knows.

/** Longest that the thread works without a turn of its event loop. */
const SLICE_MS = 2
/** Work on as many bytes is done at once, without waiting for a slice; of all that comes in one turn of the event loop. */
const AT_ONCE_BYTES = 16_384

export interface Job {
  /** What it works on: decides whether it is done at once. */
  readonly sizeBytes: number
  /** Works until it is done, or until the clock (performance.now) is past `untilMs`; whether it is done. May throw. */
  advance(untilMs: number): boolean
}

/** How a job ended: `dropped` when its session was closed, or the interpreter it came from was given up, first. */
export type Ended = 'done' | 'dropped'

interface Waiting {
  readonly job: Job
  readonly resolve: (ended: Ended) => void
  readonly reject: (error: unknown) => void
}

/** Shares the thread among the sessions of a manager. */
export class Slices {
  /** Those with work, in the order of their turns. */
  #due: Lane[] = []
  #turn: NodeJS.Immediate | undefined
  /** Bytes worked on at once in this turn of the event loop. */
  #atOnceBytes = 0

  /** For the jobs of one session, which are done in the order they come. */
  lane(): Lane {
    return new Lane(this)
  }

  /** @internal Whether a job may be done at once: counts it. */
  admits(sizeBytes: number): boolean {
    if (this.#atOnceBytes + sizeBytes > AT_ONCE_BYTES) return false
    this.#atOnceBytes += sizeBytes
    this.#turn ??= setImmediate(this.#work)
    return true
  }

  /** @internal The lane has work again. */
  enqueue(lane: Lane): void {
    if (!this.#due.includes(lane)) this.#due.push(lane)
    this.#turn ??= setImmediate(this.#work)
  }

  readonly #work = (): void => {
    this.#turn = undefined
    this.#atOnceBytes = 0
    const untilMs = performance.now() + SLICE_MS
    let isDone = false
    // Whoever waited for a job goes on after this turn, and takes time as well: one is enough.
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
   * Does the job after those before it: at once if it is small and there are none.
   *
   * @returns undefined where it was done at once
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

  /** Nobody wants what is not done yet (S2). */
  clear(): void {
    const dropped = this.#waiting
    this.#waiting = []
    for (const { resolve } of dropped) resolve('dropped')
  }

  /** Nobody wants these jobs any more; those that are not done yet end as `dropped`. */
  drop(jobs: ReadonlySet<Job>): void {
    if (jobs.size === 0) return
    const dropped = this.#waiting.filter(({ job }) => jobs.has(job))
    this.#waiting = this.#waiting.filter(({ job }) => !jobs.has(job))
    for (const { resolve } of dropped) resolve('dropped')
  }

  /** @internal Works on the first job; whether that is done. */
  advance(untilMs: number): boolean {
    const first = this.#waiting[0]
    if (first === undefined) return false
    try {
      if (!first.job.advance(untilMs)) return false
      first.resolve('done')
    } catch (error) {
      first.reject(error)
    }
    // Clearing in the middle of it has taken it away.
    if (this.#waiting[0] === first) this.#waiting.shift()
    return true
  }
}
