// The calls of a session: run one after the other (A9), and acknowledged once the store has their effect, if the store keeps the session.
// Owns the queue, how it ends, and since when the session is idle. runner.ts and placement.ts implement the calls.
import { currentCaller } from '../callbacks/caller.js'
import {
  ExecutionError,
  InvalidOptionError,
  type Produced,
  SessionClosedError,
  SessionMovedError,
  StoreError,
} from '../shared/errors.js'
import type { Observer } from '../telemetry/observer.js'
import { refusable } from './callers.js'
import { CallQueue } from './calls.js'
import type { HostSide } from './host-side.js'
import type { KeyedCall } from './kept-outcomes.js'
import type { CallEnd } from './persistence.js'
import type { Placement } from './placement.js'
import type { Runner } from './runner.js'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Undefined if the call has no idempotency key. */
  readonly keyed?: KeyedCall | undefined
}

/** @param request called if the call has a key: the fingerprint of what it asks for */
export function keyed(
  {
    signal,
    idempotencyKey: key,
  }: { readonly signal?: AbortSignal | undefined; readonly idempotencyKey: string | undefined },
  request: () => string,
): CallOptions {
  return { signal, keyed: key === undefined ? undefined : { key, request: request() } }
}

const NEEDS_ID = [
  'idempotencyKey',
  'a session with an id',
  undefined,
  'idempotencyKey: only sessions with an id, which the store keeps, know the outcomes of earlier calls',
] as const

interface SessionCallsParts {
  readonly observer: Observer
  /** The session that the calls belong to. Its own callbacks may not wait for them. */
  readonly session: unknown
  readonly hostSide: Pick<HostSide, 'startedBy'>
  readonly placement: Placement
  readonly runner: Runner
  /** Called each time when no call is left. */
  readonly onIdle: () => void
}

export class SessionCalls implements CallEnd {
  readonly #observer: Observer
  readonly #session: unknown
  readonly #hostSide: SessionCallsParts['hostSide']
  readonly #queue: CallQueue
  readonly #placement: Placement
  readonly #runner: Runner
  /** The running call only captures the state. Once it has ended, another session can use the slot. */
  #isSaving = false
  /** `settle` has interrupted the running call. */
  #isInterrupted = false
  /** The error of the call that `settle` has interrupted. */
  #cutShort: Error | undefined
  #idleSinceMs = performance.now()

  constructor({ observer, session, hostSide, placement, runner, onIdle }: SessionCallsParts) {
    this.#observer = observer
    this.#session = session
    this.#hostSide = hostSide
    this.#queue = new CallQueue(onIdle)
    this.#placement = placement
    this.#runner = runner
  }

  /** Resolves when the running call has settled; undefined if none is running. Never rejects. */
  get running(): Promise<void> | undefined {
    return this.#queue.running
  }

  /** When the last call settled; undefined while a call is running or queued. */
  get idleSinceMs(): number | undefined {
    return this.running === undefined && this.#queue.length === 0 ? this.#idleSinceMs : undefined
  }

  /** Whether no call is running that could leave something behind in the slot. */
  get isSlotClean(): boolean {
    return this.running === undefined || this.#isSaving
  }

  /** Runs an execution. Does not wait for a checkpoint in progress, because the slot handles both in order. */
  run<T>(task: () => Promise<T>, { signal, keyed }: CallOptions = {}): Promise<T> {
    const { persistence } = this.#placement
    if (persistence === undefined) {
      if (keyed !== undefined) throw new InvalidOptionError(...NEEDS_ID)
      return this.#start(task, signal)
    }
    const run = () => this.#runKept(task, keyed !== undefined)
    if (keyed === undefined) return this.#start(() => persistence.acknowledge(run(), this), signal)
    return this.#start(() => persistence.once(keyed, run, this), signal)
  }

  /** Whether code of the call that started last has run, at least in part. */
  hasRun(): boolean {
    return this.#runner.hasRun
  }

  /** Whether `reason` is the error of the call that was interrupted because the session closes. */
  isCutShort(reason: unknown): boolean {
    return reason !== undefined && reason === this.#cutShort
  }

  /** Runs a call other than an execution, after the captures in progress. */
  runAfterCaptures<T>(task: () => Promise<T>): Promise<T> {
    return this.run(async () => {
      await this.#placement.captures.inProgress
      return task()
    })
  }

  /** Runs a call that only reads the slot's state. */
  save<T>(task: () => Promise<T>): Promise<T> {
    return this.#start(async () => {
      this.#isSaving = true
      try {
        await this.#placement.captures.inProgress
        return await task()
      } finally {
        this.#isSaving = false
      }
    })
  }

  /** Rejects all queued and later calls. */
  close(error: Error): void {
    this.#queue.close(error)
  }

  /** Like `close`, but also waits for the running call, until `untilMs` (on the clock of `performance.now()`) at the latest. */
  async finish(error: Error, untilMs: number): Promise<void> {
    this.close(error)
    await settlesUntil(this.running, untilMs)
  }

  /**
   * Ends the calls of a session that will be stored: rejects the queued calls, gives the running call until `untilMs` (in time of
   * `performance.now()`) to finish, and then interrupts it.
   */
  async settle(error: Error, untilMs: number): Promise<void> {
    const { running } = this
    await this.finish(error, untilMs)
    if (running !== undefined && this.running === running && !this.#isSaving) {
      this.#isInterrupted = true
      this.#placement.endWaits()
      this.#runner.interrupt()
    }
    await running
    await this.#placement.captures.inProgress
  }

  #start<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const caller = currentCaller()
    const start = () => {
      this.#hostSide.startedBy = caller
      this.#runner.start()
      return task().finally(() => {
        this.#idleSinceMs = performance.now()
      })
    }
    const bound = this.#observer.bind(start)
    return this.#queue.run(bound, caller ? refusable(this.#session, caller, signal) : signal)
  }

  async #runKept<T>(task: () => Promise<T>, isKeyed: boolean): Promise<T> {
    try {
      await this.#placement.persistence?.requireLease()
      return await task()
    } catch (error) {
      throw this.#isInterrupted && isInterruption(error) ? this.#closedBy(error, isKeyed) : error
    }
  }

  /** Creates the error for a call that was interrupted because its session closes. */
  #closedBy(cause: unknown, isKeyed: boolean): Error {
    const error = this.#placement.closedError({ cause })
    this.#cutShort = error
    if (this.#runner.hasRun && error.cause === cause)
      error.message += isKeyed
        ? ': its code was interrupted, and nothing of this call is stored, so that it can be repeated'
        : ': its code was interrupted, and what it did until then is stored'
    if (error instanceof ExecutionError && cause instanceof ExecutionError) {
      const { stdout, stderr, displays }: Produced = cause
      ExecutionError.attach(error, { stdout, stderr, displays })
    }
    return error
  }
}

function isInterruption(error: unknown): boolean {
  const others = [StoreError, SessionMovedError, SessionClosedError]
  return !others.some((type) => error instanceof type)
}

/** Never rejects. */
async function settlesUntil(running: Promise<void> | undefined, untilMs: number): Promise<void> {
  const waitMs = untilMs - performance.now()
  if (running === undefined || waitMs <= 0) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs)
  })
  await Promise.race([running, late])
  clearTimeout(timer)
}
