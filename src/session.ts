// One Python session and its public methods. Owns the queue of calls. session/runner.ts runs a call;
// session/placement.ts decides which slot has the session's state.
import { encodeCallbacks, resolveCallbacks, type ToolFormat, toolSchemas } from './callbacks/callbacks.js'
import type { JsonSchema, StandardSchema } from './callbacks/schema.js'
import { toolStubs } from './callbacks/stubs.js'
import { MemoryAccount } from './memory/account.js'
import { checkCode, checkName, checkVariable } from './options/check.js'
import {
  type ExecuteOptions,
  type RestoreOptions,
  type ResumeOptions,
  resolveExecuteOptions,
  resolveRestoreOptions,
  resolveResumeOptions,
} from './options/execution.js'
import { type Limits, resolveTimeoutMs } from './options/limits.js'
import { requireSnapshot } from './options/snapshot.js'
import { requireFreeThread } from './session/callers.js'
import { Closing } from './session/closing.js'
import type { SessionContext } from './session/context.js'
import { HostSide } from './session/host-side.js'
import { Listeners } from './session/listeners.js'
import { observeExecute, reportClosed, reportDeleted, reportOpened } from './session/observed.js'
import type { ResolvedSessionOptions } from './session/options.js'
import { type ExecuteResult, readValue, TOO_LARGE } from './session/outcome.js'
import type { KeptSession } from './session/persistence.js'
import { Placement } from './session/placement.js'
import type { PythonSession } from './session/python-session.js'
import { Runner } from './session/runner.js'
import { NOTHING_LOST, requireDescribed, type SalvageLoss, salvageGlobals } from './session/salvage.js'
import { type CallOptions, SessionCalls } from './session/session-calls.js'
import { SessionFiles } from './session/session-files.js'
import { type SessionUsage, Usage } from './session/usage.js'
import { InterpreterCrashedError, InvalidOptionError, PythonError, SnapshotError } from './shared/errors.js'
import type { PendingCall } from './shared/snapshot/manifest.js'
import { trustOf } from './shared/snapshot/signature.js'
import type { Snapshot } from './shared/snapshot/snapshot.js'
import { Encoder, encodeIn } from './shared/values/encode.js'
import type { Lane } from './shared/values/slices.js'
import type { InputValue, Value } from './shared/values/value.js'

export interface CallbackContext {
  readonly session: Session
  /** Aborts when the result is no longer needed: the call timed out, or its execution ended early. */
  readonly signal: AbortSignal
  /**
   * Leaves the call without an answer: `execute` resolves with `status: 'suspended'`, and `session.resume` answers the call later.
   * Throws, so code after it does not run.
   */
  suspend(reason?: string): never
}

/**
 * Called with the arguments by name. Returns a value that has a Python counterpart, an async iterable of such values, or a promise of
 * either. If it throws, Python raises its class of the same name, or else `brumate.HostError`.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a typed schema, the arguments are what Python passes
export type CallbackFn<Arguments = any> = (args: Arguments, context: CallbackContext) => unknown

/** What a callback with this schema gets: a Standard Schema's output, anything for a JSON Schema or none. */
export type CallbackArguments<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly output: infer Output } | undefined }
}
  ? Output
  : // biome-ignore lint/suspicious/noExplicitAny: as above
    any

// biome-ignore lint/suspicious/noExplicitAny: as above
export interface CallbackDefinition<Schema = any> {
  readonly fn: CallbackFn<CallbackArguments<Schema>>
  /** The function's docstring in Python, and in `session.toolSchemas` and `toolStubs`. */
  readonly description?: string
  /** Schema that arguments are checked against before `fn` runs. The order of its properties is that of positional arguments. */
  readonly parameters?: Schema & (JsonSchema | StandardSchema)
}

/** Callbacks by their name in Python: an identifier that is neither a keyword nor a builtin, nor `tools`. */
export type Callbacks = Readonly<Record<string, CallbackFn | CallbackDefinition>>

/** Callbacks where they are written down: the type of each `fn`'s arguments follows from its schema. */
export type TypedCallbacks<Schemas> = {
  readonly [Name in keyof Schemas]: CallbackFn | CallbackDefinition<Schemas[Name]>
}

export interface InputContext extends CallbackContext {
  /** The prompt is that of `getpass`: what is typed must not be shown. */
  readonly password: boolean
}

/** Returns the line without its end, `null` or nothing at the end of the input, or a promise of either. */
export type InputFn = (prompt: string, context: InputContext) => unknown

/** What a session's interpreter was made of. */
export interface SessionImage {
  /** Of the `Image`. */
  readonly id: string
  /** Such as `3.14.2`, and CPython's build after it. */
  readonly pythonVersion: string
  /** What Python can import besides the standard library, sorted by name. */
  readonly packages: readonly { readonly name: string; readonly version: string }[]
  /** Absolute path of the directory that sessions start in. */
  readonly home: string
}

/** Made by `SessionManager.createSession`. */
export class Session implements PythonSession {
  readonly #context: SessionContext
  readonly #options: ResolvedSessionOptions
  readonly #calls: SessionCalls
  readonly #hostSide: HostSide
  readonly #placement: Placement
  readonly #runner: Runner
  readonly #usage = new Usage()
  /** Decodes the messages of the session's slots, in order. */
  readonly #lane: Lane
  #executionTimeoutMs: number | null
  #files: SessionFiles | undefined
  #salvageLoss: SalvageLoss | undefined
  /** Its user has it. */
  #isOpened = false
  /** @internal */
  readonly closing: Closing

  /** @internal `kept`: the store keeps the session. */
  constructor(context: SessionContext, given: ResolvedSessionOptions, kept?: KeptSession) {
    // Only the placement keeps `from`, as the first checkpoint, so that a later one frees its memory.
    const { from } = given
    // Not a rest pattern: V8 gives each object that one makes a hidden class of its own, which takes a kilobyte.
    const options = { ...given, from: undefined }
    this.#context = context
    this.#options = options
    const account = new MemoryAccount(null, context.memory)
    this.#lane = context.slices.lane()
    const executionCount = kept?.isStored ? kept.record.executionCount : from?.parts.head.executionCount
    this.#hostSide = new HostSide(executionCount ?? 0, {
      session: this,
      context,
      options,
      account,
      lane: this.#lane,
      onSent: (slot) => this.#placement.markChanged(slot),
    })
    const onGivenUp = (error: Error) => void this.closing.end(error)
    this.#placement = new Placement(context, options, this.#hostSide, onGivenUp, { from, kept })
    const { persistence } = this.#placement
    if (persistence) persistence.onMoved = (error) => void this.closing.end(error)
    this.#runner = new Runner({
      context,
      options,
      placement: this.#placement,
      hostSide: this.#hostSide,
      usage: this.#usage,
      account,
      lane: this.#lane,
    })
    this.#calls = new SessionCalls({
      observer: context.observer,
      session: this,
      hostSide: this.#hostSide,
      placement: this.#placement,
      runner: this.#runner,
      onIdle: () => this.#onIdle(),
    })
    this.closing = new Closing({
      id: options.id,
      context,
      placement: this.#placement,
      calls: this.#calls,
      runner: this.#runner,
      lane: this.#lane,
      onClosed: (error) => {
        context.onClosed(this)
        if (this.#isOpened) reportClosed(context, options, error)
      },
      onDeleted: () => {
        if (this.#isOpened) reportDeleted(context, options)
      },
    })
    this.#executionTimeoutMs = options.limits.executionTimeoutMs
  }

  get id(): string {
    return this.#options.id
  }

  get tenant(): string {
    return this.#options.tenant
  }

  /** What the session was created with, for `manager.list`. */
  get labels(): Readonly<Record<string, string>> {
    return this.#options.labels
  }

  /** What the session's interpreter was made of: fixed when the session is created. */
  get image(): SessionImage {
    const { id, pythonVersion, packages, cwd } = this.#context.image
    return { id, pythonVersion, packages, home: cwd }
  }

  /** The session's limits, with all defaults. */
  get limits(): Readonly<Limits> {
    return this.#options.limits
  }

  /** Globals that `salvage` could not bring back when the session was opened or created. Without salvage there are none. */
  get lostGlobals(): readonly string[] {
    return (this.#salvageLoss ?? NOTHING_LOST).globals
  }

  /** @internal What salvage has lost; undefined if the session was opened or created without. */
  get salvageLoss(): SalvageLoss | undefined {
    return this.#salvageLoss
  }

  /** Executions so far, failed ones included; `reset` starts again from 0. */
  get executionCount(): number {
    return this.#hostSide.executionCount
  }

  /** `attached`: it has an interpreter. `dormant`: the next call gets it one. */
  get state(): 'attached' | 'dormant' | 'closed' {
    return this.#placement.state
  }

  /** Host calls that wait for `resume`: of a suspended execution, or of one that a snapshot was taken in the middle of. */
  get pending(): readonly PendingCall[] {
    return this.#hostSide.pending
  }

  /**
   * The host's side of the session's private files. Works while the session is dormant: it wakes for each call. In a callback that blocks
   * Python's thread, its methods throw DeadlockError.
   */
  get files(): SessionFiles {
    this.#files ??= new SessionFiles({
      mountPath: this.#options.vfs?.mountPath,
      run: async (request, changesFiles, fail) => {
        const run = () => this.#runner.file(request, changesFiles)
        const free = requireFreeThread(this)
        if (free) await free
        // A callback of the running execution may wait for it.
        const reply = await (this.#runner.isRunning ? run() : this.#calls.runAfterCaptures(run))
        if (reply.kind === 'file-error') throw fail(reply.code)
        return reply
      },
    })
    return this.#files
  }

  /** What the session has used since it was created. */
  get usage(): SessionUsage {
    return this.#usage.read(this.#placement.state === 'attached')
  }

  /** Longest run of an execution in ms, unless the call says otherwise; `null`: no bound. Holds from the next call on. */
  get executionTimeoutMs(): number | null {
    return this.#executionTimeoutMs
  }

  /** @throws InvalidOptionError */
  set executionTimeoutMs(timeoutMs: number | null) {
    this.#executionTimeoutMs = resolveTimeoutMs('executionTimeoutMs', timeoutMs, this.#executionTimeoutMs)
  }

  /** @internal When its last call settled; `undefined` while it is busy or has no slot. */
  get idleSinceMs(): number | undefined {
    return this.#placement.state === 'attached' ? this.#calls.idleSinceMs : undefined
  }

  /** @internal When it got its slot. */
  get attachedSinceMs(): number {
    return this.#placement.attachedSinceMs
  }

  /**
   * Runs Python code, which may use top-level `await`, after the session's earlier calls. Variables, functions, classes
   * and imports stay for later executions. With `status: 'suspended'` it waits for `resume`.
   *
   * @throws PythonError when the code raises; state set before the raise stays
   * @throws TimeoutError, CancelledError, LimitError, InterpreterCrashedError whose `outcome` says what is left
   * @throws PoolExhaustedError when the session has to wait for a slot and gets none
   * @throws LimitError when `maxMemoryBytes` leaves no memory to wake a dormant session; it stays dormant
   * @throws SessionSuspendedError when an earlier execution is suspended
   * @throws DeadlockError in a callback that the running execution awaits, as do all calls that start when it has ended
   * @throws SessionClosedError, InvalidOptionError
   */
  async execute(code: string, options?: ExecuteOptions): Promise<ExecuteResult> {
    checkCode(code)
    const resolved = resolveExecuteOptions(options, this.#executionTimeoutMs)
    const count = () => ++this.#hostSide.executionCount
    const listeners = new Listeners(this.#options, resolved)
    const execute = () => this.#runner.execute(code, resolved, listeners, count)
    return this.#observed(false, execute, listeners, resolved)
  }

  /**
   * Answers pending host calls, all or some, and goes on with the execution that awaits them, in whatever process it was
   * frozen. Resolves as `execute` does: completed, or suspended again. Large results are read in slices: do not change them until the
   * promise settles.
   *
   * @throws InvalidOptionError for an id that is not pending, or named twice; nothing is answered
   * @throws ConversionError (a TypeError) for a result without a Python counterpart; nothing is answered
   * @throws what `execute` throws
   */
  async resume(answers: ResumeOptions): Promise<ExecuteResult> {
    const { results, errors, execute } = resolveResumeOptions(answers, this.#executionTimeoutMs)
    const resolve = async () => {
      const resolved = await this.#hostSide.resolve(results, errors, (encoder) => this.#encode(encoder))
      if (resolved.length === 0 && !this.#hostSide.awaiting)
        throw new InvalidOptionError(
          'results',
          'answers to pending calls',
          undefined,
          'results: nothing to resume, no host call is pending and no execution is suspended',
        )
      return resolved
    }
    const listeners = new Listeners(this.#options, execute)
    const resume = () => this.#runner.resume(execute, listeners, this.executionCount, resolve)
    return this.#observed(true, resume, listeners, execute)
  }

  /**
   * The value of a global variable; docs/values.md has the form of each type.
   *
   * @throws PythonError of type NameError when there is none, of type TypeError when it, or the part that the message names, has no
   * JavaScript form
   */
  async get(name: string): Promise<Value> {
    checkName(name)
    return this.#calls.runAfterCaptures(async () => {
      const { answer } = await this.#runner.ask(this.#executionTimeoutMs, (slot, id) =>
        slot.call('get', [id, name]),
      )
      const value = answer.ok && answer.exact ? readValue(answer.items[0]) : undefined
      if (value !== undefined) return value
      const [type, detail] = ['TypeError', `${name}: ${TOO_LARGE}`]
      throw new PythonError({ type, detail, message: `${type}: ${detail}`, traceback: '' })
    })
  }

  /**
   * Sets a global variable to a copy of the value. A large value is read in slices, so that other work goes on: do not change it until the
   * promise settles.
   *
   * @throws ConversionError (a TypeError) when the value has no Python counterpart; nothing is changed
   * @throws InvalidOptionError when Python code could not assign to the name, such as `class`, or must not, `__builtins__`
   */
  async set(name: string, value: InputValue): Promise<void> {
    checkVariable(name)
    const encoded = this.#encode(new Encoder(value, name, 'with-fixups'))
    // The queued task reports the error; it may start later.
    if (encoded instanceof Promise) encoded.catch(() => {})
    await this.#calls.runAfterCaptures(async () => this.#set(name, await encoded))
  }

  /** Deletes the user's names, and what they alone kept alive. Imported modules stay loaded; the execution count stays. */
  async clearState(): Promise<void> {
    await this.#calls.runAfterCaptures(async () => {
      await this.#runner.change(this.#executionTimeoutMs, (slot, id) => slot.call('clear', [id]))
      this.#hostSide.dropCalls(new Error('the session was cleared'))
    })
  }

  /** A fresh interpreter with the session's options; the execution count starts again from 0. */
  async reset(): Promise<void> {
    await this.#calls.runAfterCaptures(async () => {
      const started = this.#placement.startFresh()
      // The old state is gone even if no slot can be had for the new one.
      this.#hostSide.executionCount = 0
      await started
    })
  }

  /**
   * Replaces the callbacks. Calls that have already arrived are answered by the previous ones.
   *
   * @throws InvalidOptionError and the callbacks are as they were
   */
  async setCallbacks<Schemas>(callbacks: TypedCallbacks<Schemas>): Promise<void> {
    if (callbacks === undefined)
      throw new InvalidOptionError('callbacks', 'an object of functions ({} removes them all)', callbacks)
    const resolved = resolveCallbacks('callbacks', callbacks as Callbacks)
    await this.#calls.runAfterCaptures(async () => {
      await this.#runner.change(this.#executionTimeoutMs, (slot) =>
        slot.call('setCallbacks', [encodeCallbacks(resolved)]),
      )
      this.#hostSide.callbacks = resolved
    })
  }

  /** The session's callbacks as tools for a model, in the format of a vendor's API. */
  toolSchemas(format: ToolFormat): unknown[] {
    return toolSchemas(this.#hostSide.callbacks, format)
  }

  /** The session's callbacks as Python signatures with docstrings, for the prompt of a model that writes code. */
  toolStubs(): string {
    return toolStubs(this.#hostSide.callbacks)
  }

  /**
   * Saves the whole session: memory, files, descriptors, clock. The snapshot is taken after the session's earlier calls, or while an
   * execution awaits; it then contains that execution, with its host calls pending. The session continues. A snapshot taken between
   * executions also becomes the checkpoint from which the session continues if its worker is lost.
   *
   * @throws SnapshotError of reason `too-large` (`limits.snapshotBytes`) or `not-captured`; the session is as it was
   */
  async snapshotState(): Promise<Snapshot> {
    const free = requireFreeThread(this)
    if (free) await free
    if (this.#runner.isRunning) return this.#placement.captures.captureMidway(this.#calls.running)
    return this.#calls.save(() => this.#placement.captures.capture())
  }

  /**
   * Replaces Python's state and the private files with those of the snapshot; nothing is merged. Callbacks, limits and the execution
   * count stay.
   *
   * With `salvage`, a snapshot of another image is accepted: the session is reset, and gets the globals that the snapshot stores as plain
   * values.
   *
   * @returns names of globals that did not come back; without salvage there are none
   * @throws SnapshotError and the session is as it was
   */
  async restoreState(snapshot: Snapshot | Uint8Array, options?: RestoreOptions): Promise<string[]> {
    const salvage = resolveRestoreOptions(options)
    const whole = requireSnapshot('snapshot', snapshot, trustOf(this.#context.snapshotKey, this.tenant))
    return this.#calls.runAfterCaptures(async () => {
      try {
        await this.#placement.replace(whole)
        return []
      } catch (error) {
        if (!salvage || !(error instanceof SnapshotError) || error.reason !== 'incompatible') throw error
        requireDescribed(whole)
        await this.#placement.startFresh()
        return [...(await this.#salvage(whole)).globals]
      }
    })
  }

  /**
   * Frees the session's slot after its earlier calls, and keeps its state as a snapshot. The next call wakes the session. Resolves when
   * `manager.stats().memory` no longer includes what the slot held.
   *
   * @throws SnapshotError when the session cannot be captured; it keeps its slot
   * @throws StoreError when the store does not take it; its state stays in memory, and is written again when the lease is renewed
   */
  async hibernate(): Promise<void> {
    const { freed, stored } = await this.#calls.save(() => this.#placement.hibernate())
    await Promise.all([freed, stored])
  }

  /** @internal Like `hibernate`, but also reports a lost worker to the next call, because no caller is waiting (S3). */
  async evict(): Promise<void> {
    try {
      const hibernate = () => this.#calls.save(() => this.#placement.hibernate('evicted'))
      const { stored } = await this.#context.observer.detached(hibernate)
      // Its state stays in memory, and is written again when the lease is renewed.
      stored?.catch(() => this.#context.count('failedStores'))
    } catch (error) {
      if (error instanceof InterpreterCrashedError) this.#placement.deferError(error)
      throw error
    }
  }

  /**
   * KeyboardInterrupt in the running code; code that does not stop within `limits.interruptGraceMs` loses its worker.
   * Resolves when the running call has settled, at once when there is none.
   */
  async interrupt(): Promise<void> {
    const { running } = this.#calls
    if (running === undefined) return
    this.#runner.interrupt()
    await running
  }

  /**
   * Ends the session. What runs or waits is rejected with SessionClosedError. A session with an id that its creator gave is stored first;
   * running code is interrupted for that. Idempotent.
   *
   * @throws NotStoredError when the state could not be stored; the session is closed, and the error has its snapshot
   * @throws SessionMovedError when another manager has taken the session, and it had state that was not stored
   */
  close(): Promise<void> {
    return this.closing.close()
  }

  /**
   * Closes the session and removes it from the store.
   *
   * @throws StoreError when the store may still have it; `manager.delete` tries again
   * @throws SessionMovedError when another manager has it; then the store keeps it
   */
  delete(): Promise<void> {
    return this.closing.delete()
  }

  /** @internal As `Persistence.isOwned`. */
  async isOwned(always: boolean): Promise<boolean> {
    return (await this.#placement.persistence?.isOwned(always)) ?? true
  }

  /** @internal The store keeps it. */
  get isKept(): boolean {
    return this.#placement.persistence !== undefined
  }

  /** @internal It is idle, and can be removed without harm to anything that runs. */
  get isIdle(): boolean {
    return this.#calls.idleSinceMs !== undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * @internal Waits for the session's first slot.
   *
   * @param how it is new, or the store had it
   * @param salvage the session begins with the plain values of this snapshot
   */
  async open(how: 'created' | 'opened', salvage?: Snapshot): Promise<void> {
    const startedMs = performance.now()
    await this.#calls.runAfterCaptures(async () => {
      const slot = await this.#placement.attach()
      if (salvage) this.#salvageLoss = await this.#salvage(salvage)
      // Another process would not know the environment.
      else if (Object.keys(this.#options.env).length > 0) this.#placement.markUnstored(slot)
    })
    this.#isOpened = true
    reportOpened(this.#context, this.#options, how, startedMs)
  }

  async #salvage(snapshot: Snapshot): Promise<SalvageLoss> {
    return salvageGlobals(snapshot, async (name, value) =>
      this.#set(name, await this.#encode(new Encoder(value, name, 'with-fixups'))),
    )
  }

  #observed(
    isResumed: boolean,
    execute: () => Promise<ExecuteResult>,
    listeners: Listeners,
    options: CallOptions,
  ): Promise<ExecuteResult> {
    return observeExecute(this.#context, this.#options, isResumed, () => {
      const run = this.#calls.run(execute, options)
      if (listeners.isSilent) return run
      listeners.bind(this.#context.observer)
      return listeners.finish(run)
    })
  }

  /** Encodes a small value at once. */
  #encode(encoder: Encoder): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    return encodeIn(this.#lane, encoder, () => this.#placement.closedError())
  }

  async #set(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#runner.change(this.#executionTimeoutMs, (slot, id) =>
      slot.call('set', [id, name, bytes], [bytes.buffer]),
    )
  }

  /** The queue is empty: schedule a checkpoint, and let the manager evict the session. */
  #onIdle(): void {
    if (this.#options.checkpoint === 'auto')
      this.#placement.captures.scheduleCheckpoint(() => this.#calls.running === undefined)
    this.#context.onIdle(this)
  }
}
