// The host calls of one session: each runs its callback once and is answered once. Owns the calls in flight, the suspended ones,
// their limits and their signals. What asks is hostile: names are looked up in a Map, arguments are plain values, ids are the
// guest's own business (ATTACKS.md D27, B15). How answers travel is the slot's.
import { InvalidOptionError } from '../errors.js'
import type { Limits } from '../options.js'
import type { Session } from '../session.js'
import type { PendingCall } from '../snapshot/manifest.js'
import { isInstance } from '../thrown.js'
import { type Decoded, decode, MalformedValueError } from '../values/decode.js'
import type { Value } from '../values/value.js'
import { answerFailure, answerIterator, answerValue, NO_ANSWER, pythonError } from './answers.js'
import type { CallbackContext, ResolvedCallback, ResolvedCallbacks } from './callbacks.js'
import { HostIterators } from './iterators.js'

/** Thrown by `suspend`, and meant for nobody but the dispatcher. */
class Suspension extends Error {
  constructor(
    readonly call: RunningCall,
    readonly why: string | undefined,
  ) {
    super('this call is suspended; let the error of suspend() through')
  }
}

export interface Request {
  readonly id: number
  readonly name: string
  readonly args: Record<string, Value>
}

interface RunningCall extends Request {
  readonly controller: AbortController
  /** Its slot blocks until it has the answer. */
  blocking: boolean
  answer: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined
}

interface SuspendedCall extends Request {
  readonly reason: string | undefined
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
    return this.#suspended.size > 0 && this.#running.size === 0
  }

  /** An execution begins: its calls are counted from zero. */
  begin(): void {
    this.#invocations = 0
  }

  /** The new calls of an execution that awaits. @throws MalformedValueError */
  receive(payload: Uint8Array): void {
    const { tree } = decode(payload)
    if (!Array.isArray(tree)) throw new MalformedValueError('host calls that are no list')
    for (const call of tree as readonly Decoded[]) {
      this.#start({ ...readRequest(call), blocking: false, answer: this.#options.onAnswer })
    }
  }

  /** A call whose slot blocks until it is answered. @throws MalformedValueError */
  receiveBlocking(payload: Uint8Array, answer: (bytes: Uint8Array) => void): void {
    this.#start({ ...readRequest(decode(payload).tree), blocking: true, answer })
  }

  /** An execution ended before its time: whoever works for it is told. Answers still count, if its interpreter lives. */
  abort(reason: Error): void {
    for (const { controller } of this.#running) controller.abort(reason)
  }

  /** The interpreter is gone, or holds another state: nothing under way is for it. */
  forget(reason: Error): void {
    for (const call of this.#running) {
      // The door counts its answers, said or not (workers/host/host-calls.ts).
      if (call.blocking) call.answer?.(NO_ANSWER)
      call.answer = undefined
    }
    this.abort(reason)
    this.#running.clear()
    this.#queued = []
    this.#suspended.clear()
    this.#iterators.close()
  }

  /** The state has moved to another slot, whose door does not know of the calls under way. */
  move(): void {
    for (const call of this.#running) {
      if (!call.blocking) continue
      call.blocking = false
      call.answer = this.#options.onAnswer
    }
  }

  /** The interpreter holds a snapshot's state, with calls that nobody here has made. */
  adopt(calls: readonly PendingCall[]): void {
    // Both may be thousands.
    const running = new Set([...this.#running].map((call) => String(call.id)))
    for (const { id, name, args, reason } of calls) {
      if (running.has(id)) continue
      this.#suspended.set(id, { id: Number(id), name, args: { ...args }, reason })
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
    for (const id of answers.keys()) this.#suspended.delete(id)
    return [...answers.values()]
  }

  #start(request: Omit<RunningCall, 'controller'>): void {
    if (this.#running.size >= MAX_CALLS_UNDER_WAY)
      throw new MalformedValueError(`more than ${MAX_CALLS_UNDER_WAY} host calls at once`)
    const call: RunningCall = { ...request, controller: new AbortController() }
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
    const { callbackTimeoutMs, callbackInvocations } = this.#options.limits
    const timer =
      callbackTimeoutMs === null
        ? undefined
        : setTimeout(() => this.#timeOut(call, callbackTimeoutMs), callbackTimeoutMs)
    try {
      if (this.#iterators.serves(call.name)) {
        const { id, name, args } = call
        return this.#settle(call, answerValue(id, await this.#iterators.serve(name, args), name))
      }
      if (callbackInvocations !== null && ++this.#invocations > callbackInvocations)
        throw pythonError('RuntimeError', `more than ${callbackInvocations} host calls in one execution`)
      const callback = this.#callbacks.get(call.name)
      if (callback === undefined) throw pythonError('NameError', `there is no callback named ${call.name}`)
      const value = await this.#invoke(callback, call)
      this.#settle(call, this.#encode(call, value))
    } catch (error) {
      if (isInstance(error, Suspension) && error.call === call) this.#suspend(call, error.why)
      else this.#settle(call, answerFailure(call.id, error))
    } finally {
      clearTimeout(timer)
    }
  }

  async #invoke({ fn, parameters }: ResolvedCallback, call: RunningCall): Promise<unknown> {
    const args = await parameters.check(call.args)
    const context: CallbackContext = {
      session: this.#options.session,
      // Made when it is asked for: that takes longer than all the rest here, and most callbacks never do.
      get signal() {
        return call.controller.signal
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
    call.controller.abort(error)
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
    const { id, name, args, answer } = call
    call.answer = undefined
    if (answer === undefined) return this.#options.onLate()
    this.#running.delete(call)
    this.#suspended.set(String(id), { id, name, args, reason })
    this.#rest()
  }

  #rest(): void {
    if (this.isSuspended) this.#options.onSuspended()
  }
}

function readRequest(tree: Decoded): Request {
  const [id, name, args] = Array.isArray(tree) ? (tree as readonly Decoded[]) : []
  if (!Number.isSafeInteger(id) || typeof name !== 'string' || !isRecord(args))
    throw new MalformedValueError('a host call of unknown shape')
  return { id: id as number, name, args }
}

function isRecord(value: Decoded | undefined): value is Record<string, Value> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
