// The sink of descriptors 1 and 2: counts the bytes of an execution's output per stream and cuts them at the limit while they are
// produced. Owns the counters; the slot buffers and sends the bytes.
import type { ExceededLimit } from '../../src/shared/messages/slot.js'
import type { MemoryBudget } from '../memory/budget.js'

/** Memory per output byte until the execution ends: the bytes, their text at two bytes per character, and copies of both in transit. */
const COST_PER_BYTE = 6

export interface OutputBytes {
  1: number
  2: number
}

/** Receives the bytes of `from` in `[start, end)`. They are the guest's memory, so the receiver copies what it keeps. */
export type OutputReceiver = (stream: 1 | 2, from: Uint8Array, start: number, end: number) => void

export class OutputSink {
  readonly #onOutput: OutputReceiver
  readonly #onExceeded: () => void
  readonly #memory: MemoryBudget
  #takenBytes = 0
  /** Limit per stream and execution; null: no limit. */
  maxBytes: number | null = null
  readonly written: OutputBytes = { 1: 0, 2: 0 }
  /** Which limit made this execution lose output; null if none did. */
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

  /** Accepts any write. Bytes past the limit are dropped, and each write that loses bytes asks the execution to stop. */
  write(stream: 1 | 2, from: Uint8Array, start: number, end: number): void {
    const room = this.maxBytes === null ? Number.POSITIVE_INFINITY : this.maxBytes - this.written[stream]
    const isAllowed = end - start <= room
    const wanted = isAllowed ? end : wholeCharacters(from, start, start + Math.max(0, room))
    const hasMemory = this.exceeded !== 'maxMemoryBytes' && this.#take(wanted - start)
    const fits = isAllowed && hasMemory
    const last = hasMemory ? wanted : start
    if (last > start) this.#onOutput(stream, from, start, last)
    if (fits) this.written[stream] += end - start
    // A cut is final: dropped bytes count as written, so that no later output follows the gap.
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
