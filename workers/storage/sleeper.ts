// How a storage's thread sleeps until the host or a slot rings. Owns waiting at several bells: no two slots share one, so that none
// can ring for another or keep another's ring from being heard. A bell's number says nothing but that it changed (R3).
import { BELL } from '../../src/shared/messages/storage-door.js'

const { RINGS } = BELL

export class Sleeper {
  readonly #host: Int32Array
  /** Bells whose next ring wakes this thread, whether it sleeps then or not. */
  readonly #listening = new Set<Int32Array>()
  #wake: () => void = () => {}

  /** `host`: the bell that only the host rings. */
  constructor(host: Int32Array) {
    this.#host = host
  }

  /**
   * Returns when a bell rings, at once if `hasWork`, or after `milliseconds`; false for the latter. With one session it waits at
   * that session's bell alone, which the host rings, too: waking up from that takes half as long as from several.
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

  /** The bell is not listened to any more. */
  leave(bell: Int32Array): void {
    Atomics.notify(bell, RINGS)
  }

  /** No bell is. A slot that rings while the thread ends would find it half gone. */
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
    // After listening: whatever comes later rings.
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

  /** False if it rings just now. */
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
