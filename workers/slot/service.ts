// What a slot does for the main thread: attach a session, run its code, move its values, become the image again. Owns the
// order of calls into the interpreter and the waits between them; it trusts the main thread and is not trusted by it.
import type { AttachRequest, ExecuteRequest, SlotMethods, SlotReply } from '../../src/protocol.js'
import type { Host } from '../host/host.js'
import type { Interpreter } from '../interpreter/interpreter.js'
import { type KernelReply, Opcode } from '../interpreter/link.js'
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
  readonly #host: Host
  readonly #interpreter: Interpreter
  readonly #output: Output
  #executionId = 0
  #waiting: Waiting | undefined

  constructor(host: Host, interpreter: Interpreter, output: Output) {
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

  async revert(): Promise<SlotReply> {
    try {
      return { kind: 'reverted', done: this.#interpreter.revert() }
    } catch (error) {
      return died(error)
    }
  }

  async warm(): Promise<SlotReply> {
    const limits = { memoryBytes: null, outputBytes: null, fileBytes: null }
    await this.attach({ limits, timeZone: 'UTC', session: EMPTY_SESSION })
    for (const [index, code] of WARM_UP.entries()) {
      const request = { id: index + 1, executionCount: index + 1, code, liveStdout: false, liveStderr: false }
      await this.execute(request)
    }
    return this.revert()
  }

  /** Runs one request of the kernel to its end, through as many waits as it has. */
  async #run(
    id: number,
    live: { readonly stdout: boolean; readonly stderr: boolean },
    request: () => KernelReply,
  ): Promise<SlotReply> {
    const startedMs = performance.now()
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

/** Nothing of the error but its text crosses: a hostile guest chose at most that. */
function died(error: unknown): SlotReply {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : 'an unknown value was thrown'
  return { kind: 'died', reason: reason.slice(0, 1000) }
}
