// The host calls of one session: each runs its callback once and is answered once. Owns the calls in flight, their order and their
// limits. The guest is hostile (R3): names are looked up in a Map, and arguments are plain values. running-call.ts owns a single call,
// suspended-calls.ts owns suspended ones, and the slot owns how answers are delivered.
import type { Limits } from '../options/limits.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { isInstance } from '../shared/thrown.js'
import { MalformedValueError } from '../shared/values/decode.js'
import { encodeIn } from '../shared/values/encode.js'
import type { Ended, Lane } from '../shared/values/slices.js'
import type { Observer } from '../telemetry/observer.js'
import type { TelemetryFacts } from '../telemetry/telemetry.js'
import { answerEncoder, answerFailure, answerIterator, NO_ANSWER, pythonError } from './answers.js'
import type { ResolvedCallback, ResolvedCallbacks } from './callbacks.js'
import { Caller, runAs } from './caller.js'
import { endOfInput, INPUT } from './input.js'
import { HostIterators } from './iterators.js'
import { type Request, RequestReader } from './requests.js'
import { abort, contextOf, type Route, RunningCall, Suspension } from './running-call.js'
import { type EncodeAnswer, SuspendedCalls } from './suspended-calls.js'
import { TimedChecks } from './timed-checks.js'
import { traceCallback } from './traced-callback.js'
import type { ArgumentWindow } from './window.js'

/** Calls started per turn of the event loop. A guest can make thousands at once, and the main thread has other sessions to serve. */
const CALLS_PER_TURN = 25
/** More than any code needs. Without a limit, calls could fill this thread's memory. */
const MAX_CALLS_UNDER_WAY = 50_000

export interface DispatcherOptions {
  /** Passed to the callbacks unchanged. */
  readonly session: unknown
  readonly observer: Observer
  /** Facts for telemetry about the session that makes the calls. */
  readonly facts: () => TelemetryFacts
  /** The observer's context of the execution, which is the parent of its callbacks. */
  readonly spanContext: () => unknown
  readonly limits: Pick<Limits, 'callbackInvocations' | 'callbackTimeoutMs'>
  /** Answers `input()`. */
  readonly onInput?: ResolvedCallback | undefined
  readonly window: ArgumentWindow
  /** Decodes the session's messages, in order. */
  readonly lane: Lane
  /** Called when a callback settles too late for its answer to be used. */
  readonly onLate: () => void
  /** Sends the answer of a call that does not block its slot. */
  readonly onAnswer: (bytes: Uint8Array<ArrayBuffer>) => void
  /** Called when every unanswered call is suspended and waits for `resume`. */
  readonly onSuspended: () => void
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #running = new Set<RunningCall>()
  /** Calls in `#running` that have not been started. */
  #queued: RunningCall[] = []
  #startedInTurn = 0
  /** Messages that are being decoded, by route. */
  readonly #arriving = new Map<Route, RequestReader>()
  readonly #suspended: SuspendedCalls
  readonly #iterators = new HostIterators()
  readonly #timedChecks: TimedChecks
  #callbacks: ResolvedCallbacks
  #invocations = 0
  /** The callback of another session that started the execution and awaits it. */
  #startedBy: Caller | undefined

  constructor(callbacks: ResolvedCallbacks, options: DispatcherOptions) {
    this.#callbacks = callbacks
    this.#options = options
    this.#suspended = new SuspendedCalls(options.window, this.#iterators)
    this.#timedChecks = new TimedChecks(options.lane)
  }

  get callbacks(): ResolvedCallbacks {
    return this.#callbacks
  }

  set callbacks(callbacks: ResolvedCallbacks) {
    this.#callbacks = callbacks
  }

  /** Number of calls in this execution. */
  get invocations(): number {
    return this.#invocations
  }

  /** Suspended calls, which wait for `resume`. */
  get pending(): PendingCall[] {
    return this.#suspended.pending
  }

  /** Whether there are suspended calls, and no others. */
  get isSuspended(): boolean {
    return this.#suspended.size > 0 && this.#running.size === 0 && this.#arriving.size === 0
  }

  /** Whether a new dispatcher can replace this one: nothing is in flight, and Python holds no iterator number that could be reused. */
  get isReplaceable(): boolean {
    return (
      this.#running.size + this.#arriving.size + this.#suspended.size === 0 && !this.#iterators.hasCounted
    )
  }

  /** Begins an execution, and counts its calls from zero. */
  begin(startedBy: Caller | undefined): void {
    this.#invocations = 0
    this.#startedBy = startedBy
  }

  /** Receives the new calls of an execution that awaits. Throws or rejects with MalformedValueError. */
  receive(payload: Uint8Array): void | Promise<void> {
    return this.#receive(new RequestReader(payload, 'list'), {
      blocking: false,
      answer: this.#options.onAnswer,
      lease: this.#options.window.lease,
    })
  }

  /** Receives a call whose slot blocks until it is answered. Fails in the same way. */
  receiveBlocking(payload: Uint8Array, answer: (bytes: Uint8Array) => void): void | Promise<void> {
    return this.#receive(new RequestReader(payload, 'one'), {
      blocking: true,
      answer,
      lease: this.#options.window.lease,
    })
  }

  /** An execution ended early: aborts its callbacks' signals. Their answers still count while the interpreter lives. */
  abort(reason: Error): void {
    for (const call of this.#running) abort(call, reason)
  }

  /** Drops everything in flight: the interpreter is gone or holds another state. */
  reset(reason: Error): void {
    for (const route of [...this.#running, ...this.#arriving.keys()]) {
      // The door counts answers, so it needs one even here (workers/host/host-calls.ts).
      if (route.blocking) route.answer?.(NO_ANSWER)
      route.answer = undefined
    }
    // A hostile slot can leave thousands of messages, which would delay those of the next interpreter.
    this.#options.lane.drop(new Set(this.#arriving.values()))
    this.abort(reason)
    this.#running.clear()
    for (const call of this.#queued) this.#release(call)
    this.#queued = []
    this.#suspended.clear()
    this.#iterators.close()
  }

  /** The state has moved to another slot, whose door does not know the calls in flight. */
  moveToSlot(): void {
    for (const route of [...this.#running, ...this.#arriving.keys()]) {
      if (!route.blocking) continue
      route.blocking = false
      if (route.answer) route.answer = this.#options.onAnswer
    }
  }

  /** Adds a snapshot's suspended calls: the interpreter holds its state now. */
  restore(calls: readonly PendingCall[]): void {
    // A set, because both may be thousands.
    const running = new Set([...this.#running].map((call) => String(call.id)))
    this.#suspended.restore(calls, running)
  }

  /**
   * Answers suspended calls. Changes nothing unless all answers are valid.
   *
   * @throws InvalidOptionError for an id that is not pending, or that occurs twice
   * @throws ConversionError for a value without a Python counterpart
   */
  resolve(
    results: Readonly<Record<string, unknown>>,
    errors: Readonly<Record<string, unknown>>,
    encode: EncodeAnswer,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    return this.#suspended.resolve(results, errors, encode)
  }

  #receive(reader: RequestReader, route: Route): void | Promise<void> {
    const { window, lane } = this.#options
    window.arrive(reader.minWeightBytes)
    this.#arriving.set(route, reader)
    const arrived = () => {
      this.#arriving.delete(route)
      window.arrived(reader.minWeightBytes)
    }
    const begin = (ended: Ended = 'done') => {
      arrived()
      if (ended === 'dropped') return
      for (const request of reader.requests) this.#start(request, route)
    }
    try {
      const decoding = lane.run(reader)
      if (decoding === undefined) return begin()
      return decoding.then(
        (ended) => {
          begin(ended)
          this.#reportIfSuspended()
        },
        (error: unknown) => {
          arrived()
          throw error
        },
      )
    } catch (error) {
      if (this.#arriving.has(route)) arrived()
      throw error
    }
  }

  #start(request: Request, route: Route): void {
    const { window } = this.#options
    // The state that made the call was dropped after the call arrived.
    if (route.answer === undefined) return route.lease?.release(request.weightBytes)
    if (this.#running.size >= MAX_CALLS_UNDER_WAY)
      throw new MalformedValueError(`more than ${MAX_CALLS_UNDER_WAY} host calls at once`)
    const call = new RunningCall(request, route, window.hold(request.weightBytes))
    this.#running.add(call)
    if (++this.#startedInTurn <= CALLS_PER_TURN) void this.#run(call)
    else this.#queued.push(call)
    if (this.#startedInTurn === 1) setImmediate(() => this.#startQueued())
  }

  /** Starts the next queued calls, once per turn of the event loop. */
  #startQueued(): void {
    const due = this.#queued.splice(0, CALLS_PER_TURN)
    this.#startedInTurn = due.length
    if (due.length > 0) setImmediate(() => this.#startQueued())
    for (const call of due) void this.#run(call)
  }

  /** Never rejects. */
  async #run(call: RunningCall): Promise<void> {
    const { limits, observer } = this.#options
    const { callbackTimeoutMs } = limits
    const timer =
      // No timeout for `input()`: a person may take as long as the execution.
      callbackTimeoutMs === null || call.name === INPUT
        ? undefined
        : setTimeout(() => this.#timeOut(call, callbackTimeoutMs), callbackTimeoutMs)
    const caller = new Caller(this.#options.session, call, this.#startedBy)
    let bytes: Uint8Array<ArrayBuffer>
    try {
      if (call.holding === undefined)
        throw pythonError('MemoryError', `there is no memory left for the arguments of ${call.name}()`)
      if (call.hasCollisions)
        throw pythonError(
          'ValueError',
          `the arguments of ${call.name}() hold a set of integers that JavaScript cannot build in time: pass a list`,
        )
      const encoded = this.#iterators.serves(call.name)
        ? this.#encode(call, await this.#serveStep(call, caller), call.name)
        : this.#answer(call, await this.#invoke(this.#callbackOf(call), call, caller))
      // Most answers are small and are sent without another turn of the microtask queue.
      bytes = encoded instanceof Promise ? await encoded : encoded
    } catch (error) {
      if (isInstance(error, Suspension) && this.#maySuspend(call, error))
        return this.#suspend(call, error.why, error.call)
      bytes = answerFailure(call.id, error)
    } finally {
      clearTimeout(timer)
      caller.end()
      if (call.startedMs !== undefined) observer.time('callback', performance.now() - call.startedMs)
    }
    // Release before answering, so that the slot has credit for the calls that follow from the answer.
    this.#release(call)
    this.#settle(call, bytes)
  }

  /** Finds a call's callback, and counts the call. */
  #callbackOf({ name }: RunningCall): ResolvedCallback {
    const { callbackInvocations } = this.#options.limits
    if (callbackInvocations !== null && ++this.#invocations > callbackInvocations)
      throw pythonError('RuntimeError', `more than ${callbackInvocations} host calls in one execution`)
    if (name === INPUT) {
      const { onInput } = this.#options
      if (onInput === undefined) throw endOfInput()
      return onInput
    }
    const callback = this.#callbacks.get(name)
    if (callback === undefined) throw pythonError('NameError', `there is no callback named ${name}`)
    return callback
  }

  #serveStep({ name, args }: RunningCall, caller: Caller): Promise<unknown> {
    const serve = () => this.#iterators.serve(name, args)
    return runAs(caller, () => this.#options.observer.within(this.#options.spanContext(), serve))
  }

  async #invoke({ fn, parameters }: ResolvedCallback, call: RunningCall, caller: Caller): Promise<unknown> {
    const check = () => parameters.check(call.args, call.memberCount)
    const isWanted = () => call.answer !== undefined
    const args = await (parameters.isTimed ? this.#timedChecks.run(check, isWanted) : check())
    if (parameters.isTimed && !isWanted()) return undefined
    // Safe: the session was created with callbacks whose context has this type.
    const run = () => fn(args, contextOf(call, this.#options.session as never))
    if (this.#options.observer.isTracing) return runAs(caller, () => this.#trace(call, run))
    call.startedMs = performance.now()
    return runAs(caller, run)
  }

  #trace(call: RunningCall, run: () => unknown): Promise<unknown> {
    const { observer, facts, spanContext } = this.#options
    const timing = observer.start('callback', { ...facts(), callback: call.name }, spanContext())
    return traceCallback(timing, call, run)
  }

  #answer(call: RunningCall, value: unknown): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const iterator = this.#iterators.add(value, (reason) => abort(call, reason))
    if (iterator !== undefined) return answerIterator(call.id, iterator)
    return this.#encode(call, value, `the result of ${call.name}`)
  }

  /** Encodes a large result in slices, because it may be an argument that the guest sent (H1). */
  #encode(
    { id }: RunningCall,
    value: unknown,
    name: string,
  ): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    return encodeIn(this.#options.lane, answerEncoder(id, value, name), () =>
      pythonError('RuntimeError', 'the session was closed'),
    )
  }

  #timeOut(call: RunningCall, timeoutMs: number): void {
    const error = pythonError('TimeoutError', `${call.name}() took longer than ${timeoutMs} ms`)
    abort(call, error)
    // Its arguments stay held until the callback has settled.
    this.#settle(call, answerFailure(call.id, error))
  }

  #settle(call: RunningCall, bytes: Uint8Array<ArrayBuffer>): void {
    const { answer } = call
    call.answer = undefined
    if (answer === undefined) return this.#options.onLate()
    this.#running.delete(call)
    answer(bytes)
    this.#reportIfSuspended()
  }

  /** Allows a callback to suspend its own call. A generator may also suspend a step of its iteration, with the context it began with. */
  #maySuspend(call: RunningCall, { call: suspended }: Suspension): boolean {
    return suspended === call || (this.#iterators.serves(call.name) && !call.blocking)
  }

  /** @param shown the call that users know, if this one is a step of its iteration */
  #suspend(call: RunningCall, reason: string | undefined, shown: RunningCall): void {
    const { id, answer, holding } = call
    const { name, args } = shown
    const { window, onLate } = this.#options
    if (answer === undefined) {
      this.#release(call)
      return onLate()
    }
    if (holding && !window.suspend(holding)) {
      this.#release(call)
      const error = pythonError(
        'MemoryError',
        'the arguments of suspended host calls are too large together; pass less, or suspend fewer calls',
      )
      return this.#settle(call, answerFailure(id, error))
    }
    call.answer = undefined
    this.#running.delete(call)
    this.#suspended.add({ id, name, args, reason, holding, isStep: shown !== call })
    this.#reportIfSuspended()
  }

  #release({ holding }: RunningCall): void {
    if (holding) this.#options.window.release(holding)
  }

  #reportIfSuspended(): void {
    if (this.isSuspended) this.#options.onSuspended()
  }
}
