// Posts of a session in its door: nodes that it releases, and bytes that it has written. It waits for neither. Owns taking each post once
// and in order; host/mounts/door.ts is the slot's side. The writer may be hostile: numbers are copied, then checked (R3).
import {
  CONTROL,
  MOST_POSTED,
  NUMBERS_AT,
  POST_NUMBERS,
  POSTED_AT,
} from '../../src/shared/messages/storage-door.js'

/** `extents`: 0 if the node is released, else how many whole chunks were written at `position`. Returns false if the post is invalid. */
type Done = (node: number, position: number, extents: number, atMs: number) => boolean

export class Outbox {
  readonly #control: Int32Array
  readonly #numbers: Float64Array
  #taken = 0

  constructor(door: SharedArrayBuffer) {
    this.#control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.#numbers = new Float64Array(door, POSTED_AT, MOST_POSTED * POST_NUMBERS)
  }

  get hasPosted(): boolean {
    return Atomics.load(this.#control, CONTROL.POSTED) !== this.#taken
  }

  /** Passes on all new posts. Returns false if no honest slot posts them. */
  take(done: Done): boolean {
    const count = (Atomics.load(this.#control, CONTROL.POSTED) - this.#taken) | 0
    if (count === 0) return true
    if (count < 0 || count > MOST_POSTED) return false
    for (let i = 0; i < count; i += 1) {
      const at = (this.#taken & (MOST_POSTED - 1)) * POST_NUMBERS
      const post = this.#numbers.slice(at, at + POST_NUMBERS)
      const [node = 0, position = 0, extents = 0, atMs = 0] = post
      this.#taken = (this.#taken + 1) | 0
      if (!post.every((number) => Number.isSafeInteger(number) && number >= 0)) return false
      if (!done(node, position, extents, atMs)) return false
    }
    // Store this last, so that a slot that sees it also sees everything that processing has written to the door.
    Atomics.store(this.#control, CONTROL.TAKEN, this.#taken)
    return true
  }
}
