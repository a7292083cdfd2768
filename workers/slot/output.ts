// Buffers a session's output and sends it to the main thread. Owns buffering, decoding, and the order of both streams in chunks. The host
// enforces the limit before bytes get here. The buffers are shared, so that the main thread can still read unsent output after the worker
// has ended. Bytes arrive while guest code is on the stack, so decoders are created and used once beforehand.
import { isAscii } from 'node:buffer'
import { OUTPUT_BUFFER_BYTES, SharedOutput } from '../../src/shared/messages/output.js'
import type { LiveOutput } from '../../src/shared/messages/slot.js'

/**
 * A chunk is sent when a buffer is full. With a listener, it is also sent once the previous chunk is this old. Each write, signal check and
 * sleep tests for that, because code that spins never reaches a timer. The first chunk of an execution is sent at once.
 */
const CHUNK_AGE_MS = 20
/** How long an incomplete line waits for its rest: `print` writes a line and its newline separately. */
const LINE_WAIT_MS = 20
/** Up to this many bytes, a loop copies faster than a call into the engine. */
const FEW_BYTES = 96
const NEWLINE = 10

type StreamNumber = 1 | 2
type Send = (output: LiveOutput) => void

export interface OutputMode {
  /** Whether the stream has a listener. */
  readonly stdout: boolean
  readonly stderr: boolean
  /** Whether output beyond the buffers may be sent. If not, it is dropped: calls that are not executions have no listener. */
  readonly isSent: boolean
}

export class Output {
  readonly #shared: SharedOutput
  readonly #streams: { readonly 1: Stream; readonly 2: Stream }
  readonly #send: Send
  /** There is a listener, so chunks are sent early, with both streams in order. */
  #isLive = false
  #isSent = false
  /** With a listener: lengths in bytes of unsent runs of output. Runs alternate between the streams; the last belongs to `#lastStream`. */
  #runs: number[] = []
  #lastStream: StreamNumber = 1
  #unsentBytes = 0
  #sentMs = Number.NEGATIVE_INFINITY
  /** Since when an incomplete line has been waiting for its newline. */
  #waitingSinceMs: number | undefined

  constructor(send: Send, shared = new SharedOutput()) {
    this.#send = send
    this.#shared = shared
    this.#streams = { 1: new Stream(1, shared), 2: new Stream(2, shared) }
  }

  /** Starts an execution. Output written between executions belongs to none. */
  begin(id: number, mode: OutputMode): void {
    this.#isLive = mode.stdout || mode.stderr
    this.#isSent = mode.isSent
    this.#shared.begin(id)
    this.#streams[1].begin()
    this.#streams[2].begin()
    if (this.#unsentBytes > 0) this.#nothingUnsent()
    this.#sentMs = Number.NEGATIVE_INFINITY
  }

  /** Whether an execution runs, so that the main thread listens. */
  get isSent(): boolean {
    return this.#isSent
  }

  /** Copies the bytes of `from` in `[start, end)`. */
  write(stream: StreamNumber, from: Uint8Array, start: number, end: number): void {
    const into = this.#streams[stream]
    let at = start
    while (end - at > into.room) {
      const { room } = into
      into.write(from, at, at + room)
      if (!this.#isSent) return
      at += room
      if (this.#isLive) this.#noteRun(stream, room)
      this.#sendFull(stream)
    }
    into.write(from, at, end)
    if (!this.#isLive) return
    this.#noteRun(stream, end - at)
    this.flushDue()
  }

  /** Sends output that has waited long enough. */
  flushDue(): void {
    if (this.#unsentBytes === 0) return
    const nowMs = performance.now()
    if (nowMs - this.#sentMs < CHUNK_AGE_MS) return
    const partBytes = this.#streams[this.#lastStream].bytesAfterLine(this.#runs.at(-1) ?? 0)
    if (partBytes === 0) return this.#sendAhead(0)
    this.#waitingSinceMs ??= nowMs
    if (nowMs - this.#waitingSinceMs >= LINE_WAIT_MS) this.#sendAhead(0)
    else if (partBytes < this.#unsentBytes) this.#sendAhead(partBytes)
  }

  /** Like `flushDue`, but does not wait for the end of a line. */
  flushPart(): void {
    if (this.#unsentBytes > 0 && performance.now() - this.#sentMs >= CHUNK_AGE_MS) this.#sendAhead(0)
  }

  /** Sends all output that has a listener. Called when the execution is about to wait. */
  flush(): void {
    if (this.#unsentBytes > 0) this.#sendAhead(0)
  }

  /** Ends the execution. Returns the output that was not sent. */
  end(): { readonly stdout: string; readonly stderr: string } {
    this.flush()
    this.#isSent = false
    const [stdout, stderr] = [this.#streams[1].takeRest(), this.#streams[2].takeRest()]
    if (!this.#isLive) return { stdout, stderr }
    // What is left are characters whose last bytes never came.
    const parts = new Parts()
    parts.add(1, stdout)
    parts.add(2, stderr)
    if (!parts.isEmpty) this.#sendChunk(parts.output)
    this.#isLive = false
    return { stdout: '', stderr: '' }
  }

  #noteRun(stream: StreamNumber, bytes: number): void {
    const last = this.#runs.length - 1
    if (last >= 0 && this.#lastStream === stream) this.#runs[last] = (this.#runs[last] ?? 0) + bytes
    else this.#runs.push(bytes)
    this.#lastStream = stream
    this.#unsentBytes += bytes
  }

  /** Makes room in a stream's full buffer. */
  #sendFull(stream: StreamNumber): void {
    if (this.#isLive) {
      // Do not keep back an incomplete line that fills half the buffer or more.
      const partBytes = this.#streams[stream].bytesAfterLine(this.#runs.at(-1) ?? 0)
      return this.#sendAhead(partBytes < OUTPUT_BUFFER_BYTES / 2 ? partBytes : 0)
    }
    const text = this.#streams[stream].take(OUTPUT_BUFFER_BYTES)
    if (text !== '') this.#sendChunk({ stream, text })
  }

  /** Sends everything except the last `keptBytes`, which are an incomplete line. */
  #sendAhead(keptBytes: number): void {
    const parts = new Parts()
    const runs = this.#runs
    let stream = firstStream(this.#lastStream, runs.length)
    for (const [i, bytes] of runs.entries()) {
      parts.add(stream, this.#streams[stream].take(i === runs.length - 1 ? bytes - keptBytes : bytes))
      stream = other(stream)
    }
    this.#nothingUnsent()
    if (keptBytes > 0) {
      this.#runs.push(keptBytes)
      this.#unsentBytes = keptBytes
    }
    if (!parts.isEmpty) this.#sendChunk(parts.output)
  }

  #sendChunk(output: LiveOutput): void {
    this.#send(output)
    this.#shared.countChunk()
    this.#streams[1].dropTaken()
    this.#streams[2].dropTaken()
    this.#sentMs = performance.now()
  }

  #nothingUnsent(): void {
    this.#runs = []
    this.#unsentBytes = 0
    this.#waitingSinceMs = undefined
  }
}

function other(stream: StreamNumber): StreamNumber {
  return stream === 1 ? 2 : 1
}

/** The stream of the first of `runs` alternating runs, the last of which belongs to `last`. */
function firstStream(last: StreamNumber, runs: number): StreamNumber {
  return runs % 2 === 1 ? last : other(last)
}

/** Text of both streams in the order in which it was written. */
class Parts {
  #stream: StreamNumber | undefined
  #last: StreamNumber | undefined
  #text = ''
  readonly #lengths: number[] = []

  get isEmpty(): boolean {
    return this.#text === ''
  }

  add(stream: StreamNumber, text: string): void {
    if (text === '') return
    this.#stream ??= stream
    if (this.#last === stream) this.#lengths.push((this.#lengths.pop() ?? 0) + text.length)
    else this.#lengths.push(text.length)
    this.#last = stream
    this.#text += text
  }

  get output(): LiveOutput {
    const stream = this.#stream ?? 1
    if (this.#lengths.length <= 1) return { stream, text: this.#text }
    return { stream, text: this.#text, lengths: Uint32Array.from(this.#lengths) }
  }
}

/** The unsent bytes of one stream. */
class Stream {
  readonly #number: StreamNumber
  readonly #shared: SharedOutput
  readonly #buffer: Uint8Array
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #length = 0
  /** How many bytes, from the start of the buffer, were taken for sending. */
  #taken = 0
  /** Bytes at `#taken` that begin a character whose rest has not been taken yet. */
  #carried = 0

  constructor(number: StreamNumber, shared: SharedOutput) {
    this.#number = number
    this.#shared = shared
    this.#buffer = shared.buffers[number]
    this.#decoder.decode(new Uint8Array(0))
  }

  begin(): void {
    this.#length = 0
    this.#taken = 0
    this.#carried = 0
  }

  get room(): number {
    return OUTPUT_BUFFER_BYTES - this.#length
  }

  write(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    const buffer = this.#buffer
    const at = this.#length
    if (length <= FEW_BYTES) for (let i = 0; i < length; i++) buffer[at + i] = from[start + i] as number
    else buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, length), at)
    this.#length = at + length
    this.#shared.setLength(this.#number, this.#length)
  }

  /** How many of the last `count` bytes come after the last newline among them. */
  bytesAfterLine(count: number): number {
    const end = this.#length
    if (this.#buffer[end - 1] === NEWLINE) return 0
    const at = this.#buffer.subarray(end - count, end).lastIndexOf(NEWLINE)
    return count - at - 1
  }

  /** Decodes the next `bytes` bytes, or all there are. An incomplete character at the end is kept for the next call. */
  take(bytes: number): string {
    const start = this.#taken
    const end = Math.min(start + this.#carried + bytes, this.#length)
    const whole = wholeCharacters(this.#buffer, start, end)
    this.#taken = whole
    this.#carried = end - whole
    return this.#text(start, whole)
  }

  /** Drops the taken bytes from the buffer, after they were sent. */
  dropTaken(): void {
    if (this.#taken > 0) {
      this.#buffer.copyWithin(0, this.#taken, this.#length)
      this.#length -= this.#taken
      this.#taken = 0
    }
    this.#shared.setLength(this.#number, this.#length)
  }

  /** Decodes and drops everything left. */
  takeRest(): string {
    if (this.#length === 0) return ''
    const text = this.#text(0, this.#length)
    this.begin()
    this.#shared.setLength(this.#number, 0)
    return text
  }

  #text(start: number, end: number): string {
    if (start === end) return ''
    const bytes = this.#buffer.subarray(start, end)
    return end - start > FEW_BYTES && isAscii(bytes)
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
      : this.#decoder.decode(bytes)
  }
}

/** Returns `end`, or the start of the last character if that character continues past `end`. */
function wholeCharacters(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start && at > end - 4; at--) {
    const byte = bytes[at] as number
    if ((byte & 0xc0) === 0x80) continue
    const size = byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return at + size > end ? at : end
  }
  return end
}
