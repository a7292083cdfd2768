// One Python session and its public methods. Owns creating its parts and connecting them. session/session-calls.ts queues the calls,
// session/runner.ts runs them, session/placement.ts decides which slot has the session's state.
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
import { fingerprintOfAnswers, fingerprintOfCode } from './session/fingerprint.js'
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
import { type CallOptions, keyed, SessionCalls } from './session/session-calls.js'
import { SessionFiles } from './session/session-files.js'
import { type SessionUsage, Usage } from './session/usage.js'
import { InterpreterCrashedError, InvalidOptionError, PythonError, SnapshotError } from './shared/errors.js'
import type { PendingCall } from './shared/snapshot/manifest.js'
import { trustOf } from './shared/snapshot/signature.js'
import type { Snapshot } from './shared/snapshot/snapshot.js'
import { Encoder, encodeIn } from './shared/values/encode.js'
import type { Lane } from './shared/values/slices.js'
import type { InputValue, Value } from './shared/values/value.js'

/** The second argument of a callback. */
export interface CallbackContext {
  /** The session whose Python code made the call. */
  readonly session: Session
  /** Aborts when the result is no longer needed: the call timed out, or its execution ended early. */
  readonly signal: AbortSignal
  /**
   * Leaves the call unanswered: `execute` resolves with `status: 'suspended'`, and `session.resume` answers the call later.
   * Always throws, so the code after it does not run.
   */
  suspend(reason?: string): never
}

/**
 * Called with an object of the arguments by name. Returns a value that has a Python counterpart, an async iterable of such values, or a
 * promise of either. If it throws, Python raises its exception class of the same name if it has one, else `brumate.HostError`.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a typed schema, the arguments are what Python passes
export type CallbackFn<Arguments = any> = (args: Arguments, context: CallbackContext) => unknown

/** Arguments of a callback with this schema: the output type of a Standard Schema; `any` for a JSON Schema or no schema. */
export type CallbackArguments<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly output: infer Output } | undefined }
}
  ? Output
  : // biome-ignore lint/suspicious/noExplicitAny: as above
    any

// biome-ignore lint/suspicious/noExplicitAny: as above
export interface CallbackDefinition<Schema = any> {
  /** The function to call. */
  readonly fn: CallbackFn<CallbackArguments<Schema>>
  /** The function's docstring in Python, and in `session.toolSchemas` and `toolStubs`. */
  readonly description?: string
  /** Schema for the arguments, checked before `fn` runs. The order of its properties is the order of positional arguments. */
  readonly parameters?: Schema & (JsonSchema | StandardSchema)
}

/** Callbacks by their name in Python. A name must be an identifier other than a keyword, a builtin or `tools`. */
export type Callbacks = Readonly<Record<string, CallbackFn | CallbackDefinition>>

/** Callbacks written in place, so that TypeScript infers the type of each `fn`'s arguments from its schema. */
export type TypedCallbacks<Schemas> = {
  readonly [Name in keyof Schemas]: CallbackFn | CallbackDefinition<Schemas[Name]>
}

/** The second argument of `onInput`. */
export interface InputContext extends CallbackContext {
  /** True for `getpass.getpass`: do not echo what the user types. */
  readonly password: boolean
}

/** Returns the line without its line break; `null` or `undefined` at the end of the input; or a promise of either. */
export type InputFn = (prompt: string, context: InputContext) => unknown

/** The image that a session's interpreter was made from. */
export interface SessionImage {
  /** `Image.id`. */
  readonly id: string
  /** For example `3.14.2`, followed by CPython's build string. */
  readonly pythonVersion: string
  /** Packages that Python can import besides the standard library, sorted by name. */
  readonly packages: readonly { readonly name: string; readonly version: string }[]
  /** Absolute path of the directory that sessions start in. */
  readonly home: string
}

/**
 * A Python interpreter with its own variables, files and callbacks. Create one with `SessionManager.createSession`. Calls run one after
 * the other, in the order in which they were made.
 */
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
  /** `open` has succeeded. Only such a session reports that it was closed or deleted. */
  #isOpened = false
  /** @internal */
  readonly closing: Closing

  /** @internal @param kept given if the store keeps the session */
  constructor(context: SessionContext, given: ResolvedSessionOptions, kept?: KeptSession) {
    // Only the placement holds `from`, as the first checkpoint, so that a later checkpoint frees its memory.
    const { from } = given
    // Not a rest pattern: V8 gives each object created by one a hidden class of its own, which takes a kilobyte.
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

  /** The `id` that the session was created with, or a random UUID. */
  get id(): string {
    return this.#options.id
  }

  /** The customer that the session belongs to. */
  get tenant(): string {
    return this.#options.tenant
  }

  /** The labels that the session was created with. `manager.list` shows them and can filter by them. */
  get labels(): Readonly<Record<string, string>> {
    return this.#options.labels
  }

  /** The image of the session's interpreter. It never changes. */
  get image(): SessionImage {
    const { id, pythonVersion, packages, cwd } = this.#context.image
    return { id, pythonVersion, packages, home: cwd }
  }

  /** The session's limits, with all defaults. */
  get limits(): Readonly<Limits> {
    return this.#options.limits
  }

  /** Names of the globals that `salvage` could not restore when the session was created or opened. Empty without salvage. */
  get lostGlobals(): readonly string[] {
    return (this.#salvageLoss ?? NOTHING_LOST).globals
  }

  /** @internal What salvage lost; undefined if the session was created or opened without salvage. */
  get salvageLoss(): SalvageLoss | undefined {
    return this.#salvageLoss
  }

  /** Number of executions so far, including failed ones. `reset` sets it to 0. */
  get executionCount(): number {
    return this.#hostSide.executionCount
  }

  /** `attached`: the session has an interpreter. `dormant`: it has none now, and the next call wakes it. */
  get state(): 'attached' | 'dormant' | 'closed' {
    return this.#placement.state
  }

  /** Host calls that wait for `resume`. They belong to a suspended execution, or to one that was running when the snapshot was taken. */
  get pending(): readonly PendingCall[] {
    return this.#hostSide.pending
  }

  /**
   * Reads and writes the session's private files. Also works while the session is dormant: each call wakes it. The methods reject with
   * DeadlockError if they are called from a callback that blocks Python's thread.
   */
  get files(): SessionFiles {
    this.#files ??= new SessionFiles({
      mountPath: this.#options.vfs?.mountPath,
      run: async (request, changesFiles, fail) => {
        const run = () => this.#runner.file(request, changesFiles)
        const free = requireFreeThread(this)
        if (free) await free
        // Do not queue behind the running execution: one of its callbacks may be waiting for this operation.
        const reply = await (this.#runner.isRunning ? run() : this.#calls.runAfterCaptures(run))
        if (reply.kind === 'file-error') throw fail(reply.code)
        return reply
      },
    })
    return this.#files
  }

  /** What the session has used since it was created or opened in this process. */
  get usage(): SessionUsage {
    return this.#usage.read(this.#placement.state === 'attached')
  }

  /** Default time limit of an execution in ms; `null`: no limit. The `timeoutMs` of a call overrides it. Applies from the next call on. */
  get executionTimeoutMs(): number | null {
    return this.#executionTimeoutMs
  }

  /** @throws InvalidOptionError */
  set executionTimeoutMs(timeoutMs: number | null) {
    this.#executionTimeoutMs = resolveTimeoutMs('executionTimeoutMs', timeoutMs, this.#executionTimeoutMs)
  }

  /** @internal When the last call settled; `undefined` while the session is busy or has no slot. */
  get idleSinceMs(): number | undefined {
    return this.#placement.state === 'attached' ? this.#calls.idleSinceMs : undefined
  }

  /** @internal When the session got its current slot. */
  get attachedSinceMs(): number {
    return this.#placement.attachedSinceMs
  }

  /**
   * Runs Python code, which may use top-level `await`, after the session's earlier calls. Variables, functions, classes
   * and imports stay for later executions. If the result has `status: 'suspended'`, continue the execution with `resume`.
   *
   * @throws PythonError when the code raises; what it did before stays
   * @throws TimeoutError, CancelledError, LimitError, InterpreterCrashedError; `outcome` says which state the session has now
   * @throws PoolExhaustedError when the session has to wait for a slot and gets none
   * @throws LimitError when `maxMemoryBytes` leaves no memory to wake a dormant session; the session stays dormant
   * @throws SessionSuspendedError when an earlier execution is suspended
   * @throws DeadlockError when called from a callback that the running execution awaits; so does every call that has to wait for the
   * running execution
   * @throws SessionClosedError, InvalidOptionError
   */
  async execute(code: string, options?: ExecuteOptions): Promise<ExecuteResult> {
    checkCode(code)
    const resolved = resolveExecuteOptions(options, this.#executionTimeoutMs)
    const count = () => ++this.#hostSide.executionCount
    const listeners = new Listeners(this.#options, resolved)
    const execute = () => this.#runner.execute(code, resolved, listeners, count)
    return this.#observed(
      false,
      execute,
      listeners,
      keyed(resolved, () => fingerprintOfCode(code)),
    )
  }

  /**
   * Answers all or some of the pending host calls and continues the execution that awaits them, even if it was suspended in another
   * process. Resolves like `execute`: completed, or suspended again. Large results are read in slices, so do not change them until the
   * promise settles.
   *
   * @throws InvalidOptionError when an id is not pending or is in both `results` and `errors`; no call is answered
   * @throws ConversionError (a TypeError) when a result has no Python counterpart; no call is answered
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
    const options = keyed(execute, () => fingerprintOfAnswers(results, errors))
    return this.#observed(true, resume, listeners, options)
  }

  /**
   * Returns the value of a global variable; docs/values.md lists the JavaScript form of each Python type.
   *
   * @throws PythonError of type NameError when there is no such variable; of type TypeError when the value, or the part of it that the
   * message names, has no JavaScript form
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
   * Sets a global variable to a copy of the value. A large value is read in slices, which keeps the event loop free, so do not change it
   * until the promise settles.
   *
   * @throws ConversionError (a TypeError) when the value has no Python counterpart; nothing is changed
   * @throws InvalidOptionError when Python code cannot assign to the name (such as `class`) or must not (`__builtins__`)
   */
  async set(name: string, value: InputValue): Promise<void> {
    checkVariable(name)
    const encoded = this.#encode(new Encoder(value, name, 'with-fixups'))
    // The queued task reports the error, but it may start later: avoid an unhandled rejection until then.
    if (encoded instanceof Promise) encoded.catch(() => {})
    await this.#calls.runAfterCaptures(async () => this.#set(name, await encoded))
  }

  /** Deletes the user's globals and everything that only they kept alive. Imported modules stay loaded; the execution count stays. */
  async clearState(): Promise<void> {
    await this.#calls.runAfterCaptures(async () => {
      await this.#runner.change(this.#executionTimeoutMs, (slot, id) => slot.call('clear', [id]))
      this.#hostSide.dropCalls(new Error('the session was cleared'))
    })
  }

  /** Starts again with a fresh interpreter and the session's options. The execution count starts again from 0. */
  async reset(): Promise<void> {
    await this.#calls.runAfterCaptures(async () => {
      const started = this.#placement.startFresh()
      // The old state is gone even if no slot can be had for the new one.
      this.#hostSide.executionCount = 0
      await started
    })
  }

  /**
   * Replaces the callbacks. Host calls that have already arrived are answered by the previous callbacks.
   *
   * @throws InvalidOptionError; the callbacks then stay as they were
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

  /** Returns the session's callbacks as tool definitions for a model, in the format of a vendor's API. */
  toolSchemas(format: ToolFormat): unknown[] {
    return toolSchemas(this.#hostSide.callbacks, format)
  }

  /** Returns the session's callbacks as Python signatures with docstrings, for the prompt of a model that writes code. */
  toolStubs(): string {
    return toolStubs(this.#hostSide.callbacks)
  }

  /**
   * Saves the whole session: memory, files, descriptors, clock. The session continues. If an execution is running, the snapshot is taken
   * while that execution awaits, and contains it with its host calls pending. Otherwise it is taken after the session's earlier calls, and
   * also becomes the checkpoint from which the session continues if its worker is lost.
   *
   * @throws SnapshotError of reason `too-large` (`limits.snapshotBytes`) or `not-captured`; the session is unchanged
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
   * With `salvage`, a snapshot of another image is accepted: the session is reset, and then only the globals that the snapshot stores as
   * plain values are restored.
   *
   * @returns names of the globals that could not be restored; empty without salvage
   * @throws SnapshotError; the session is then unchanged
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
   * Releases the session's slot after its earlier calls, and keeps its state as a snapshot. The next call wakes the session. Resolves when
   * `manager.stats().memory` no longer includes what the slot held.
   *
   * @throws SnapshotError when the session cannot be captured; it keeps its slot
   * @throws StoreError when the write to the store fails; the state stays in memory, and is written again when the lease is renewed
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
      // The state stays in memory, and is written again when the lease is renewed.
      stored?.catch(() => this.#context.count('failedStores'))
    } catch (error) {
      if (error instanceof InterpreterCrashedError) this.#placement.deferError(error)
      throw error
    }
  }

  /**
   * Raises KeyboardInterrupt in the running code. If the code does not stop within `limits.interruptGraceMs`, its worker is terminated.
   * Resolves when the running call has settled; at once if no call is running.
   */
  async interrupt(): Promise<void> {
    const { running } = this.#calls
    if (running === undefined) return
    this.#runner.interrupt()
    await running
  }

  /**
   * Ends the session. Running and queued calls reject with SessionClosedError. If you gave the session an `id`, running code is
   * interrupted and the session is stored first. Idempotent.
   *
   * @throws NotStoredError when the state could not be stored; the session is closed, and the error's `snapshot` has the state
   * @throws SessionMovedError when another manager has taken over the session, and this one had state that was not stored
   */
  close(): Promise<void> {
    return this.closing.close()
  }

  /**
   * Closes the session and removes it from the store.
   *
   * @throws StoreError when the store may still have the session; call `manager.delete` to try again
   * @throws SessionMovedError when another manager has the session; the store then keeps it
   */
  delete(): Promise<void> {
    return this.closing.delete()
  }

  /** @internal See `Persistence.isOwned`. */
  async isOwned(always: boolean): Promise<boolean> {
    return (await this.#placement.persistence?.isOwned(always)) ?? true
  }

  /** @internal The store keeps the session. */
  get isKept(): boolean {
    return this.#placement.persistence !== undefined
  }

  /** @internal No call is running or queued, so the session can be removed. */
  get isIdle(): boolean {
    return this.#calls.idleSinceMs !== undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * @internal Waits for the session's first slot.
   *
   * @param how whether the session is new or comes from the store
   * @param salvage the session starts with the plain values of this snapshot
   */
  async open(how: 'created' | 'opened', salvage?: Snapshot): Promise<void> {
    const startedMs = performance.now()
    await this.#calls.runAfterCaptures(async () => {
      const slot = await this.#placement.attach()
      if (salvage) this.#salvageLoss = await this.#salvage(salvage)
      // Only a snapshot contains the environment: without one, another process could not restore it.
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

  /** Encodes a small value synchronously, a large one in slices. */
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
