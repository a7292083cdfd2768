// Puts a storage's thread to sleep until the host or a slot rings its bell. Owns waiting at several bells: each slot has its own, so none
// can ring or silence another's. A bell's value is not trusted; only that it changed matters (R3).
import { BELL } from '../../src/shared/messages/storage-door.js'

const { RINGS } = BELL

export class Sleeper {
  readonly #host: Int32Array
  /** Bells with a pending `Atomics.waitAsync`. */
  readonly #listening = new Set<Int32Array>()
  #wake: () => void = () => {}

  /** `host` is the bell that only the host rings. */
  constructor(host: Int32Array) {
    this.#host = host
  }

  /**
   * Returns true when a bell rings, or at once if `hasWork`; false after `milliseconds`. With one session it blocks on that session's
   * bell alone, which the host rings too: waking up then takes half as long as with several bells.
   */
  sleep(
    bells: readonly Int32Array[],
    hasWork: () => boolean,
    milliseconds: number,
  ): boolean | Promise<boolean> {
    if (bells.length > 1) return this.#sleepAtAll(bells, hasWork, milliseconds)
    const bell = bells[0] ?? this.#host
    const seen = Atomics.load(bell, RINGS)
    if (hasWork()) return true
    return Atomics.wait(bell, RINGS, seen, milliseconds) !== 'timed-out'
  }

  /** Stops listening to the bell. */
  leave(bell: Int32Array): void {
    Atomics.notify(bell, RINGS)
  }

  /** Stops listening to all bells, so that no ring reaches this thread while it shuts down. */
  leaveAll(): void {
    for (const bell of this.#listening) this.leave(bell)
  }

  async #sleepAtAll(
    bells: readonly Int32Array[],
    hasWork: () => boolean,
    milliseconds: number,
  ): Promise<boolean> {
    const rung = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (!this.#listen(this.#host)) return true
    for (const bell of bells) if (!this.#listen(bell)) return true
    // Check after listening: work that arrives later rings.
    if (hasWork()) return true
    if (milliseconds === Number.POSITIVE_INFINITY) {
      await rung
      return true
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds)
    })
    const outcome = await Promise.race([rung, late])
    clearTimeout(timer)
    return outcome !== false
  }

  /** Returns false if the bell rings right now. */
  #listen(bell: Int32Array): boolean {
    if (this.#listening.has(bell)) return true
    const { async, value } = Atomics.waitAsync(bell, RINGS, Atomics.load(bell, RINGS))
    if (!async) return false
    this.#listening.add(bell)
    void value.then(() => {
      this.#listening.delete(bell)
      this.#wake()
    })
    return true
  }
}
