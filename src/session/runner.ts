// Runs a session's calls in its slot. Each ends with a result, or with an error that says how it was stopped or lost (S3). Owns the running
// call. session-calls.ts orders the calls, placement.ts owns the slot, host-side.ts the host calls.
import type { MemoryAccount } from '../memory/account.js'
import type { ResolvedExecuteOptions } from '../options/execution.js'
import { CancelledError, ExecutionError, SessionSuspendedError } from '../shared/errors.js'
import type { FileRequest, RunReport, SlotReply } from '../shared/messages/slot.js'
import { MalformedValueError } from '../shared/values/decode.js'
import type { Lane } from '../shared/values/slices.js'
import type { Slot } from '../slots/slot.js'
import { Call, type Settled } from './call.js'
import type { SessionContext } from './context.js'
import { displayBytes } from './displays.js'
import { resultOf } from './execute-result.js'
import { RunningExecution } from './execution.js'
import { answers, type FileReply } from './file-reply.js'
import type { HostSide } from './host-side.js'
import type { Listeners } from './listeners.js'
import { recordRun } from './observed.js'
import type { ResolvedSessionOptions } from './options.js'
import {
  type Answer,
  AnswerReader,
  type ExecuteResult,
  type LastValue,
  limitError,
  NOTHING_ANSWER,
  pythonError,
  readResult,
  stopError,
} from './outcome.js'
import type { Placement } from './placement.js'
import { isReplyWithin, isResultWithin } from './reply-bounds.js'
import type { Usage } from './usage.js'

type Outcome = Extract<SlotReply, { kind: 'outcome' }>
type Suspended = Extract<SlotReply, { kind: 'suspended' }>

export interface Answered {
  readonly answer: Answer
  readonly reply: Outcome
}

export interface RunnerParts {
  readonly context: SessionContext
  readonly options: ResolvedSessionOptions
  readonly placement: Placement
  readonly hostSide: HostSide
  readonly usage: Usage
  readonly account: MemoryAccount
  readonly lane: Lane
}

/** Start of the reason given when a slot is ended because it broke the protocol. */
const INVALID = 'its worker sent an invalid message'

/** Time limit of an operation on private files. Removing a large directory tree takes seconds. */
const FILE_MS = 120_000

/** Which streams the slot sends while the execution runs. */
interface Live {
  readonly liveStdout: boolean
  readonly liveStderr: boolean
}

export class Runner {
  readonly #context: SessionContext
  readonly #options: ResolvedSessionOptions
  readonly #placement: Placement
  readonly #hostSide: HostSide
  readonly #usage: Usage
  readonly #account: MemoryAccount
  readonly #lane: Lane
  #running: Call | undefined
  /** `interrupt()` was called while the current call was still getting its slot. */
  #interruptComing = false
  #hasRun = false
  /** The last call did not start, because the checkpoint before it lost the slot. */
  #neverStarted = false
  /** Undefined unless the running call is an execution. */
  #execution: RunningExecution | undefined
  /** The slot's report on the running execution. Not the whole reply, which would keep every session's last value and output in memory. */
  #report: Pick<RunReport, 'durationMs' | 'outputBytes'> | undefined

  constructor({ context, options, placement, hostSide, usage, account, lane }: RunnerParts) {
    this.#context = context
    this.#options = options
    this.#placement = placement
    this.#hostSide = hostSide
    this.#usage = usage
    this.#account = account
    this.#lane = lane
  }

  /** Whether a call is running in the slot. */
  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Whether code of the call that started last has run, at least in part. */
  get hasRun(): boolean {
    return this.#hasRun && !this.#neverStarted
  }

  /** Call before each call of the session starts. */
  start(): void {
    this.#hasRun = false
    this.#interruptComing = false
    this.#neverStarted = false
  }

  interrupt(): void {
    if (this.#running) this.#running.stop({ kind: 'interrupt' })
    else this.#interruptComing = true
  }

  close(): void {
    this.#running?.stop({ kind: 'close' })
  }

  /** @param count counts the execution; called once nothing can prevent the code from running */
  async execute(
    code: string,
    options: ResolvedExecuteOptions,
    listeners: Listeners,
    count: () => number,
  ): Promise<ExecuteResult> {
    const slot = await this.#prepared(options)
    if (this.#hostSide.awaiting) {
      // Finish the checkpoint first, so that the suspended execution is saved when the caller gets the error.
      await this.#placement.captures.checkpointing
      await this.#placement.attach(options.signal)
      throw new SessionSuspendedError(this.#options.id)
    }
    const executionCount = count()
    try {
      return await this.#run(slot, options, listeners, executionCount, (id, live) =>
        slot.call('execute', [{ id, executionCount, code, ...live }]),
      )
    } finally {
      if (this.#neverStarted) this.#hostSide.executionCount -= 1
      else this.#context.count('executions')
    }
  }

  /** Continues an execution that waits for host calls. `answers` is called once the session's state is loaded. */
  async resume(
    options: ResolvedExecuteOptions,
    listeners: Listeners,
    executionCount: number,
    answers: () => Promise<Uint8Array<ArrayBuffer>[]>,
  ): Promise<ExecuteResult> {
    const slot = await this.#prepared(options)
    const given = await answers()
    slot.sendsAnswers(given)
    const buffers = given.map(({ buffer }) => buffer)
    const send = (id: number, live: Live) => slot.call('resume', [{ id, answers: given, ...live }], buffers)
    // Without an answer, only timers can make progress, so do not suspend the execution again immediately.
    return this.#run(slot, options, listeners, executionCount, send, given.length === 0)
  }

  /** Runs a call other than an execution. */
  async ask(
    timeoutMs: number | null,
    send: (slot: Slot, id: number) => Promise<SlotReply>,
    prepared?: Slot,
  ): Promise<Answered> {
    const slot = prepared ?? (await this.#placement.attach())
    const answered = await this.#call(slot, timeoutMs, undefined, (id) => send(slot, id))
    if (!('answer' in answered))
      throw this.#lost(slot, undefined, 'it suspended a call that is not an execution')
    if (!answered.answer.ok) throw pythonError(answered.answer.failure)
    return answered
  }

  /** Runs a call other than an execution that changes the session's state. */
  async change(
    timeoutMs: number | null,
    send: (slot: Slot, id: number) => Promise<SlotReply>,
  ): Promise<Answered> {
    const slot = await this.#protected()
    return this.ask(timeoutMs, send, slot).finally(() => this.#placement.markChanged(slot))
  }

  /**
   * Runs one operation on the session's private files. It runs no user code, so the user's time limits do not apply. If it waits for an
   * execution that blocks the slot, that execution's time limit ends the wait. After that, only a broken slot takes longer than `FILE_MS`.
   */
  async file(request: FileRequest, changesFiles: boolean): Promise<FileReply> {
    const slot = this.isRunning || !changesFiles ? await this.#placement.attach() : await this.#protected()
    const call = new Call(
      slot,
      {
        timeoutMs: null,
        graceMs: this.#options.limits.interruptGraceMs,
        mostMs: FILE_MS,
        mostSince: this.#slotIsFree(),
      },
      () => slot.call('file', [request]),
    )
    const settled = await call.settled
    if (settled.kind === 'lost') {
      this.#placement.requireOpen()
      throw this.#lost(slot, undefined, settled.reason)
    }
    const { reply } = settled
    if (changesFiles) this.#placement.markChanged(slot)
    if (reply.kind === 'file-error' || (reply.kind === 'file' && answers(request, reply))) return reply
    throw this.#lost(slot, undefined, `${INVALID}: not a reply to a file request`)
  }

  /** Resolves when the running call and the captures in progress have ended. */
  async #slotIsFree(): Promise<void> {
    await this.#running?.settled
    await this.#placement.captures.inProgress
  }

  async #prepared({ signal }: ResolvedExecuteOptions): Promise<Slot> {
    const slot = await this.#protected(signal)
    // The signal may have aborted while the slot was being prepared.
    if (signal?.aborted) throw new CancelledError('not-started', { cause: signal.reason })
    return slot
  }

  /**
   * Returns the slot, after starting a checkpoint of the earlier calls' effects if one is due, because the next call may lose the worker
   * (B2). Does not wait for the checkpoint: the slot handles the checkpoint and the call in order.
   */
  async #protected(signal?: AbortSignal): Promise<Slot> {
    const slot = await this.#placement.attach(signal)
    if (this.#options.checkpoint === 'auto') this.#placement.captures.startCheckpoint('least')
    return slot
  }

  async #run(
    slot: Slot,
    options: ResolvedExecuteOptions,
    listeners: Listeners,
    executionCount: number,
    send: (id: number, live: Live) => Promise<SlotReply>,
    answersNothing = false,
  ): Promise<ExecuteResult> {
    const live = { liveStdout: listeners.stdout, liveStderr: listeners.stderr }
    const execution = new RunningExecution({
      listeners,
      lane: this.#lane,
      account: this.#account,
      onMalformed: (what) => slot.terminate(`the interpreter sent an invalid message: ${what}`),
    })
    this.#execution = execution
    const startedMs = performance.now()
    let failed: { readonly error: unknown } | undefined
    this.#report = undefined
    try {
      const came = await this.#call(slot, options.timeoutMs, options.signal, (id) => {
        this.#hasRun = true
        slot.listen(id, execution, this.#options.limits)
        this.#hostSide.begin(slot, id)
        const reply = send(id, live)
        if (!answersNothing) this.#hostSide.suspendIfWaiting()
        return reply
      })
      listeners.rethrow()
      if (!('answer' in came)) return this.#result(came.reply, executionCount, execution)
      const { answer, reply } = came
      if (!answer.ok) throw pythonError(answer.failure)
      if (answer === NOTHING_ANSWER) return this.#result(reply, executionCount, execution)
      const result = this.#read(slot, () => readResult(answer.items, answer.exact))
      const shownBytes = execution.displayBytes + displayBytes(result.display)
      if (!isResultWithin(this.#options.limits, result.repr, shownBytes))
        throw this.#lost(slot, undefined, `${INVALID}: a result larger than its limit`)
      if (Object.keys(result.display).length > 0) {
        execution.addLast(result.display)
        listeners.rethrow()
      }
      return this.#result(reply, executionCount, execution, result)
    } catch (error) {
      failed = { error }
      await execution.read
      if (error instanceof ExecutionError) ExecutionError.attach(error, execution.produced)
      throw error
    } finally {
      this.#execution = undefined
      slot.unlisten()
      if (!this.#neverStarted) this.#count(performance.now() - startedMs, failed)
      this.#placement.markChanged(slot)
    }
  }

  /** Records the usage of an execution that ended or lost its worker. */
  #count(elapsedMs: number, failed: { readonly error: unknown } | undefined): void {
    const { durationMs, outputBytes } = this.#report ?? { durationMs: elapsedMs, outputBytes: 0 }
    this.#report = undefined
    const used = { durationMs, outputBytes, callbackInvocations: this.#hostSide.invocations }
    this.#usage.add(used)
    this.#context.record(used)
    recordRun(this.#context, durationMs, failed, this.#hostSide.awaiting)
  }

  #result(
    reply: Outcome | Suspended,
    executionCount: number,
    execution: RunningExecution,
    last?: LastValue,
  ): ExecuteResult {
    const callbackInvocations = this.#hostSide.invocations
    const pending = reply.kind === 'suspended' ? this.#hostSide.pending : []
    return resultOf({ reply, executionCount, execution, last, callbackInvocations, pending })
  }

  async #call(
    slot: Slot,
    timeoutMs: number | null,
    signal: AbortSignal | undefined,
    send: (id: number) => Promise<SlotReply>,
  ): Promise<Answered | { readonly reply: Suspended }> {
    const { interruptGraceMs: graceMs } = this.#options.limits
    const after = this.#placement.captures.inProgress
    const call = new Call(slot, { timeoutMs, graceMs, signal, after }, send)
    this.#running = call
    if (this.#interruptComing) call.stop({ kind: 'interrupt' })
    // The signal may have aborted while the results of `resume` were being encoded.
    if (signal?.aborted) call.stop({ kind: 'abort', reason: signal.reason })
    this.#interruptComing = false
    const settled = await call.settled
    this.#running = undefined
    this.#placement.requireOpen()
    return this.#judge(slot, settled)
  }

  async #judge(slot: Slot, settled: Settled): Promise<Answered | { readonly reply: Suspended }> {
    const { stop } = settled
    if (stop) this.#context.count(stop.kind === 'timeout' ? 'timeouts' : 'cancellations')
    if (settled.kind === 'lost') {
      const deferred = this.#placement.takeDeferredError()
      this.#neverStarted = deferred !== undefined
      throw deferred ?? this.#lost(slot, stop, settled.reason)
    }
    const { reply: raw } = settled
    if (raw.kind !== 'outcome' && raw.kind !== 'suspended')
      throw this.#lost(slot, stop, `${INVALID}: not a reply to an execution request`)
    this.#report = { durationMs: raw.durationMs, outputBytes: raw.outputBytes }
    this.#usage.update(raw)
    slot.hasTaken(raw.takenBytes)
    const { outputBytes } = this.#options.limits
    const execution = this.#execution
    execution?.addRest(raw)
    if (outputBytes !== null && execution !== undefined && execution.outputLength > outputBytes)
      throw this.#lost(slot, stop, `${INVALID}: more output than its limit`)
    if (raw.kind === 'suspended') {
      await execution?.read
      this.#hostSide.end('suspended')
      return { reply: raw }
    }
    const reply = raw
    if (this.#execution !== undefined && !isReplyWithin(this.#options.limits, reply.payload))
      throw this.#lost(slot, undefined, `${INVALID}: a reply larger than its limit`)
    const answer = await this.#readAnswer(slot, reply.payload, stop)
    const cause = answer.ok ? undefined : pythonError(answer.failure)
    if (cause && execution) ExecutionError.attach(cause, execution.produced)
    if (stop && stop.kind !== 'interrupt') {
      const error = stopError(stop, 'interrupted', '', cause)
      this.#hostSide.abort(error)
      throw error
    }
    if (reply.exceeded) {
      const max = reply.exceeded === 'outputBytes' ? outputBytes : this.#context.maxMemoryBytes
      const error = limitError(reply.exceeded, max)
      this.#hostSide.abort(error)
      throw error
    }
    if (stop) this.#hostSide.abort(stopError(stop, 'interrupted', '', cause))
    this.#hostSide.end('completed')
    return { answer, reply }
  }

  /** Decodes the reply, after the host calls that arrived before it. */
  async #readAnswer(slot: Slot, payload: Uint8Array | null, stop: Settled['stop']): Promise<Answer> {
    // There is nothing to decode, and no earlier host call is still waiting to be decoded.
    if (payload === null && this.#lane.isEmpty) return NOTHING_ANSWER
    try {
      const sizeBytes = payload?.length ?? 0
      const reader = new AnswerReader(payload)
      const reading = this.#lane.run(reader)
      if (reading !== undefined) {
        this.#account.take(sizeBytes)
        const ended = await reading.finally(() => this.#account.release(sizeBytes))
        if (ended === 'dropped') throw this.#placement.closedError()
      }
      return reader.answer
    } catch (error) {
      if (error instanceof MalformedValueError)
        throw this.#lost(slot, stop, `the interpreter sent an invalid reply: ${error.message}`)
      throw error
    }
  }

  /** Reads part of the kernel's reply. Ends the slot if the reply is malformed. */
  #read<T>(slot: Slot, read: () => T, stop?: Settled['stop']): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof MalformedValueError)
        throw this.#lost(slot, stop, `the interpreter sent an invalid reply: ${error.message}`)
      throw error
    }
  }

  #lost(slot: Slot, stop: Settled['stop'], reason: string): Error {
    if (!stop) this.#context.count('crashes')
    return stopError(stop, this.#placement.lose(slot, reason), reason)
  }
}
