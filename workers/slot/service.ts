// What a slot does for the main thread: attaches a session, runs its code, moves its values, captures and restores it, and reverts to the
// image. Owns the order of calls into the interpreter. It trusts the main thread, which does not trust it.
import type { Image } from '../../src/shared/image/image.js'
import type {
  AttachRequest,
  DirectMethod,
  ExecuteRequest,
  FileRequest,
  RestoreRequest,
  ResumeRequest,
  RunReport,
  SlotEvent,
  SlotMethods,
  SlotNotice,
  SlotReply,
  SnapshotRequest,
} from '../../src/shared/messages/slot.js'
import type { Shield } from '../../src/shared/threads/shield.js'
import type { UserCodeMark } from '../../src/shared/threads/user-code.js'
import { isNothing } from '../../src/shared/values/nothing.js'
import type { Credit } from '../host/credit.js'
import type { Host, PreparedHost } from '../host/host.js'
import type { Interpreter } from '../interpreter/interpreter.js'
import { type KernelReply, Opcode } from '../interpreter/link.js'
import type { SlotBudget } from '../memory/budget.js'
import { BudgetRoom, NoRoomError } from '../memory/packing-room.js'
import { type Body, packBody, packBodyAside } from '../snapshot/body.js'
import type { KnownBlocks } from '../snapshot/known-blocks.js'
import type { Shielded } from '../snapshot/streams.js'
import { endReason } from './end-reason.js'
import { serveFile } from './file-calls.js'
import { captured, DAMAGED, refusal, refused, unpack } from './freeze.js'
import type { Output, OutputMode } from './output.js'
import { type Ran, Runs } from './run.js'
import { BRIEF_WARM_UP, EMPTY_SESSION, WARM_UP } from './warm-up.js'

const CODE_IS_UTF16 = 1

export interface SlotServiceOptions {
  readonly image: Image
  readonly host: Host
  readonly interpreter: Interpreter
  readonly output: Output
  readonly memory: SlotBudget
  readonly shield: Shield
  readonly userCode: UserCodeMark
  readonly credit: Credit
  /** `bytes` are those that the event carries. They may be transferred: the service does not use them again. */
  readonly emit: (event: SlotEvent, bytes: Uint8Array<ArrayBuffer>) => void
  /** Called when an execution begins to wait for host calls that it has just sent. */
  readonly onAwait: () => void
}

export class SlotService implements Omit<SlotMethods, DirectMethod> {
  readonly #image: Image
  readonly #host: Host
  readonly #interpreter: Interpreter
  readonly #output: Output
  readonly #memory: SlotBudget
  readonly #shielded: Shielded
  readonly #userCode: UserCodeMark
  readonly #credit: Credit
  readonly #runs: Runs
  #executionId = 0
  #isRunning = false
  #hasDied = false
  #packing: Promise<void> | undefined
  /** Blocks of the last capture or restore that the next capture may build on. */
  #known: KnownBlocks | undefined
  /** How many calls wait for packing to finish. */
  #heldCalls = 0
  /** The interpreter is identical to the image, and its files are unused: nothing has run yet. */
  #pristine = true

  constructor(options: SlotServiceOptions) {
    const { image, host, interpreter, output, memory, shield, userCode, credit, emit, onAwait } = options
    this.#image = image
    this.#host = host
    this.#interpreter = interpreter
    this.#output = output
    this.#memory = memory
    this.#shielded = (make) => shield.during(make)
    this.#userCode = userCode
    this.#credit = credit
    this.#runs = new Runs(host, interpreter, credit, {
      onWait: () => output.flush(),
      onAwait,
      onCalls: (batch, calls) => {
        // Listeners must get the output written before a call before the callback runs.
        output.flush()
        emit(
          { event: 'calls', id: this.#executionId, batch, calls, takenBytes: this.#runs.takenBytes },
          calls,
        )
      },
    })
  }

  /** The execution that output belongs to. */
  get executionId(): number {
    return this.#executionId
  }

  /** Whether nothing runs, waits or is being packed, and the interpreter has not ended. */
  get isAtRest(): boolean {
    const isPacking = this.#packing !== undefined || this.#heldCalls > 0
    return !this.#hasDied && !isPacking && !this.#isRunning && !this.#runs.isWaiting
  }

  async attach(request: AttachRequest): Promise<SlotReply> {
    try {
      this.#runs.forget()
      this.#credit.open(request.releasedBytes, request.heldBytes)
      this.#host.configure(request.limits, request.timeZone, request.mount)
    } catch (error) {
      return this.#died(error)
    }
    return this.#run(0, QUIET, () => this.#interpreter.call(Opcode.attach, request.session))
  }

  /** Returns the reply without a promise, unless the code awaits something. */
  execute(request: ExecuteRequest): SlotReply | Promise<SlotReply> {
    const wellFormed = request.code.isWellFormed()
    const head = Uint8Array.of(0, 0, 0, 0, wellFormed ? 0 : CODE_IS_UTF16)
    new DataView(head.buffer).setUint32(0, request.executionCount, true)
    const code = Buffer.from(request.code, wellFormed ? 'utf8' : 'utf16le')
    const mode = { stdout: request.liveStdout, stderr: request.liveStderr, isSent: true }
    return this.#run(request.id, mode, () => this.#interpreter.call(Opcode.execute, head, code))
  }

  async resume(request: ResumeRequest): Promise<SlotReply> {
    const mode = { stdout: request.liveStdout, stderr: request.liveStderr, isSent: true }
    this.#runs.answer(request.answers)
    const first = this.#runs.take()
    return this.#run(request.id, mode, () =>
      first === undefined
        ? this.#interpreter.call(Opcode.step)
        : this.#interpreter.call(Opcode.answer, first),
    )
  }

  async setCallbacks(callbacks: Uint8Array): Promise<SlotReply> {
    return this.#run(0, QUIET, () => this.#interpreter.call(Opcode.callbacks, callbacks))
  }

  get(id: number, name: string): SlotReply | Promise<SlotReply> {
    return this.#run(id, QUIET, () => this.#interpreter.call(Opcode.get, Buffer.from(name, 'utf8')))
  }

  set(id: number, name: string, value: Uint8Array): SlotReply | Promise<SlotReply> {
    const bytes = Buffer.from(name, 'utf8')
    const head = Buffer.alloc(4)
    head.writeUInt32LE(bytes.length)
    return this.#run(id, QUIET, () => this.#interpreter.call(Opcode.set, head, bytes, value))
  }

  async clear(id: number): Promise<SlotReply> {
    this.#runs.forget()
    return this.#run(id, QUIET, () => this.#interpreter.call(Opcode.clear))
  }

  async interrupt(id: number): Promise<SlotReply> {
    this.#runs.interrupt(id)
    return { kind: 'reverted', done: false }
  }

  /** Handles a message without an answer. */
  told(notice: SlotNotice): void {
    if (notice.notice === 'answers') this.#runs.answer(notice.answers)
    else if (notice.notice === 'credit') this.#runs.credit()
    else this.#runs.suspend(notice.id, notice.batches)
  }

  async snapshot(id: number, request: SnapshotRequest): Promise<SlotReply> {
    if (this.#packing) await this.#packed()
    const room = new BudgetRoom(this.#memory)
    try {
      // A waiting execution keeps its output, and its id for interrupts.
      if (!this.#runs.isWaiting) {
        // Describing runs user code: finalizers of garbage, and tasks that were waiting for an answer.
        this.#host.beginExecution(id)
        this.#output.begin(0, QUIET)
      }
      const described = this.#userCode.during(id, () => this.#describe(request.valuesBytes))
      if (described.kind !== 'described')
        return refused('not-captured', `there is no memory left to describe the session, or ${DAMAGED}`)
      room.take(headCost(described))
      const memory = this.#interpreter.capture(room)
      const host = this.#host.capture(room)
      // Packing reads the live memory. An answer can resume a waiting execution at any time, so pack synchronously then.
      const pack = this.#runs.isWaiting ? packBody : packBodyAside
      const base = this.#known?.number === request.base ? this.#known : undefined
      const packed = captured(described, memory, host, request, base, pack, this.#shielded, room)
      const settle = () => {
        this.#packing = undefined
      }
      this.#packing = packed.then(settle, settle)
      const { reply, known } = await packed
      if (request.number !== null && reply.kind === 'captured') this.#known = known
      return this.#handOver(reply, room)
    } catch (error) {
      room.close()
      this.#memory.settle()
      return error instanceof NoRoomError ? refused('not-captured', error.message) : this.#died(error)
    }
  }

  #describe(valuesBytes: number): KernelReply {
    if (!this.#runs.isWaiting) this.#runs.deliver()
    const head = Buffer.alloc(4)
    head.writeUInt32LE(valuesBytes)
    return this.#interpreter.call(Opcode.describe, head)
  }

  /** Passes the snapshot to the main thread, together with the memory budget that was taken for it. */
  #handOver(reply: SlotReply, room: BudgetRoom): SlotReply {
    if (reply.kind !== 'captured') {
      room.close()
      this.#memory.settle()
      return reply
    }
    const kept = reply.body.length + headCost(reply)
    room.close(kept)
    return { ...reply, returnedBytes: this.#memory.handOver(kept) }
  }

  async restore(request: RestoreRequest): Promise<SlotReply> {
    if (this.#packing) await this.#packed()
    const room = new BudgetRoom(this.#memory)
    let body: Body
    let host: PreparedHost
    try {
      body = unpack(this.#image, request, this.#shielded, room)
      host = this.#host.prepare(body.hostState, body.contents, request.limits, request.mount, this.#pristine)
    } catch (error) {
      room.close()
      return refusal(error) ?? this.#died(error)
    }
    if (!this.#interpreter.reserve(request.memoryBytes)) {
      room.close()
      this.#host.discard(host)
      return refused('no-room', `there is no room for its memory of ${request.memoryBytes} bytes`)
    }
    try {
      this.#runs.forget()
      this.#known = body.known
      if (!this.#pristine) this.#interpreter.revertMemory()
      this.#pristine = false
      this.#interpreter.apply(body.memory)
      this.#credit.open(request.releasedBytes, request.heldBytes)
      this.#host.configure(request.limits, request.timeZone)
      this.#host.install(host)
    } catch (error) {
      return this.#died(error)
    } finally {
      room.close()
    }
    return this.#run(0, QUIET, () => this.#interpreter.call(Opcode.restored, request.session))
  }

  async file(request: FileRequest): Promise<SlotReply> {
    if (this.#packing) await this.#packed()
    try {
      this.#pristine = false
      const reply = serveFile(this.#host.privateFiles, this.#host.coveredDirectories, request)
      this.#memory.settle()
      return reply
    } catch (error) {
      return this.#died(error)
    }
  }

  async revert(): Promise<SlotReply> {
    if (this.#packing) await this.#packed()
    try {
      this.#runs.forget()
      this.#known = undefined
      const done = this.#interpreter.revert()
      this.#pristine = done
      // Nothing of a session may remain, not even in free memory.
      this.#memory.onShort()
      this.#memory.settle()
      return { kind: 'reverted', done }
    } catch (error) {
      return this.#died(error)
    }
  }

  async warm(thoroughly: boolean): Promise<SlotReply> {
    const limits = { memoryBytes: null, outputBytes: null, resultBytes: null, fileBytes: null }
    const session = {
      limits,
      timeZone: 'UTC',
      session: EMPTY_SESSION,
      mount: null,
      releasedBytes: 0,
      heldBytes: 0,
    }
    await this.attach(session)
    for (const [index, code] of (thoroughly ? WARM_UP : BRIEF_WARM_UP).entries()) {
      const request = { id: index + 1, executionCount: index + 1, code, liveStdout: false, liveStderr: false }
      await this.execute(request)
    }
    const frozen = await this.snapshot(0, {
      valuesBytes: 1024,
      maxBytes: null,
      effort: 'small',
      number: null,
      base: null,
    })
    if (frozen.kind !== 'captured')
      return this.#died(new Error(`a new slot could not take a snapshot: ${frozen.kind}`))
    this.#memory.takeBack(frozen.returnedBytes)
    const { body, plan, bodyHash, rawBytes, memoryBytes } = frozen
    const formatVersion = plan ? 3 : 2
    const restored = await this.restore({
      ...session,
      number: null,
      body,
      formatVersion,
      bodyHash,
      rawBytes,
      memoryBytes,
    })
    if (restored.kind !== 'outcome')
      return this.#died(new Error(`a new slot could not restore a snapshot: ${restored.kind}`))
    return this.revert()
  }

  /** Waits until packing is done. Packing reads the live memory, so nothing may run until the reply with the snapshot was sent (S3). */
  async #packed(): Promise<void> {
    this.#heldCalls += 1
    while (this.#packing) {
      await this.#packing
      await new Promise((resolve) => setTimeout(resolve))
    }
    this.#heldCalls -= 1
  }

  /** Never throws nor rejects. */
  #run(id: number, mode: OutputMode, request: () => KernelReply): SlotReply | Promise<SlotReply> {
    if (this.#packing) return this.#packed().then(() => this.#run(id, mode, request))
    const startedMs = performance.now()
    this.#pristine = false
    this.#isRunning = true
    try {
      this.#executionId = id
      this.#host.beginExecution(id)
      this.#output.begin(id, mode)
      const ran = this.#runs.run(id, request)
      if (!(ran instanceof Promise)) return this.#reply(ran, startedMs)
      return ran
        .then((awaited) => this.#reply(awaited, startedMs))
        .catch((error: unknown) => this.#died(error))
    } catch (error) {
      return this.#died(error)
    } finally {
      this.#isRunning = false
    }
  }

  #reply(ran: Ran, startedMs: number): SlotReply {
    const report = this.#report(startedMs)
    if (ran.kind === 'suspended') return { kind: 'suspended', ...report }
    const payload = isNothing(ran.payload) ? null : ran.payload
    return { kind: 'outcome', payload, ...report, exceeded: this.#host.exceeded }
  }

  #report(startedMs: number): RunReport {
    const { stdout, stderr } = this.#output.end()
    this.#host.outputTaken()
    this.#memory.settle()
    const { memoryBytes, peakMemoryBytes, fileBytes, outputBytes } = this.#host.usage
    const { fileChanges: changes } = this.#host
    const report = {
      stdout,
      stderr,
      durationMs: performance.now() - startedMs,
      memoryBytes,
      peakMemoryBytes,
      fileBytes,
      outputBytes: outputBytes[1] + outputBytes[2],
      takenBytes: this.#runs.takenBytes,
    }
    return changes === undefined ? report : { ...report, changes }
  }

  /** Sends only the text of the error to the main thread, because a hostile guest may have chosen the error. */
  #died(error: unknown): SlotReply {
    this.#hasDied = true
    return { kind: 'died', reason: endReason(error).slice(0, 1000) }
  }
}

const QUIET = { stdout: false, stderr: false, isSent: false }

/** Memory for the parts beside the body, which exist twice on the main thread. */
function headCost({
  description,
  values,
}: {
  readonly description: Uint8Array
  readonly values: Uint8Array
}) {
  return 2 * (description.length + values.length)
}
