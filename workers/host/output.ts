// Where descriptors 1 and 2 end: the bytes of an execution's output, counted per stream and cut at the limit while they are
// produced (ATTACKS.md G14). Owns the counters; what becomes of the bytes is the slot's.

/** One copy handed out at once; a larger write is handed out in parts. */
const PART_BYTES = 1024 * 1024

export interface OutputBytes {
  1: number
  2: number
}

export class OutputSink {
  readonly #onOutput: (stream: 1 | 2, bytes: Uint8Array) => void
  readonly #onExceeded: () => void
  /** Per stream and execution; null: no bound. */
  maxBytes: number | null = null
  readonly written: OutputBytes = { 1: 0, 2: 0 }
  /** Something was dropped in this execution. */
  exceeded = false

  constructor(onOutput: (stream: 1 | 2, bytes: Uint8Array) => void, onExceeded: () => void) {
    this.#onOutput = onOutput
    this.#onExceeded = onExceeded
  }

  begin(): void {
    this.written[1] = 0
    this.written[2] = 0
    this.exceeded = false
  }

  /** Takes everything; what is past the limit is dropped and the execution is asked to stop, at each such write again. */
  write(stream: 1 | 2, from: Uint8Array, start: number, end: number): void {
    const room = this.maxBytes === null ? Number.POSITIVE_INFINITY : this.maxBytes - this.written[stream]
    const fits = end - start <= room
    const last = fits ? end : wholeCharacters(from, start, start + Math.max(0, room))
    for (let at = start; at < last; at += PART_BYTES) {
      this.#onOutput(stream, Uint8Array.prototype.slice.call(from, at, Math.min(at + PART_BYTES, last)))
    }
    // A cut is final: what was dropped counts as written, so that nothing follows it out of order.
    this.written[stream] = fits
      ? this.written[stream] + end - start
      : Math.max(this.maxBytes ?? 0, last - start)
    if (fits) return
    this.exceeded = true
    this.#onExceeded()
  }
}

/** `end`, or a few bytes less if that would split a UTF-8 character. */
function wholeCharacters(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && end - at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1
  return ((bytes[at] ?? 0) & 0xc0) === 0x80 ? end : at
}
