// The calls of a session: one after the other (A9), each acknowledged once the store has its effect, if the store keeps the session. Owns
// the queue, how it ends, and since when the session is idle. What a call does is runner.ts's and placement.ts's.
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
import type { CallEnd } from './persistence.js'
import type { Placement } from './placement.js'
import type { Runner } from './runner.js'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly idempotencyKey?: string | undefined
}

const NEEDS_ID = [
  'idempotencyKey',
  'a session with an id',
  undefined,
  'idempotencyKey: only sessions with an id, which the store keeps, know the outcomes of earlier calls',
] as const

interface SessionCallsParts {
  readonly observer: Observer
  /** Whose calls these are: callbacks of its own may not wait for them. */
  readonly session: unknown
  readonly hostSide: Pick<HostSide, 'startedBy'>
  readonly placement: Placement
  readonly runner: Runner
  /** Called each time when nothing is left to do. */
  readonly onIdle: () => void
}

export class SessionCalls implements CallEnd {
  readonly #observer: Observer
  readonly #session: unknown
  readonly #hostSide: SessionCallsParts['hostSide']
  readonly #queue: CallQueue
  readonly #placement: Placement
  readonly #runner: Runner
  /** The running call only captures the state: the slot can be used by another session when that has ended. */
  #isSaving = false
  /** `settle` has interrupted what runs. */
  #isInterrupted = false
  /** What the call was rejected with that `settle` has interrupted. */
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

  /** Settles, always well, when the call that has started is over; nothing when none has. */
  get running(): Promise<void> | undefined {
    return this.#queue.running
  }

  /** When the last call settled; undefined while there is one. */
  get idleSinceMs(): number | undefined {
    return this.running === undefined && this.#queue.length === 0 ? this.#idleSinceMs : undefined
  }

  /** Nothing runs that would leave something in the slot. */
  get isSlotClean(): boolean {
    return this.running === undefined || this.#isSaving
  }

  /** An execution. It need not wait for a checkpoint in progress: the slot handles both in order. */
  run<T>(task: () => Promise<T>, { signal, idempotencyKey }: CallOptions = {}): Promise<T> {
    const { persistence } = this.#placement
    if (persistence === undefined) {
      if (idempotencyKey !== undefined) throw new InvalidOptionError(...NEEDS_ID)
      return this.#start(task, signal)
    }
    const run = () => this.#runKept(task, idempotencyKey !== undefined)
    if (idempotencyKey === undefined) return this.#start(() => persistence.acknowledge(run(), this), signal)
    return this.#start(() => persistence.once(idempotencyKey, run, this), signal)
  }

  /** The code of the call that started last has run, all of it or a part. */
  hasRun(): boolean {
    return this.#runner.hasRun
  }

  /** A call was rejected with this because the session closes. */
  isCutShort(reason: unknown): boolean {
    return reason !== undefined && reason === this.#cutShort
  }

  /** A call other than an execution. */
  runAfterCaptures<T>(task: () => Promise<T>): Promise<T> {
    return this.run(async () => {
      await this.#placement.captures.inProgress
      return task()
    })
  }

  /** A call that only reads the slot's state. */
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

  /** Rejects what is queued and all that comes. */
  close(error: Error): void {
    this.#queue.close(error)
  }

  /** As `close`, and waits for the running call until `untilMs` (of `performance.now()`) at most. */
  async finish(error: Error, untilMs: number): Promise<void> {
    this.close(error)
    await settlesUntil(this.running, untilMs)
  }

  /**
   * Ends the calls of a session that is to be stored: those that wait are rejected, the one that runs may end until `untilMs` (of
   * `performance.now()`), and is interrupted then.
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

  /** Of a call that was interrupted because its session closes. */
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
