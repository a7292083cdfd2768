// One host call, from its arrival until it is answered or suspended. Owns the call's state: where its answer goes, what it holds,
// its abort signal, and the context of its callback. dispatcher.ts runs the calls.
import { InvalidOptionError } from '../shared/errors.js'
import { pythonError } from './answers.js'
import type { CallContext } from './callbacks.js'
import { INPUT } from './input.js'
import type { Request } from './requests.js'
import type { Holding, Lease } from './window.js'

/** Thrown by `context.suspend` to unwind the callback. Only the dispatcher may catch it. */
export class Suspension extends Error {
  constructor(
    readonly call: RunningCall,
    readonly why: string | undefined,
  ) {
    super('this call is suspended; let the error of suspend() through')
  }
}

export type Answer = (bytes: Uint8Array<ArrayBuffer>) => void

/** Where the answers of a message's calls go. */
export interface Route {
  /** The slot blocks until it has the answer. */
  blocking: boolean
  /** Undefined once the answers are no longer needed. */
  answer: Answer | undefined
  /** Credit of the slot that sent the calls. */
  readonly lease: Lease | undefined
}

/** A call that is queued or whose callback is running. */
export class RunningCall {
  readonly id: number
  readonly name: string
  readonly args: Request['args']
  readonly hasCollisions: boolean
  readonly memberCount: number
  /** As in `Route`. */
  blocking: boolean
  answer: Answer | undefined
  /** Held until the callback has settled. Undefined if there was no room for the arguments. */
  readonly holding: Holding | undefined
  /** Created when the callback first reads its signal. Creating one costs more than the rest of a call, and most callbacks need none. */
  controller: AbortController | undefined
  /** Set once the call's result is no longer needed. */
  abortedBy: Error | undefined
  /** When its callback was called, by `performance.now()`; undefined if the call is traced, because tracing has its own clock. */
  startedMs: number | undefined

  constructor(
    { id, name, args, hasCollisions, memberCount }: Request,
    { blocking, answer }: Route,
    holding: Holding | undefined,
  ) {
    this.id = id
    this.name = name
    this.args = args
    this.hasCollisions = hasCollisions
    this.memberCount = memberCount
    this.blocking = blocking
    this.answer = answer
    this.holding = holding
    this.controller = undefined
    this.abortedBy = undefined
    this.startedMs = undefined
  }
}

/** Aborts the callback's signal, because the result is no longer needed. */
export function abort(call: RunningCall, reason: Error): void {
  call.abortedBy ??= reason
  call.controller?.abort(reason)
}

/** The second argument of the call's callback. */
export function contextOf<S>(call: RunningCall, session: S): CallContext<S> {
  return {
    session,
    get signal() {
      return signalOf(call)
    },
    suspend: (why) => {
      if (why !== undefined && typeof why !== 'string') throw new InvalidOptionError('reason', 'text', why)
      if (call.blocking)
        throw pythonError(
          'RuntimeError',
          call.name === INPUT
            ? 'input() blocks in a function that is not async, so it cannot be suspended; call it at the top level or in an async function'
            : 'a call that blocks its thread cannot be suspended; await it instead',
        )
      throw new Suspension(call, why)
    },
  }
}

function signalOf(call: RunningCall): AbortSignal {
  call.controller ??= new AbortController()
  if (call.abortedBy) call.controller.abort(call.abortedBy)
  return call.controller.signal
}
