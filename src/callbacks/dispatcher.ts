// The host calls of one session: each runs its callback once and is answered once. Owns the calls in flight, the suspended ones,
// their limits and their signals. What asks is hostile: names are looked up in a Map, arguments are plain values, ids are the
// guest's own business (ATTACKS.md D27, B15). How answers travel is the slot's.
import { InvalidOptionError } from '../errors.js'
import type { Limits } from '../options.js'
import type { Session } from '../session.js'
import type { PendingCall } from '../snapshot/manifest.js'
import { isInstance } from '../thrown.js'
import { MalformedValueError } from '../values/decode.js'
import type { Ended, Lane } from '../values/slices.js'
import { answerFailure, answerIterator, answerValue, NO_ANSWER, pythonError } from './answers.js'
import type { CallbackContext, ResolvedCallback, ResolvedCallbacks } from './callbacks.js'
import { HostIterators } from './iterators.js'
import { type Request, RequestReader } from './requests.js'
import type { ArgumentWindow, Holding, Lease } from './window.js'

/** Thrown by `suspend`, and meant for nobody but the dispatcher. */
class Suspension extends Error {
  constructor(
    readonly call: RunningCall,
    readonly why: string | undefined,
  ) {
    super('this call is suspended; let the error of suspend() through')
  }
}

type Answer = (bytes: Uint8Array<ArrayBuffer>) => void

/** Where the answers of some calls go. */
interface Route {
  /** Their slot blocks until it has the answer. */
  blocking: boolean
  /** Undefined once nobody waits any more. */
  answer: Answer | undefined
  /** Where they came from. */
  readonly lease: Lease | undefined
}

class RunningCall {
  readonly id: number
  readonly name: string
  readonly args: Request['args']
  readonly memberCount: number
  /** As in `Route`. */
  blocking: boolean
  answer: Answer | undefined
  /** Until its callback has settled. Undefined: there was no room for its arguments. */
  readonly holding: Holding | undefined
  /** Made when the callback asks for its signal: that takes longer than all the rest here, and most callbacks never do. */
  controller: AbortController | undefined
  /** Why nobody waits for it any more. */
  abortedBy: Error | undefined

  constructor(
    { id, name, args, memberCount }: Request,
    { blocking, answer }: Route,
    holding: Holding | undefined,
  ) {
    this.id = id
    this.name = name
    this.args = args
    this.memberCount = memberCount
    this.blocking = blocking
    this.answer = answer
    this.holding = holding
    this.controller = undefined
    this.abortedBy = undefined
  }
}

interface SuspendedCall extends Pick<Request, 'id' | 'name' | 'args'> {
  readonly reason: string | undefined
  /** Of a call that was made here. */
  readonly holding: Holding | undefined
}

/**
 * Calls that are started in one turn of the event loop: a guest can make many thousands at once, and the main thread has others
 * to serve (ATTACKS.md D21, F).
 */
const CALLS_PER_TURN = 25
/** More than any code needs; without a bound they fill this thread's memory. */
const MAX_CALLS_UNDER_WAY = 50_000

export interface DispatcherOptions {
  readonly session: Session
  readonly limits: Pick<Limits, 'callbackInvocations' | 'callbackTimeoutMs'>
  readonly window: ArgumentWindow
  /** What decodes the session's messages, in their order. */
  readonly lane: Lane
  /** An answer came that nobody waited for. */
  readonly onLate: () => void
  /** The answer of a call that does not block its slot. */
  readonly onAnswer: (bytes: Uint8Array<ArrayBuffer>) => void
  /** Every call that is not answered waits for `resume`. */
  readonly onSuspended: () => void
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #running = new Set<RunningCall>()
  /** Those of them that have not been started. */
  #queued: RunningCall[] = []
  #startedInTurn = 0
  /** Messages that are being decoded. */
  readonly #arriving = new Set<Route>()
  readonly #suspended = new Map<string, SuspendedCall>()
  readonly #iterators = new HostIterators()
  #callbacks: ResolvedCallbacks
  #invocations = 0

  constructor(callbacks: ResolvedCallbacks, options: DispatcherOptions) {
    this.#callbacks = callbacks
    this.#options = options
  }

  get callbacks(): ResolvedCallbacks {
    return this.#callbacks
  }

  set callbacks(callbacks: ResolvedCallbacks) {
    this.#callbacks = callbacks
  }

  /** Calls of this execution. */
  get invocations(): number {
    return this.#invocations
  }

  /** Calls that wait for `resume`. */
  get pending(): PendingCall[] {
    return [...this.#suspended.entries()].map(([id, { name, args, reason }]) => ({
      id,
      name,
      args,
      ...(reason === undefined ? {} : { reason }),
    }))
  }

  /** There are suspended calls, and no others. */
  get isSuspended(): boolean {
    return this.#suspended.size > 0 && this.#running.size === 0 && this.#arriving.size === 0
  }

  /** An execution begins: its calls are counted from zero. */
  begin(): void {
    this.#invocations = 0
  }

  /** The new calls of an execution that awaits. Throws or rejects with MalformedValueError. */
  receive(payload: Uint8Array): void | Promise<void> {
    return this.#receive(new RequestReader(payload, 'list'), {
      blocking: false,
      answer: this.#options.onAnswer,
      lease: this.#options.window.lease,
    })
  }

  /** A call whose slot blocks until it is answered. Fails likewise. */
  receiveBlocking(payload: Uint8Array, answer: (bytes: Uint8Array) => void): void | Promise<void> {
    return this.#receive(new RequestReader(payload, 'one'), {
      blocking: true,
      answer,
      lease: this.#options.window.lease,
    })
  }

  /** An execution ended before its time: whoever works for it is told. Answers still count, if its interpreter lives. */
  abort(reason: Error): void {
    for (const call of this.#running) abort(call, reason)
  }

  /** The interpreter is gone, or holds another state: nothing under way is for it. */
  forget(reason: Error): void {
    for (const route of [...this.#running, ...this.#arriving]) {
      // The door counts its answers, said or not (workers/host/host-calls.ts).
      if (route.blocking) route.answer?.(NO_ANSWER)
      route.answer = undefined
    }
    this.abort(reason)
    this.#running.clear()
    for (const call of this.#queued) this.#release(call)
    this.#queued = []
    for (const { holding } of this.#suspended.values()) if (holding) this.#options.window.resume(holding)
    this.#suspended.clear()
    this.#iterators.close()
  }

  /** The state has moved to another slot, whose door does not know of the calls under way. */
  move(): void {
    for (const route of [...this.#running, ...this.#arriving]) {
      if (!route.blocking) continue
      route.blocking = false
      if (route.answer) route.answer = this.#options.onAnswer
    }
  }

  /** The interpreter holds a snapshot's state, with calls that nobody here has made. */
  adopt(calls: readonly PendingCall[]): void {
    // Both may be thousands.
    const running = new Set([...this.#running].map((call) => String(call.id)))
    for (const { id, name, args, reason } of calls) {
      if (running.has(id)) continue
      this.#suspended.set(id, { id: Number(id), name, args: { ...args }, reason, holding: undefined })
    }
  }

  /**
   * Answers of suspended calls. Nothing is changed unless all of them are right.
   *
   * @throws InvalidOptionError for an id that is not pending, or twice there
   * @throws ConversionError for a value without a Python counterpart
   */
  resolve(
    results: Readonly<Record<string, unknown>>,
    errors: Readonly<Record<string, unknown>>,
  ): Uint8Array<ArrayBuffer>[] {
    const answers = new Map<string, Uint8Array<ArrayBuffer>>()
    const add = (option: string, id: string, encode: (call: SuspendedCall) => Uint8Array<ArrayBuffer>) => {
      const call = this.#suspended.get(id)
      if (call === undefined || answers.has(id))
        throw new InvalidOptionError(option, 'ids of pending calls, each once', id)
      answers.set(id, encode(call))
    }
    for (const [id, value] of Object.entries(results))
      add('results', id, (call) => answerValue(call.id, value, `results.${id}`))
    for (const [id, error] of Object.entries(errors))
      add('errors', id, (call) => answerFailure(call.id, error))
    for (const id of answers.keys()) {
      const { holding } = this.#suspended.get(id) ?? {}
      if (holding) this.#options.window.resume(holding)
      this.#suspended.delete(id)
    }
    return [...answers.values()]
  }

  #receive(reader: RequestReader, route: Route): void | Promise<void> {
    const { window, lane } = this.#options
    window.arrive(reader.sizeBytes)
    this.#arriving.add(route)
    const arrived = () => {
      this.#arriving.delete(route)
      window.arrived(reader.sizeBytes)
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
          this.#rest()
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
    // It came before the state was given up that made it.
    if (route.answer === undefined) return route.lease?.release(request.weightBytes)
    if (this.#running.size >= MAX_CALLS_UNDER_WAY)
      throw new MalformedValueError(`more than ${MAX_CALLS_UNDER_WAY} host calls at once`)
    const call = new RunningCall(request, route, window.hold(request.weightBytes))
    this.#running.add(call)
    if (++this.#startedInTurn <= CALLS_PER_TURN) void this.#run(call)
    else this.#queued.push(call)
    if (this.#startedInTurn === 1) setImmediate(() => this.#turn())
  }

  /** Another turn of the event loop, another lot of calls. */
  #turn(): void {
    const due = this.#queued.splice(0, CALLS_PER_TURN)
    this.#startedInTurn = due.length
    if (due.length > 0) setImmediate(() => this.#turn())
    for (const call of due) void this.#run(call)
  }

  /** Never rejects. */
  async #run(call: RunningCall): Promise<void> {
    const { callbackTimeoutMs } = this.#options.limits
    const timer =
      callbackTimeoutMs === null
        ? undefined
        : setTimeout(() => this.#timeOut(call, callbackTimeoutMs), callbackTimeoutMs)
    let bytes: Uint8Array<ArrayBuffer>
    try {
      if (call.holding === undefined)
        throw pythonError('MemoryError', `there is no memory left for the arguments of ${call.name}()`)
      if (this.#iterators.serves(call.name))
        bytes = answerValue(call.id, await this.#iterators.serve(call.name, call.args), call.name)
      else bytes = this.#encode(call, await this.#invoke(this.#callbackOf(call), call))
    } catch (error) {
      if (isInstance(error, Suspension) && error.call === call) return this.#suspend(call, error.why)
      bytes = answerFailure(call.id, error)
    } finally {
      clearTimeout(timer)
    }
    // Before the answer: the slot has room for what it does with it.
    this.#release(call)
    this.#settle(call, bytes)
  }

  /** Counts the call. */
  #callbackOf({ name }: RunningCall): ResolvedCallback {
    const { callbackInvocations } = this.#options.limits
    if (callbackInvocations !== null && ++this.#invocations > callbackInvocations)
      throw pythonError('RuntimeError', `more than ${callbackInvocations} host calls in one execution`)
    const callback = this.#callbacks.get(name)
    if (callback === undefined) throw pythonError('NameError', `there is no callback named ${name}`)
    return callback
  }

  async #invoke({ fn, parameters }: ResolvedCallback, call: RunningCall): Promise<unknown> {
    const args = await parameters.check(call.args, call.memberCount)
    const context: CallbackContext = {
      session: this.#options.session,
      get signal() {
        return signalOf(call)
      },
      suspend: (why) => {
        if (why !== undefined && typeof why !== 'string') throw new InvalidOptionError('reason', 'text', why)
        if (call.blocking)
          throw pythonError(
            'RuntimeError',
            'a call that blocks its thread cannot be suspended; await it instead',
          )
        throw new Suspension(call, why)
      },
    }
    return fn(args, context)
  }

  #encode(call: RunningCall, value: unknown): Uint8Array<ArrayBuffer> {
    const iterator = this.#iterators.add(value)
    if (iterator !== undefined) return answerIterator(call.id, iterator)
    return answerValue(call.id, value, `the result of ${call.name}`)
  }

  #timeOut(call: RunningCall, timeoutMs: number): void {
    const error = pythonError('TimeoutError', `${call.name}() took longer than ${timeoutMs} ms`)
    abort(call, error)
    // Its arguments are held on until the callback has settled.
    this.#settle(call, answerFailure(call.id, error))
  }

  #settle(call: RunningCall, bytes: Uint8Array<ArrayBuffer>): void {
    const { answer } = call
    call.answer = undefined
    if (answer === undefined) return this.#options.onLate()
    this.#running.delete(call)
    answer(bytes)
    this.#rest()
  }

  #suspend(call: RunningCall, reason: string | undefined): void {
    const { id, name, args, answer, holding } = call
    const { window, onLate } = this.#options
    if (answer === undefined) {
      this.#release(call)
      return onLate()
    }
    if (holding && !window.suspend(holding)) {
      this.#release(call)
      const error = pythonError('MemoryError', 'the arguments of suspended host calls are too large together')
      return this.#settle(call, answerFailure(id, error))
    }
    call.answer = undefined
    this.#running.delete(call)
    this.#suspended.set(String(id), { id, name, args, reason, holding })
    this.#rest()
  }

  #release({ holding }: RunningCall): void {
    if (holding) this.#options.window.release(holding)
  }

  #rest(): void {
    if (this.isSuspended) this.#options.onSuspended()
  }
}

function abort(call: RunningCall, reason: Error): void {
  call.abortedBy ??= reason
  call.controller?.abort(reason)
}

function signalOf(call: RunningCall): AbortSignal {
  call.controller ??= new AbortController()
  if (call.abortedBy) call.controller.abort(call.abortedBy)
  return call.controller.signal
}
