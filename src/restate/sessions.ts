// The sessions behind the virtual object: opens them in this process, calls them, and decides what a failure means to Restate. Outcomes are
// returned as data; errors that a retry may fix are thrown unchanged; all others become a TerminalError.
import { TerminalError } from '@restatedev/restate-sdk'
import type { ExecuteResult, GetOrCreateOptions, Session } from '../index.js'
import { outcomeToJson } from '../session/outcome-json.js'
import {
  BrumateError,
  CancelledError,
  InterpreterCrashedError,
  LimitError,
  PoolExhaustedError,
  PythonError,
  SessionClosedError,
  SessionMovedError,
  SessionOwnedError,
  SnapshotError,
  StoreError,
  TimeoutError,
} from '../shared/errors.js'
import { JsonValueError, toJson } from '../shared/values/json.js'
import type { ResolvedObjectOptions } from './options.js'
import type { Step, WaitingCall } from './reply.js'

/** Errors that are an outcome of an execution. */
const OUTCOMES = [PythonError, TimeoutError, LimitError, InterpreterCrashedError, CancelledError]
/** Temporary errors: another process, a busy or closing manager, an unreachable store. The same call succeeds later, or elsewhere. */
const PASSING = [StoreError, SessionMovedError, SessionOwnedError, SessionClosedError, PoolExhaustedError]
/** Code can answer each cancelled host call with another call, so stop at some point. */
const MOST_CANCELLED_ROUNDS = 10

export class Sessions {
  readonly #options: ResolvedObjectOptions
  readonly #callbacks: NonNullable<GetOrCreateOptions['callbacks']>

  constructor(options: ResolvedObjectOptions) {
    this.#options = options
    // Each host call suspends the execution, because its answer may come in another process.
    this.#callbacks = Object.fromEntries(
      [...options.callbacks].map(([name, { description, parameters }]) => [
        name,
        {
          fn: (_: unknown, { suspend }: { suspend: () => never }) => suspend(),
          ...(description === undefined ? {} : { description }),
          ...(parameters === undefined ? {} : { parameters }),
        },
      ]),
    )
  }

  /**
   * Runs one step of an execution. It runs once, no matter how often it is called with the same key.
   *
   * @throws TerminalError, and errors after which the step can be tried again
   */
  step(id: string, run: (session: Session) => Promise<ExecuteResult>): Promise<Step> {
    return this.#with(id, async (session) => {
      let settled = await settle(run(session))
      // If the interpreter was lost before the code ran, this runs it. Otherwise it returns the outcome that is known.
      if (settled.status === 'rejected' && settled.reason instanceof InterpreterCrashedError)
        settled = await settle(run(session))
      if (settled.status === 'rejected') await requireOutcome(session, settled.reason)
      const pending = settled.status === 'fulfilled' ? settled.value.pending : []
      return {
        outcome: outcomeToJson(settled, this.#options.maxResultBytes),
        pending: pending.map(({ id: callId, name, args }) => this.#waiting(callId, name, args)),
      }
    })
  }

  /** Interrupts a cancelled execution, and answers its pending calls with errors, so that it ends. */
  async cancel(id: string, reason: string): Promise<void> {
    await this.#with(id, async (session) => {
      // Restate does not wait for the running step.
      await session.interrupt()
      for (let rounds = 0; session.pending.length > 0; rounds += 1) {
        if (rounds === MOST_CANCELLED_ROUNDS)
          throw new TerminalError(`the cancelled execution keeps making host calls; reset the session ${id}`)
        const errors = Object.fromEntries(session.pending.map((call) => [call.id, new Error(reason)]))
        const settled = await settle(session.resume({ errors }))
        if (settled.status === 'rejected') await requireOutcome(session, settled.reason)
      }
    })
  }

  /** @throws TerminalError, and errors after which the call can be tried again */
  call<T>(id: string, run: (session: Session) => Promise<T>): Promise<T> {
    return this.#with(id, run)
  }

  async #with<T>(id: string, run: (session: Session) => Promise<T>): Promise<T> {
    const { manager, session: optionsOf } = this.#options
    try {
      // Restate gives a session to one invocation at a time, so any other holder of its lease was killed, or is a zombie.
      const options = { ...optionsOf(id), callbacks: this.#callbacks, takeOver: true }
      return await run(await manager.getOrCreate(id, options))
    } catch (error) {
      throw isPassing(error) ? error : terminal(error)
    }
  }

  #waiting(id: string, name: string, args: unknown): WaitingCall {
    try {
      return { id, name, args: toJson(args, this.#options.maxResultBytes) }
    } catch (error) {
      if (!(error instanceof JsonValueError)) throw error
      return { id, name }
    }
  }
}

async function settle<T>(call: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [settled] = await Promise.allSettled([call])
  return settled
}

/** @throws the error, unless it is an outcome of code that has run */
async function requireOutcome(session: Session, error: unknown): Promise<void> {
  const isOutcome = OUTCOMES.some((type) => error instanceof type)
  if (isOutcome && (error as { readonly outcome?: unknown }).outcome !== 'not-started') return
  if (error instanceof StoreError && error.cause instanceof SnapshotError) {
    // Only this process's memory has the state, and no store will take it, so go back to the stored one.
    await session.close().catch(() => {})
    throw new TerminalError(`${error.cause.message}; the session is as it was before the execution`)
  }
  throw error
}

function isPassing(error: unknown): boolean {
  if (error instanceof TerminalError) return false
  if (error instanceof StoreError && (error.reason === 'damaged' || error.reason === 'unsuitable'))
    return false
  if (PASSING.some((type) => error instanceof type)) return true
  if (error instanceof LimitError) return error.outcome === 'not-started'
  return !(error instanceof BrumateError || error instanceof TypeError)
}

function terminal(error: unknown): TerminalError {
  if (error instanceof TerminalError) return error
  const { message } = error as Error
  const metadata = error instanceof BrumateError ? { code: error.code } : {}
  return new TerminalError(message, { errorCode: 400, metadata })
}
