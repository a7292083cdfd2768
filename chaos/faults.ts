// Disturbs workers from outside: ends them at a named point of their work or at any moment, and moves their wall clock. Owns the memory
// shared with slot-faults.cjs, the clock of this thread, and the list of workers, from Node's own event.
import { setEnvironmentData, type Worker } from 'node:worker_threads'
import { ENDING, LOWERED, RAISED } from '../src/shared/threads/shield.js'
import type { Random } from './random.js'

const METHODS = [
  ...['attach', 'restore', 'execute', 'resume', 'snapshot', 'revert', 'set', 'get', 'clear', 'setCallbacks'],
  'interrupt',
] as const
const POINTS = [
  ...['boot', 'ready:before', 'warm:begin', 'warm:end', 'renew:begin', 'renew:end'],
  ...['calls:before', 'output:before'],
  ...METHODS.flatMap((method) => [`${method}:begin`, `${method}:end`, `${method}:after`]),
]
/** Points during the boot. Faults here are rarer: if the pool cannot boot, it correctly rejects all waiting calls, and tests little. */
const BOOT_POINTS: ReadonlySet<string> = new Set(['boot', 'ready:before', 'warm:begin', 'warm:end'])

const HOW = ['terminated', 'exited', 'threw'] as const
/** Numbered as in slot-faults.cjs. */
const PHASES = { loading: 0, execute: 2, other: 3, idle: 4 } as const
const YEAR_MS = 365.25 * 24 * 3600 * 1000

/** Workers are identified by their thread id, modulo this number. */
const THREADS = 1024
/** Where the cells of workers begin in `#words`; each worker has one cell per kind. */
const PER_WORKER = { phase: 16, shield: 16 + THREADS } as const

/** How long to wait for a worker to reach the point. */
const POINT_MS = 150
/** How long to wait for a worker that is using zlib. After that, it is left alone. */
const PACKING_MS = 1000

export class Faults {
  readonly #random: Random
  readonly #cells = new SharedArrayBuffer((PER_WORKER.shield + THREADS) * 4)
  readonly #words = new Int32Array(this.#cells)
  readonly #clock = new Float64Array(this.#cells, 8, 1)
  readonly #workers = new Map<number, Worker>()
  readonly counts: Record<string, number> = {}
  #stopped = false
  #done: Promise<unknown> | undefined

  constructor(random: Random) {
    this.#random = random
    setEnvironmentData('brumate-chaos', { cells: this.#cells, points: POINTS })
    process.on('worker', (worker: Worker) => {
      const { threadId } = worker
      this.#workers.set(threadId, worker)
      // The cells may have belonged to another thread before.
      this.#words[PER_WORKER.phase + (threadId % THREADS)] = PHASES.loading
      this.#words[PER_WORKER.shield + (threadId % THREADS)] = LOWERED
      worker.once('exit', () => this.#workers.delete(threadId))
    })
    const { now } = Date
    Date.now = () => now() + (this.#clock[0] ?? 0)
  }

  get workers(): number {
    return this.#workers.size
  }

  /** Number of faults that may have hit a slot while it was loading a session. */
  get inTakeOvers(): number {
    const places = /^(attach|restore|ready|boot)|: other$/
    return Object.entries(this.counts).reduce(
      (sum, [where, count]) => sum + (places.test(where) ? count : 0),
      0,
    )
  }

  start(meanPauseMs: number): void {
    this.#done = Promise.all([this.#endWorkers(meanPauseMs), this.#moveClock()])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#done
    Atomics.store(this.#words, 0, 0)
  }

  async #endWorkers(meanPauseMs: number): Promise<void> {
    while (!this.#stopped) {
      await sleep(this.#random.next() * 2 * meanPauseMs)
      if (this.#random.chance(0.4)) this.#endAny()
      else await this.#endAt(this.#random.pick(POINTS))
    }
  }

  /** Ends a worker that is in a randomly chosen phase. */
  #endAny(): void {
    const phase = this.#random.pick(['loading', 'execute', 'other', 'idle'] as const)
    const isThere = (id: number) => this.#words[PER_WORKER.phase + (id % THREADS)] === PHASES[phase]
    const there = [...this.#workers.keys()].filter(isThere)
    if (there.length > 0) this.#end(this.#random.pick(there), `any moment: ${phase}`)
  }

  /** Ends the first worker that reaches the point. */
  async #endAt(point: string): Promise<void> {
    if (BOOT_POINTS.has(point) && this.#random.chance(0.5)) return
    const how = this.#random.chance(0.7) ? 0 : this.#random.integer(1, 2)
    Atomics.store(this.#words, 1, 0)
    Atomics.store(this.#words, 4, how)
    Atomics.store(this.#words, 0, POINTS.indexOf(point) + 1)
    for (let waitedMs = 0; waitedMs < POINT_MS; waitedMs += 2) {
      await sleep(2)
      const caught = Atomics.load(this.#words, 1)
      if (caught === 0) continue
      if (how === 0) this.#end(caught, point)
      else this.#count(`${point} (${HOW[how]})`)
      break
    }
    Atomics.store(this.#words, 0, 0)
  }

  #end(threadId: number, where: string): void {
    const worker = this.#workers.get(threadId)
    if (worker === undefined) return
    const shield = PER_WORKER.shield + (threadId % THREADS)
    while (Atomics.compareExchange(this.#words, shield, LOWERED, ENDING) === RAISED)
      if (Atomics.wait(this.#words, shield, RAISED, PACKING_MS) === 'timed-out') return
    void worker.terminate()
    this.#count(where)
  }

  async #moveClock(): Promise<void> {
    while (!this.#stopped) {
      await sleep(200 + this.#random.next() * 600)
      const jumpMs = Math.floor(this.#random.pick([1000, 3600_000, YEAR_MS]) * this.#random.next())
      this.#clock[0] = this.#random.chance(0.5) ? jumpMs : -jumpMs
      this.#count('clock moved')
    }
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
