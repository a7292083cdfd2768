// Where descriptors 1 and 2 end: the bytes of an execution's output, counted per stream and cut at the limit while they are
// produced. Owns the counters; what becomes of the bytes is the slot's.
import type { ExceededLimit } from '../../src/shared/messages/slot.js'
import type { MemoryBudget } from '../memory/budget.js'

/** Memory for each byte until the execution has ended: as bytes, as text of two bytes a character, and copies of both on the way. */
const COST_PER_BYTE = 6

export interface OutputBytes {
  1: number
  2: number
}

/** Gets the bytes of `from` in `[start, end)`, which are the guest's memory: it copies what it keeps. */
export type OutputReceiver = (stream: 1 | 2, from: Uint8Array, start: number, end: number) => void

export class OutputSink {
  readonly #onOutput: OutputReceiver
  readonly #onExceeded: () => void
  readonly #memory: MemoryBudget
  #takenBytes = 0
  /** Per stream and execution; null: no bound. */
  maxBytes: number | null = null
  readonly written: OutputBytes = { 1: 0, 2: 0 }
  /** Why something was dropped in this execution. */
  exceeded: ExceededLimit | null = null

  constructor(onOutput: OutputReceiver, onExceeded: () => void, memory: MemoryBudget) {
    this.#onOutput = onOutput
    this.#onExceeded = onExceeded
    this.#memory = memory
  }

  begin(): void {
    this.written[1] = 0
    this.written[2] = 0
    this.exceeded = null
  }

  /** The receiver has passed the output on, so it no longer takes memory here. */
  taken(): void {
    if (this.#takenBytes === 0) return
    this.#memory.release(this.#takenBytes)
    this.#takenBytes = 0
  }

  /** Takes everything; what is past the limit is dropped and the execution is asked to stop, at each such write again. */
  write(stream: 1 | 2, from: Uint8Array, start: number, end: number): void {
    const room = this.maxBytes === null ? Number.POSITIVE_INFINITY : this.maxBytes - this.written[stream]
    const isAllowed = end - start <= room
    const wanted = isAllowed ? end : wholeCharacters(from, start, start + Math.max(0, room))
    const hasMemory = this.exceeded !== 'maxMemoryBytes' && this.#take(wanted - start)
    const fits = isAllowed && hasMemory
    const last = hasMemory ? wanted : start
    if (last > start) this.#onOutput(stream, from, start, last)
    if (fits) this.written[stream] += end - start
    // A cut is final: what was dropped counts as written, so that nothing follows it out of order.
    else if (hasMemory) this.written[stream] = Math.max(this.maxBytes ?? 0, last - start)
    if (fits) return
    this.exceeded ??= hasMemory ? 'outputBytes' : 'maxMemoryBytes'
    this.#onExceeded()
  }

  #take(bytes: number): boolean {
    if (!this.#memory.take(bytes * COST_PER_BYTE)) return false
    this.#takenBytes += bytes * COST_PER_BYTE
    return true
  }
}

/** `end`, or a few bytes less if that would split a UTF-8 character. */
function wholeCharacters(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && end - at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1
  return ((bytes[at] ?? 0) & 0xc0) === 0x80 ? end : at
}
