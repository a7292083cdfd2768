// Starts the threads of slots, and knows when they are gone. Owns Piscina and what is told of its workers; which thread serves whom is
// the pool's.
//
// Piscina's own queue cannot be the pool's (its 5.3.2 source): a task with an abort signal that finds no worker goes to a
// side queue that `maxQueue` does not count, a worker removed by an abort is not replaced above `minThreads` although
// tasks wait, and no task can ask for a worker of its own tenant.
import { Piscina } from 'piscina'
import type { SlotLease } from '../memory/slot-lease.js'
import type { Image } from '../shared/image/image.js'
import { messageOf } from '../shared/thrown.js'
import { SlotThread } from './thread.js'
import { guardThread } from './thread-guard.js'

/** With V8's default stack, nested data overflows it before CPython's own guard sees the depth (DESIGN.md 6). */
const STACK_MB = 64
/** A slot's JavaScript allocates little; without this its heap grows to several times what it uses. */
const YOUNG_GENERATION_MB = 4
/**
 * Most that a slot needs: files by the ten thousand, all of them in a snapshot. Without it V8 collects nothing before there are
 * hundreds of megabytes of garbage, which are in no account.
 */
const OLD_GENERATION_MB = 384

export class SlotThreads {
  readonly #piscina: Piscina
  /** Those that have been ended, whose workers are not gone yet. */
  readonly #stopping = new Set<Promise<void>>()
  /** Workers that have ended and that no thread has been told of; threads that wait to be told. */
  #exits = 0
  readonly #awaitingExit: (() => void)[] = []

  /** @param onFailure a worker failed before it took its task: Piscina cannot say which */
  constructor(image: Image, count: number, onFailure: (reason: string) => void) {
    this.#piscina = new Piscina({
      filename: new URL('../../workers/slot.bundle.cjs', import.meta.url).href,
      name: 'serve',
      workerData: image,
      minThreads: 0,
      maxThreads: count,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      // The worker gets no environment, arguments or flags of ours (ATTACKS.md D29, A20).
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: {
        stackSizeMb: STACK_MB,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: OLD_GENERATION_MB,
      },
    })
    this.#piscina.on('error', (error: unknown) => onFailure(messageOf(error, 'its worker failed')))
    this.#piscina.on('workerCreate', (worker: object) =>
      guardThread(worker).once('exit', () => this.#exited()),
    )
  }

  start(memory: SlotLease): SlotThread {
    const thread = new SlotThread(this.#piscina, memory)
    void thread.ended.then(() => {
      this.#stopping.add(thread.stopped)
      void thread.stopped.then(() => this.#stopping.delete(thread.stopped))
    })
    return thread
  }

  /**
   * Resolves when the memory of a thread that has been ended is free. Each is one worker, but Piscina does not say which: one that ends
   * at the same moment may be taken for it.
   */
  async gone(thread: SlotThread): Promise<void> {
    await Promise.all([thread.stopped, thread.slot.memory.threadEnded])
    if (this.#exits > 0) this.#exits -= 1
    else await new Promise<void>((resolve) => this.#awaitingExit.push(resolve))
  }

  /** When all threads have been ended: resolves when their workers are gone. */
  async close(): Promise<void> {
    // Threads that were ended just now are among the stopping a microtask later.
    await Promise.resolve()
    await Promise.all(this.#stopping)
    await this.#piscina.destroy()
  }

  #exited(): void {
    const tell = this.#awaitingExit.shift()
    if (tell) tell()
    else this.#exits += 1
  }
}
