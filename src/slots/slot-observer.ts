// Reports the events of slots. Owns the numbers of slots, and the spans of their boots.
import type { Observer } from '../telemetry/observer.js'
import type { SlotState } from './slot-table.js'
import type { SlotThread } from './thread.js'

export class SlotObserver {
  readonly #observer: Observer
  readonly #ids = new WeakMap<SlotThread, number>()
  #lastId = 0
  #isForCaller = false
  #isClosing = false

  constructor(observer: Observer) {
    this.#observer = observer
  }

  /** Boots that `run` starts are for the caller whose code is running now, so their spans are children of its span. */
  forCaller(run: () => void): void {
    this.#isForCaller = true
    try {
      run()
    } finally {
      this.#isForCaller = false
    }
  }

  /** Call when a thread has just been started. */
  booting(thread: SlotThread): void {
    this.#ids.set(thread, ++this.#lastId)
    const facts = this.#factsOf(thread)
    const start = () => this.#observer.start('boot', facts)
    const boot = this.#isForCaller ? start() : this.#observer.detached(start)
    thread.slot.ready.then(
      () => {
        const durationMs = boot.end()
        this.#observer.emit('slot', () => ({ type: 'booted', ...facts, durationMs }))
      },
      // The event `ended` has the reason.
      (error: unknown) => (this.#isClosing ? boot.drop() : void boot.fail(error)),
    )
  }

  /** Call before all slots are ended, including those that are booting: those boots have not failed. */
  closing(): void {
    this.#isClosing = true
  }

  leased(thread: SlotThread, tenant: string): void {
    this.#observer.emit('slot', () => ({ type: 'leased', ...this.#factsOf(thread), tenant }))
  }

  released(thread: SlotThread, tenant: string): void {
    this.#observer.emit('slot', () => ({ type: 'released', ...this.#factsOf(thread), tenant }))
  }

  /** @param ready resolves when the slot has been set back to the image */
  renewing(thread: SlotThread, ready: Promise<void>): void {
    const startedMs = performance.now()
    const renewed = () => {
      const durationMs = performance.now() - startedMs
      this.#observer.emit('slot', () => ({ type: 'renewed', ...this.#factsOf(thread), durationMs }))
    }
    // If renewing fails, the slot ends and reports that.
    ready.then(renewed, () => {})
  }

  ended(thread: SlotThread, reason: string, state: SlotState['kind'] | undefined): void {
    if (state === undefined) return
    this.#observer.emit('slot', () => ({ type: 'ended', ...this.#factsOf(thread), reason, state }))
  }

  #factsOf(thread: SlotThread): { readonly slotId: number; readonly imageId: string } {
    return { slotId: this.#ids.get(thread) ?? 0, imageId: thread.imageId }
  }
}
