// One logical Python session: its calls in order, each with its outcome. Owns what the user sees of it; where it lives and what
// it goes on from is session/residence.ts's, how a call is stopped session/call.ts's.
import { CancelledError, SnapshotError } from './errors.js'
import { checkCode, checkName } from './options/check.js'
import {
  type ExecuteOptions,
  type ResolvedExecuteOptions,
  type ResolvedSessionOptions,
  type RestoreOptions,
  requireSnapshot,
  resolveExecuteOptions,
  resolveRestoreOptions,
  resolveTimeoutMs,
} from './options.js'
import type { SlotReply } from './protocol.js'
import { Call, type Settled } from './session/call.js'
import { CallQueue } from './session/calls.js'
import type { SessionHome } from './session/home.js'
import { Listeners } from './session/listeners.js'
import {
  type Answer,
  type ExecuteResult,
  limitError,
  pythonError,
  readAnswer,
  readResult,
  readValue,
  stopError,
} from './session/outcome.js'
import { Residence } from './session/residence.js'
import type { Slot } from './slots/slot.js'
import type { PendingCall } from './snapshot/manifest.js'
import type { Snapshot } from './snapshot/snapshot.js'
import { MalformedValueError } from './values/decode.js'
import { encodeValue } from './values/encode.js'
import type { Value } from './values/value.js'

type Outcome = Extract<SlotReply, { kind: 'outcome' }>

interface Answered {
  readonly answer: Answer
  readonly reply: Outcome
}

/** Made by `SessionManager.createSession`. */
export class Session implements AsyncDisposable {
  readonly #home: SessionHome
  readonly #options: ResolvedSessionOptions
  readonly #calls = new CallQueue(() => this.#rest())
  readonly #residence: Residence
  #executionTimeoutMs: number | null
  #executionCount: number
  #checkpointTimer: NodeJS.Timeout | undefined
  #idleSinceMs = performance.now()
  /** The last call that was a checkpoint. */
  #checkpointing: Promise<void> | undefined
  #running: Call | undefined
  /** `interrupt()` came while the running call was still getting its slot. */
  #interruptComing = false

  /** @internal */
  constructor(home: SessionHome, options: ResolvedSessionOptions) {
    this.#home = home
    this.#options = options
    this.#residence = new Residence(home, options)
    this.#executionCount = options.from?.manifest.executionCount ?? 0
    this.#executionTimeoutMs = options.limits.executionTimeoutMs
  }

  get id(): string {
    return this.#options.id
  }

  get tenant(): string {
    return this.#options.tenant
  }

  /** Executions so far, failed ones included; `reset` starts again from 0. */
  get executionCount(): number {
    return this.#executionCount
  }

  /** `attached`: it has an interpreter. `dormant`: the next call gets it one. */
  get state(): 'attached' | 'dormant' | 'closed' {
    return this.#residence.state
  }

  /** Host calls that wait for `resume`. */
  get pending(): readonly PendingCall[] {
    return []
  }

  /** @internal When its last call settled; `undefined` while there is something to do, or nothing to put away. */
  get idleSinceMs(): number | undefined {
    // While a checkpoint is taken by itself, nobody waits for the session.
    const idle = this.#calls.running === this.#checkpointing && this.#calls.length === 0
    return idle && this.#residence.state === 'attached' ? this.#idleSinceMs : undefined
  }

  /** @internal Since when it has had its slot. */
  get attachedSinceMs(): number {
    return this.#residence.attachedSinceMs
  }

  /** Longest run of an execution in ms, unless the call says otherwise; `null`: no bound. Holds from the next call on. */
  get executionTimeoutMs(): number | null {
    return this.#executionTimeoutMs
  }

  /** @throws InvalidOptionError */
  set executionTimeoutMs(timeoutMs: number | null) {
    this.#executionTimeoutMs = resolveTimeoutMs('executionTimeoutMs', timeoutMs, this.#executionTimeoutMs)
  }

  /**
   * Runs Python code, which may use top-level `await`, after the session's earlier calls. Variables, functions, classes
   * and imports stay for later executions.
   *
   * @throws PythonError when the code raises; state set before the raise stays
   * @throws TimeoutError, CancelledError, LimitError, InterpreterCrashedError whose `outcome` says what is left
   * @throws PoolExhaustedError when the session has to wait for a slot and gets none
   * @throws SessionClosedError, InvalidOptionError
   */
  async execute(code: string, options?: ExecuteOptions): Promise<ExecuteResult> {
    checkCode(code)
    const resolved = resolveExecuteOptions(options, this.#executionTimeoutMs)
    return this.#queue(() => this.#execute(code, resolved), resolved.signal)
  }

  /**
   * The value of a global variable.
   *
   * @throws PythonError of type NameError when there is none, of type TypeError when it has no JavaScript counterpart
   */
  async get(name: string): Promise<Value> {
    checkName(name)
    return this.#queue(async () => {
      const { answer } = await this.#ask((slot, id) => slot.call('get', [id, name]))
      const value = answer.ok && answer.exact ? readValue(answer.items[0]) : undefined
      if (value !== undefined) return value
      throw pythonError(
        { type: 'TypeError', message: `${name} has no JavaScript counterpart`, traceback: '' },
        QUIET,
      )
    })
  }

  /**
   * Sets a global variable. Large byte arrays are copied once on this thread; the caller's stay as they are.
   *
   * @throws ConversionError (a TypeError) when the value has no Python counterpart; nothing is changed
   */
  async set(name: string, value: Value): Promise<void> {
    checkName(name)
    const bytes = encodeValue(value, name)
    await this.#queue(() => this.#change((slot, id) => slot.call('set', [id, name, bytes], [bytes.buffer])))
  }

  /** Deletes the user's names, and what they alone kept alive. Imported modules stay loaded; the execution count stays. */
  async clearState(): Promise<void> {
    await this.#queue(() => this.#change((slot, id) => slot.call('clear', [id])))
  }

  /** A fresh interpreter with the session's options; the execution count starts again from 0. */
  async reset(): Promise<void> {
    await this.#queue(async () => {
      await this.#residence.renew()
      this.#executionCount = 0
    })
  }

  /**
   * The session as it is, all of it: memory, files, descriptors, clock. Taken after the session's earlier calls; the session
   * goes on, and the snapshot is also what it goes on from if its worker is lost.
   *
   * @throws SnapshotError of reason `too-large` (`limits.snapshotBytes`) or `not-captured`; the session is as it was
   */
  async snapshotState(): Promise<Snapshot> {
    return this.#queue(() => this.#residence.capture(this.#executionCount))
  }

  /**
   * The session becomes what the snapshot holds: Python's state and private files are replaced, never merged. Callbacks,
   * limits and the execution count stay.
   *
   * With `salvage`, a snapshot of another image is not refused: the session starts afresh with the globals that the snapshot
   * has as plain values.
   *
   * @returns names of globals that did not come back; without salvage there are none
   * @throws SnapshotError and the session is as it was
   */
  async restoreState(snapshot: Snapshot | Uint8Array, options?: RestoreOptions): Promise<string[]> {
    const salvage = resolveRestoreOptions(options)
    const whole = requireSnapshot('snapshot', snapshot)
    return this.#queue(async () => {
      try {
        await this.#residence.replace(whole)
        return []
      } catch (error) {
        if (!salvage || !(error instanceof SnapshotError) || error.reason !== 'incompatible') throw error
        return this.#salvage(whole)
      }
    })
  }

  /** Goes dormant now, after the session's earlier calls: the slot is free, the next call wakes the session where it was. */
  async hibernate(): Promise<void> {
    await this.#queue(() => this.#residence.hibernate(this.#executionCount))
  }

  /**
   * KeyboardInterrupt in the running code; code that does not stop within `limits.interruptGraceMs` loses its worker.
   * Resolves when the running call has settled, at once when there is none.
   */
  async interrupt(): Promise<void> {
    const { running } = this.#calls
    if (running === undefined) return
    if (this.#running) this.#running.stop({ kind: 'interrupt' })
    else this.#interruptComing = true
    await running
  }

  /** Ends the session. What runs or waits is rejected with SessionClosedError. Idempotent. */
  async close(): Promise<void> {
    if (this.#residence.state === 'closed') return
    clearTimeout(this.#checkpointTimer)
    const idle = this.#calls.running === undefined
    const running = this.#running
    const closed = this.#residence.close(idle)
    this.#calls.close(this.#residence.closedError())
    this.#home.forget(this)
    running?.stop({ kind: 'close' })
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal Waits for the session's first slot. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#queue(() => this.#residence.enter(signal), signal)
  }

  /** Everything a session does goes through here (A9). */
  #queue<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const start = () => {
      this.#interruptComing = false
      return task().finally(() => {
        this.#idleSinceMs = performance.now()
      })
    }
    return this.#calls.run(start, signal)
  }

  async #execute(code: string, options: ResolvedExecuteOptions): Promise<ExecuteResult> {
    const { signal } = options
    const slot = await this.#protected(signal)
    // It may have aborted while the slot was prepared.
    if (signal?.aborted) throw new CancelledError('not-started', { cause: signal.reason })
    const executionCount = ++this.#executionCount
    this.#home.count('executions')
    const listeners = new Listeners(this.#options, options)
    slot.listen(({ stream, text }) => listeners.hear(stream, text), this.#options.limits.outputBytes)
    try {
      const { answer, reply } = await this.#call(slot, options.timeoutMs, signal, (id) =>
        slot.call('execute', [
          { id, executionCount, code, liveStdout: listeners.stdout, liveStderr: listeners.stderr },
        ]),
      )
      this.#home.recordExecuteMs(reply.durationMs)
      listeners.rethrow()
      if (!answer.ok) throw pythonError(answer.failure, reply)
      const { stdout, stderr, durationMs, peakMemoryBytes } = reply
      const result = this.#read(slot, () => readResult(answer.items, answer.exact))
      return {
        status: 'completed',
        stdout,
        stderr,
        ...result,
        executionCount,
        durationMs,
        peakMemoryBytes,
        callbackInvocations: 0,
      }
    } finally {
      slot.unlisten()
      this.#residence.change(slot)
    }
  }

  /** A call that is no execution, under the session's own time limit. */
  async #ask(send: (slot: Slot, id: number) => Promise<SlotReply>, slot?: Slot): Promise<Answered> {
    const place = slot ?? (await this.#residence.enter())
    const answered = await this.#call(place, this.#executionTimeoutMs, undefined, (id) => send(place, id))
    if (!answered.answer.ok) throw pythonError(answered.answer.failure, answered.reply)
    return answered
  }

  /** One that changes the session's state. */
  async #change(send: (slot: Slot, id: number) => Promise<SlotReply>): Promise<Answered> {
    const slot = await this.#protected()
    return this.#ask(send, slot).finally(() => this.#residence.change(slot))
  }

  /** The slot, with a checkpoint of what earlier calls left, if it is due: what comes now may cost the worker (B2). */
  async #protected(signal?: AbortSignal): Promise<Slot> {
    const slot = await this.#residence.enter(signal)
    if (this.#options.checkpoint === 'manual') return slot
    await this.#residence.checkpoint(this.#executionCount)
    // A crash while it was taken ended the slot.
    return this.#residence.enter(signal)
  }

  /** Nothing is left to do: a checkpoint is taken when that lasts, and the slot may be given to somebody who waits. */
  #rest(): void {
    if (this.#options.checkpoint === 'auto' && this.#residence.wantsCheckpoint) {
      this.#checkpointTimer ??= setTimeout(() => this.#checkpoint(), CHECKPOINT_DELAY_MS)
    }
    this.#checkpointing = undefined
    this.#home.idle(this)
  }

  #checkpoint(): void {
    this.#checkpointTimer = undefined
    if (this.#calls.running || this.#residence.state !== 'attached') return
    const taken = this.#calls.run(() => this.#residence.checkpoint(this.#executionCount))
    taken.catch((error: unknown) => this.#residence.owe(error))
    this.#checkpointing = this.#calls.running
  }

  /** The plain values of a snapshot whose memory fits no slot. */
  async #salvage(snapshot: Snapshot): Promise<string[]> {
    const values = snapshot.globals()
    await this.#residence.renew()
    for (const [name, value] of Object.entries(values)) {
      const bytes = encodeValue(value, name)
      await this.#change((slot, id) => slot.call('set', [id, name, bytes], [bytes.buffer]))
    }
    return snapshot.manifest.globals.map(({ name }) => name).filter((name) => !Object.hasOwn(values, name))
  }

  /** One call into the slot, or the error that says how it was stopped or lost (S3). */
  async #call(
    slot: Slot,
    timeoutMs: number | null,
    signal: AbortSignal | undefined,
    send: (id: number) => Promise<SlotReply>,
  ): Promise<Answered> {
    const call = new Call(slot, { timeoutMs, graceMs: this.#options.limits.interruptGraceMs, signal }, send)
    this.#running = call
    if (this.#interruptComing) call.stop({ kind: 'interrupt' })
    this.#interruptComing = false
    const settled = await call.settled
    this.#running = undefined
    this.#residence.open()
    return this.#judge(slot, settled)
  }

  #judge(slot: Slot, settled: Settled): Answered {
    const { stop } = settled
    if (stop) this.#home.count(stop.kind === 'timeout' ? 'timeouts' : 'cancellations')
    if (settled.kind === 'lost' || settled.reply.kind !== 'outcome') {
      const reason = settled.kind === 'lost' ? settled.reason : 'it answered something else'
      throw this.#lost(slot, stop, reason)
    }
    const { reply } = settled
    const { outputBytes } = this.#options.limits
    if (outputBytes !== null && Math.max(reply.stdout.length, reply.stderr.length) > outputBytes) {
      throw this.#lost(slot, stop, 'it broke the protocol: more output than it may have')
    }
    const answer = this.#read(slot, () => readAnswer(reply.payload), stop)
    const cause = answer.ok ? undefined : pythonError(answer.failure, reply)
    if (stop?.kind === 'interrupt') return { answer, reply }
    if (stop) throw stopError(stop, 'interrupted', '', cause)
    if (reply.exceeded) throw limitError(reply.exceeded, this.#options.limits.outputBytes, reply)
    return { answer, reply }
  }

  /** What the kernel said, or the end of an interpreter that talks nonsense. */
  #read<T>(slot: Slot, read: () => T, stop?: Settled['stop']): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof MalformedValueError) throw this.#lost(slot, stop, error.message)
      throw error
    }
  }

  #lost(slot: Slot, stop: Settled['stop'], reason: string): Error {
    if (!stop) this.#home.count('crashes')
    return stopError(stop, this.#residence.lose(slot, reason), reason)
  }
}

/** A caller that goes on at once does not wait for a checkpoint that nobody needs. */
const CHECKPOINT_DELAY_MS = 5
const QUIET = { stdout: '', stderr: '' }
