// A session's output on its way to the main thread. Owns buffering, decoding, and the order of both streams in chunks. The host enforces the
// limit before bytes get here. The buffers are shared, so that the main thread can read what was not sent when the worker has ended.
// Bytes arrive while guest code is on the stack, so decoders are created and used once beforehand.
import { isAscii } from 'node:buffer'
import { OUTPUT_BUFFER_BYTES, SharedOutput } from '../../src/shared/messages/output.js'
import type { LiveOutput } from '../../src/shared/messages/slot.js'

/**
 * A chunk goes out when a buffer is full. With a listener also when the chunk before it is this old: at a write, a look for signals or a
 * sleep, because code that spins never reaches a timer. The first one of an execution then goes out at once.
 */
const CHUNK_AGE_MS = 20
/** How long the beginning of a line waits for the rest of it: `print` writes the line and its end separately. */
const LINE_WAIT_MS = 20
/** Fewer bytes are copied faster one by one than by a call into the engine. */
const FEW_BYTES = 96
const NEWLINE = 10

type StreamNumber = 1 | 2
type Send = (output: LiveOutput) => void

export interface OutputMode {
  /** There is a listener, per stream. */
  readonly stdout: boolean
  readonly stderr: boolean
  /** Whether more than fits into the buffers may be sent. If not, it is dropped: nobody listens to calls that are no executions. */
  readonly isSent: boolean
}

export class Output {
  readonly #shared: SharedOutput
  readonly #streams: { readonly 1: Stream; readonly 2: Stream }
  readonly #send: Send
  /** There is a listener, so chunks are sent early, with both streams in order. */
  #isLive = false
  #isSent = false
  /** With a listener, lengths in bytes of what was written and not sent yet. The streams alternate, and the last run is of `#lastStream`. */
  #runs: number[] = []
  #lastStream: StreamNumber = 1
  #unsentBytes = 0
  #sentMs = Number.NEGATIVE_INFINITY
  /** Since when the beginning of a line has waited for its end. */
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

  /** As `flushDue`, without a wait for the end of a line. */
  flushPart(): void {
    if (this.#unsentBytes > 0 && performance.now() - this.#sentMs >= CHUNK_AGE_MS) this.#sendAhead(0)
  }

  /** Sends all output that has a listener, because the execution waits now. */
  flush(): void {
    if (this.#unsentBytes > 0) this.#sendAhead(0)
  }

  /** The output that was not sent. */
  end(): { readonly stdout: string; readonly stderr: string } {
    this.flush()
    this.#isSent = false
    const [stdout, stderr] = [this.#streams[1].takeRest(), this.#streams[2].takeRest()]
    if (!this.#isLive) return { stdout, stderr }
    // Of characters that never came to their end.
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

  /** The stream's buffer has no room left. */
  #sendFull(stream: StreamNumber): void {
    if (this.#isLive) {
      // A line that is as long as the buffer is not waited for.
      const partBytes = this.#streams[stream].bytesAfterLine(this.#runs.at(-1) ?? 0)
      return this.#sendAhead(partBytes < OUTPUT_BUFFER_BYTES / 2 ? partBytes : 0)
    }
    const text = this.#streams[stream].take(OUTPUT_BUFFER_BYTES)
    if (text !== '') this.#sendChunk({ stream, text })
  }

  /** Sends all but the last `keptBytes`, which are the beginning of a line. */
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

/** Of runs that alternate up to `last`. */
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

/** The bytes of one stream that were not sent. */
class Stream {
  readonly #number: StreamNumber
  readonly #shared: SharedOutput
  readonly #buffer: Uint8Array
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #length = 0
  /** How many of the bytes were taken to be sent. */
  #taken = 0
  /** Before the next bytes to take: the beginning of a character, which waits for its end. */
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

  /** How many of the last `count` bytes come after the last end of a line among them. */
  bytesAfterLine(count: number): number {
    const end = this.#length
    if (this.#buffer[end - 1] === NEWLINE) return 0
    const at = this.#buffer.subarray(end - count, end).lastIndexOf(NEWLINE)
    return count - at - 1
  }

  /** The next bytes as text, at most all. A character that they only begin is kept back for the next ones. */
  take(bytes: number): string {
    const start = this.#taken
    const end = Math.min(start + this.#carried + bytes, this.#length)
    const whole = wholeCharacters(this.#buffer, start, end)
    this.#taken = whole
    this.#carried = end - whole
    return this.#text(start, whole)
  }

  /** What was taken has been sent. */
  dropTaken(): void {
    if (this.#taken > 0) {
      this.#buffer.copyWithin(0, this.#taken, this.#length)
      this.#length -= this.#taken
      this.#taken = 0
    }
    this.#shared.setLength(this.#number, this.#length)
  }

  /** All that is left, as text. */
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

/** `end`, or a few bytes less if a character begins there that needs bytes after `end`. */
function wholeCharacters(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start && at > end - 4; at--) {
    const byte = bytes[at] as number
    if ((byte & 0xc0) === 0x80) continue
    const size = byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return at + size > end ? at : end
  }
  return end
}
