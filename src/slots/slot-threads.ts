// Starts the threads of slots, and tracks when they have exited. Owns a Piscina for each image and the events of its workers. The pool
// decides which session gets which thread.
//
// Piscina's own queue (5.3.2) is not used, for three reasons: a task with an abort signal that finds no worker goes to a side queue that
// `maxQueue` does not count; a worker removed by an abort is not replaced above `minThreads` even if tasks wait; and a task cannot ask
// for a worker of its own tenant.
import { Piscina } from 'piscina'
import { packageFile } from '../install/files.js'
import type { SlotLease } from '../memory/slot-lease.js'
import type { Image } from '../shared/image/image.js'
import { messageOf } from '../shared/thrown.js'
import { SlotThread } from './thread.js'
import { guardThread } from './thread-guard.js'

/** Deeply nested data would overflow V8's default stack before CPython's own recursion check detects it. */
const STACK_MB = 64
/** A slot's JavaScript allocates little. Without this limit, its heap grows to several times what it uses. */
const YOUNG_GENERATION_MB = 4
/**
 * Enough for a slot with tens of thousands of files that takes a snapshot. Without this limit V8 lets hundreds of megabytes of garbage
 * accumulate, which no account counts.
 */
const OLD_GENERATION_MB = 384

export class SlotThreads {
  /** One Piscina for each image that has been used, by image id. */
  readonly #piscinas = new Map<string, Piscina>()
  readonly #images: ReadonlyMap<string, Image>
  readonly #count: number
  readonly #onFailure: (imageId: string, reason: string) => void
  /** One promise for each terminated thread whose worker still runs. */
  readonly #stopping = new Set<Promise<void>>()
  /** Exits not yet assigned to a thread, and threads that wait for one. */
  #exits = 0
  readonly #awaitingExit: (() => void)[] = []

  /** @param onFailure called when a worker of an image failed before it took its task; Piscina does not say which one */
  constructor(images: readonly Image[], count: number, onFailure: (imageId: string, reason: string) => void) {
    this.#images = new Map(images.map((image) => [image.id, image]))
    this.#count = count
    this.#onFailure = onFailure
  }

  #open(imageId: string): Piscina {
    const piscina = new Piscina({
      filename: packageFile('slot'),
      name: 'serve',
      // Not an option of Piscina: the build patches Piscina's bundled code to read it (scripts/build.mjs).
      ...{ workerFile: packageFile('thread') },
      workerData: this.#images.get(imageId),
      minThreads: 0,
      maxThreads: this.#count,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      // The worker gets none of this process's environment, arguments or flags.
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: {
        stackSizeMb: STACK_MB,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: OLD_GENERATION_MB,
      },
    })
    piscina.on('error', (error: unknown) => this.#onFailure(imageId, messageOf(error, 'its worker failed')))
    piscina.on('workerCreate', (worker: object) => guardThread(worker).once('exit', () => this.#exited()))
    this.#piscinas.set(imageId, piscina)
    return piscina
  }

  start(imageId: string, memory: SlotLease): SlotThread {
    const thread = new SlotThread(this.#piscinas.get(imageId) ?? this.#open(imageId), imageId, memory)
    void thread.ended.then(() => {
      this.#stopping.add(thread.stopped)
      void thread.stopped.then(() => this.#stopping.delete(thread.stopped))
    })
    return thread
  }

  /**
   * Number of threads that have ended, but whose workers must not be ended yet. Until then, each has a place in its Piscina; a task that
   * finds no free place would wait forever.
   */
  get stoppingCount(): number {
    return this.#stopping.size
  }

  /**
   * Resolves when a terminated thread's memory is free. Piscina does not say which worker a thread has, so if two exit at the same time,
   * one may be mistaken for the other.
   */
  async gone(thread: SlotThread): Promise<void> {
    await Promise.all([thread.stopped, thread.slot.memory.threadEnded])
    if (this.#exits > 0) this.#exits -= 1
    else await new Promise<void>((resolve) => this.#awaitingExit.push(resolve))
  }

  /** Call when all threads have been terminated. Resolves when their workers have exited. */
  async close(): Promise<void> {
    // Threads that were terminated just now are added to `#stopping` a microtask later.
    await Promise.resolve()
    await Promise.all(this.#stopping)
    await Promise.all([...this.#piscinas.values()].map((piscina) => piscina.destroy()))
  }

  #exited(): void {
    const tell = this.#awaitingExit.shift()
    if (tell) tell()
    else this.#exits += 1
  }
}
