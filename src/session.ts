// One logical Python session: its lifecycle, its calls in order, its place in the world (a slot, or none). Owns the state
// that outlives a slot; which slots there are is the pool's, how a call is stopped is session/call.ts's.
import { CancelledError, InterpreterCrashedError, SessionClosedError } from './errors.js'
import { checkCode, checkName } from './options/check.js'
import {
  type ExecuteOptions,
  type ResolvedExecuteOptions,
  type ResolvedSessionOptions,
  resolveExecuteOptions,
  resolveTimeoutMs,
} from './options.js'
import type { SlotReply } from './protocol.js'
import { Call, type Settled } from './session/call.js'
import { CallQueue } from './session/calls.js'
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
import type { Slot } from './slots/slot.js'
import { MalformedValueError } from './values/decode.js'
import { encodePlain, encodeValue } from './values/encode.js'
import type { Value } from './values/value.js'

type Lifecycle =
  | { readonly kind: 'attached'; readonly slot: Slot }
  /** No slot: the next call gets one. */
  | { readonly kind: 'dormant' }
  | { readonly kind: 'closed' }

/** What a session needs of its manager. */
export interface SessionHome {
  acquire(tenant: string, signal?: AbortSignal): Promise<Slot>
  /** With `keep` the slot may serve another session of the same tenant. */
  release(slot: Slot, keep: boolean): Promise<void>
  count(what: 'executions' | 'timeouts' | 'cancellations' | 'crashes'): void
  recordExecuteMs(durationMs: number): void
  forget(session: Session): void
}

type Outcome = Extract<SlotReply, { kind: 'outcome' }>

interface Answered {
  readonly answer: Answer
  readonly reply: Outcome
}

/** Made by `SessionManager.createSession`. */
export class Session implements AsyncDisposable {
  readonly #home: SessionHome
  readonly #options: ResolvedSessionOptions
  readonly #calls = new CallQueue()
  #lifecycle: Lifecycle = { kind: 'dormant' }
  #executionTimeoutMs: number | null
  #executionCount = 0
  #running: Call | undefined
  /** `interrupt()` came while the running call was still getting its slot. */
  #interruptComing = false

  /** @internal */
  constructor(home: SessionHome, options: ResolvedSessionOptions) {
    this.#home = home
    this.#options = options
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
    return this.#lifecycle.kind
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
    await this.#queue(() => this.#ask((slot, id) => slot.call('set', [id, name, bytes], [bytes.buffer])))
  }

  /** Deletes the user's names, and what they alone kept alive. Imported modules stay loaded; the execution count stays. */
  async clearState(): Promise<void> {
    await this.#queue(() => this.#ask((slot, id) => slot.call('clear', [id])))
  }

  /** A fresh interpreter with the session's options; the execution count starts again from 0. */
  async reset(): Promise<void> {
    await this.#queue(async () => {
      this.#open()
      if (this.#lifecycle.kind === 'attached') {
        const { slot } = this.#lifecycle
        const reply = await slot.call('revert', []).catch(() => undefined)
        this.#open()
        if (reply?.kind === 'reverted' && reply.done) await this.#attachTo(slot)
        else this.#detach(slot, 'the session was reset')
      }
      this.#executionCount = 0
      await this.#attached()
    })
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
    if (this.#lifecycle.kind === 'closed') return
    const lifecycle = this.#lifecycle
    this.#lifecycle = { kind: 'closed' }
    this.#calls.close(this.#closedError())
    this.#home.forget(this)
    const running = this.#running
    running?.stop({ kind: 'close' })
    if (lifecycle.kind !== 'attached') return
    // Only a tenant named by the caller can have another session that would use the slot.
    const keep = running === undefined && this.tenant !== this.id
    await this.#home.release(lifecycle.slot, keep)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal Waits for the session's first slot. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#queue(() => this.#attached(signal), signal)
  }

  /** Everything a session does goes through here (A9). */
  #queue<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const start = () => {
      this.#interruptComing = false
      return task()
    }
    return this.#calls.run(start, signal)
  }

  async #execute(code: string, options: ResolvedExecuteOptions): Promise<ExecuteResult> {
    const { signal } = options
    const slot = await this.#attached(signal)
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
    }
  }

  /** A call that is no execution, under the session's own time limit. */
  async #ask(send: (slot: Slot, id: number) => Promise<SlotReply>): Promise<Answered> {
    const slot = await this.#attached()
    const answered = await this.#call(slot, this.#executionTimeoutMs, undefined, (id) => send(slot, id))
    if (!answered.answer.ok) throw pythonError(answered.answer.failure, answered.reply)
    return answered
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
    this.#open()
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
    this.#detach(slot, reason)
    if (!stop) this.#home.count('crashes')
    return stopError(stop, 'reset', reason)
  }

  /** The session's slot, got and prepared if it has none. */
  async #attached(signal?: AbortSignal): Promise<Slot> {
    this.#open()
    if (this.#lifecycle.kind === 'attached') {
      if (this.#lifecycle.slot.alive) return this.#lifecycle.slot
      // Its worker ended between two calls: there was no checkpoint to go on from.
      this.#lifecycle = { kind: 'dormant' }
    }
    const slot = await this.#home.acquire(this.tenant, signal)
    try {
      this.#open()
      await this.#attachTo(slot)
      return slot
    } catch (error) {
      slot.terminate('the session could not be attached')
      throw error
    }
  }

  async #attachTo(slot: Slot): Promise<void> {
    const { limits, env } = this.#options
    const { memoryBytes, outputBytes, fileBytes } = limits
    const request = {
      limits: { memoryBytes, outputBytes, fileBytes },
      timeZone: env.TZ ?? 'UTC',
      session: encodePlain({ env: { ...env }, callbacks: [] }, 'session'),
    }
    const reply = await slot.call('attach', [request]).catch((error: Error) => error)
    this.#open()
    if (reply instanceof Error || reply.kind !== 'outcome' || !readAnswer(reply.payload).ok) {
      const reason =
        reply instanceof Error ? reply.message : reply.kind === 'died' ? reply.reason : 'attach failed'
      this.#detach(slot, reason)
      throw new InterpreterCrashedError(reason, 'reset')
    }
    this.#lifecycle = { kind: 'attached', slot }
  }

  #detach(slot: Slot, reason: string): void {
    slot.terminate(reason)
    if (this.#lifecycle.kind === 'attached') this.#lifecycle = { kind: 'dormant' }
  }

  /** @throws SessionClosedError */
  #open(): void {
    if (this.#lifecycle.kind === 'closed') throw this.#closedError()
  }

  #closedError(): SessionClosedError {
    return new SessionClosedError(`the session ${this.id} is closed`)
  }
}

const QUIET = { stdout: '', stderr: '' }
