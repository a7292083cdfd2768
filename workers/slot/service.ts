// What a slot does for the main thread: attach a session, run its code, move its values, become the image again. Owns the
// order of calls into the interpreter and the waits between them; it trusts the main thread and is not trusted by it.
import type { Image } from '../../src/image/image.js'
import type {
  AttachRequest,
  ExecuteRequest,
  RefusalReason,
  RestoreRequest,
  SlotMethods,
  SlotReply,
  SnapshotRequest,
} from '../../src/protocol.js'
import type { Host, HostCapture, PreparedHost } from '../host/host.js'
import { HostStateError } from '../host/state/error.js'
import type { Interpreter } from '../interpreter/interpreter.js'
import { KernelFault, type KernelReply, Opcode } from '../interpreter/link.js'
import { checkDelta, DeltaError, type MemoryDelta } from '../interpreter/memory-delta.js'
import { BlockError } from '../snapshot/blocks.js'
import { type Body, BodyError, packBody, unpackBody } from '../snapshot/body.js'
import type { Output } from './output.js'
import { EMPTY_SESSION, WARM_UP } from './warm-up.js'

/** setTimeout's own bound. */
const MAX_DELAY_MS = 2 ** 31 - 1
const CODE_IS_UTF16 = 1

/** The wait of an execution for its next timer or an interrupt. */
interface Waiting {
  readonly id: number
  readonly interrupt: () => void
}

export class SlotService implements SlotMethods {
  readonly #image: Image
  readonly #host: Host
  readonly #interpreter: Interpreter
  readonly #output: Output
  #executionId = 0
  #waiting: Waiting | undefined
  /** The interpreter is the image, byte for byte: a snapshot can be laid over it. */
  #pristine = true

  constructor(image: Image, host: Host, interpreter: Interpreter, output: Output) {
    this.#image = image
    this.#host = host
    this.#interpreter = interpreter
    this.#output = output
  }

  /** The execution that output belongs to. */
  get executionId(): number {
    return this.#executionId
  }

  attach(request: AttachRequest): Promise<SlotReply> {
    this.#host.configure(request.limits, request.timeZone)
    return this.#run(0, QUIET, () => this.#interpreter.call(Opcode.attach, request.session))
  }

  execute(request: ExecuteRequest): Promise<SlotReply> {
    const head = Buffer.alloc(5)
    head.writeUInt32LE(request.executionCount)
    const wellFormed = request.code.isWellFormed()
    head[4] = wellFormed ? 0 : CODE_IS_UTF16
    const code = Buffer.from(request.code, wellFormed ? 'utf8' : 'utf16le')
    const live = { stdout: request.liveStdout, stderr: request.liveStderr }
    return this.#run(request.id, live, () => this.#interpreter.call(Opcode.execute, head, code))
  }

  get(id: number, name: string): Promise<SlotReply> {
    return this.#run(id, QUIET, () => this.#interpreter.call(Opcode.get, Buffer.from(name, 'utf8')))
  }

  set(id: number, name: string, value: Uint8Array): Promise<SlotReply> {
    const bytes = Buffer.from(name, 'utf8')
    const head = Buffer.alloc(4)
    head.writeUInt32LE(bytes.length)
    return this.#run(id, QUIET, () => this.#interpreter.call(Opcode.set, head, bytes, value))
  }

  clear(id: number): Promise<SlotReply> {
    return this.#run(id, QUIET, () => this.#interpreter.call(Opcode.clear))
  }

  async interrupt(id: number): Promise<SlotReply> {
    if (this.#waiting?.id === id) this.#waiting.interrupt()
    return { kind: 'reverted', done: false }
  }

  async snapshot(id: number, request: SnapshotRequest): Promise<SlotReply> {
    try {
      // Finalizers of garbage are code of the user's.
      this.#host.beginExecution(id)
      this.#output.begin(QUIET)
      const head = Buffer.alloc(4)
      head.writeUInt32LE(request.valuesBytes)
      const described = this.#interpreter.call(Opcode.describe, head)
      if (described.kind !== 'described')
        return refused('not-captured', 'there is no memory left to describe the session')
      const memory = this.#interpreter.capture()
      const host = this.#host.capture()
      return captured(described, memory, host, request.maxBytes)
    } catch (error) {
      return died(error)
    }
  }

  async restore(request: RestoreRequest): Promise<SlotReply> {
    let body: Body
    let host: PreparedHost
    try {
      body = this.#unpack(request)
      host = this.#host.prepare(body.hostState, body.contents, request.limits)
    } catch (error) {
      return refusal(error)
    }
    if (!this.#interpreter.reserve(request.memoryBytes))
      return refused('too-large', `this machine has no room for ${request.memoryBytes} bytes of memory`)
    try {
      if (!this.#pristine) this.#interpreter.revert({ grown: true })
      this.#pristine = false
      this.#interpreter.apply(body.memory)
      this.#host.configure(request.limits, request.timeZone)
      this.#host.install(host)
    } catch (error) {
      return died(error)
    }
    return this.#run(0, QUIET, () => this.#interpreter.call(Opcode.restored, request.session))
  }

  /** Everything is checked here, before a byte of the session is touched (N2). */
  #unpack(request: RestoreRequest): Body {
    const { limits, rawBytes, memoryBytes } = request
    if (memoryBytes > (limits.memoryBytes ?? Number.POSITIVE_INFINITY))
      throw new TooLarge(`its memory of ${memoryBytes} bytes is more than memoryBytes, ${limits.memoryBytes}`)
    // What the parts may come to; each has its own check later.
    const most = MOST_OTHER_BYTES + memoryBytes + (limits.fileBytes ?? MOST_RAW_BYTES)
    if (rawBytes > Math.min(most, MOST_RAW_BYTES)) throw new TooLarge(`it unpacks to ${rawBytes} bytes`)
    const body = unpackBody(request.body, request.bodyHash, rawBytes, memoryBytes)
    checkDelta(this.#image, body.memory)
    return body
  }

  async revert(): Promise<SlotReply> {
    try {
      const done = this.#interpreter.revert()
      this.#pristine = done
      return { kind: 'reverted', done }
    } catch (error) {
      return died(error)
    }
  }

  async warm(): Promise<SlotReply> {
    const limits = { memoryBytes: null, outputBytes: null, fileBytes: null }
    const session = { limits, timeZone: 'UTC', session: EMPTY_SESSION }
    await this.attach(session)
    for (const [index, code] of WARM_UP.entries()) {
      const request = { id: index + 1, executionCount: index + 1, code, liveStdout: false, liveStderr: false }
      await this.execute(request)
    }
    const captured = await this.snapshot(0, { valuesBytes: 0, maxBytes: null })
    if (captured.kind !== 'captured') return died(new Error(`a new slot gave no snapshot: ${captured.kind}`))
    const { body, bodyHash, rawBytes, memoryBytes } = captured
    const restored = await this.restore({ ...session, body, bodyHash, rawBytes, memoryBytes })
    if (restored.kind !== 'outcome') return died(new Error(`a new slot took no snapshot: ${restored.kind}`))
    return this.revert()
  }

  /** Runs one request of the kernel to its end, through as many waits as it has. */
  async #run(
    id: number,
    live: { readonly stdout: boolean; readonly stderr: boolean },
    request: () => KernelReply,
  ): Promise<SlotReply> {
    const startedMs = performance.now()
    this.#pristine = false
    try {
      this.#executionId = id
      this.#host.beginExecution(id)
      this.#output.begin(live)
      let reply = request()
      while (reply.kind === 'waiting') {
        this.#output.flush()
        const opcode = await this.#wait(id, reply.delayMs)
        reply = this.#interpreter.call(opcode)
      }
      if (reply.kind !== 'done') throw new KernelFault('the kernel answered something else')
      const { stdout, stderr } = this.#output.end()
      return {
        kind: 'outcome',
        payload: reply.payload,
        stdout,
        stderr,
        durationMs: performance.now() - startedMs,
        peakMemoryBytes: this.#host.usage.peakMemoryBytes,
        exceeded: this.#host.exceeded,
      }
    } catch (error) {
      return died(error)
    }
  }

  #wait(id: number, delayMs: number): Promise<typeof Opcode.step | typeof Opcode.interrupt> {
    return new Promise((resolve) => {
      const settle = (opcode: typeof Opcode.step | typeof Opcode.interrupt) => {
        clearTimeout(timer)
        this.#waiting = undefined
        resolve(opcode)
      }
      const timer = setTimeout(() => settle(Opcode.step), Math.min(delayMs, MAX_DELAY_MS))
      const interrupt = () => {
        // Delivered here, so running code must not get it a second time.
        this.#host.interruptDelivered(id)
        settle(Opcode.interrupt)
      }
      this.#waiting = { id, interrupt }
    })
  }
}

const QUIET = { stdout: false, stderr: false }

/** Names, targets and bookkeeping of files, beside memory and contents. */
const MOST_OTHER_BYTES = 64 * 1024 * 1024
const MOST_RAW_BYTES = 2 ** 32

class TooLarge extends Error {}

function captured(
  { description, values }: Extract<KernelReply, { kind: 'described' }>,
  memory: MemoryDelta,
  host: HostCapture,
  maxBytes: number | null,
): SlotReply {
  const { memoryBytes } = memory
  try {
    const { bytes, hash, rawBytes } = packBody(memory, host.state, host.contents)
    if (maxBytes !== null && bytes.length > maxBytes) {
      const message = `the snapshot has ${bytes.length} bytes, more than snapshotBytes, ${maxBytes}`
      return refused('too-large', message)
    }
    const { files } = host
    return {
      kind: 'captured',
      body: bytes,
      bodyHash: hash,
      rawBytes,
      memoryBytes,
      description,
      values,
      files,
    }
  } catch (error) {
    // There was no memory for it beside the session's.
    if (error instanceof RangeError) return refused('too-large', `it could not be packed: ${error.message}`)
    throw error
  }
}

function refused(reason: RefusalReason, message: string): SlotReply {
  return { kind: 'refused', reason, message: message.slice(0, 1000) }
}

/** What a snapshot's own bytes can bring about, as a refusal; anything else is a fault of ours. */
function refusal(error: unknown): SlotReply {
  if (error instanceof TooLarge) return refused('too-large', error.message)
  if (error instanceof HostStateError) return refused(error.reason, error.message)
  const known = [BodyError, BlockError, DeltaError, SyntaxError, TypeError, RangeError]
  if (error instanceof Error && known.some((type) => error instanceof type))
    return refused('corrupt', error.message)
  return died(error)
}

/** Nothing of the error but its text crosses: a hostile guest chose at most that. */
function died(error: unknown): SlotReply {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : 'an unknown value was thrown'
  return { kind: 'died', reason: reason.slice(0, 1000) }
}
