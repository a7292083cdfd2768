// One execution as a Restate invocation: runs the code, gets its host calls answered, and resumes it with each answer until it ends. Owns
// the order of the journal: every step and every wait is durable, so that any process can continue from the last one.
import {
  CancelledError,
  type ObjectContext,
  RestatePromise,
  type Serde,
  serde,
  TerminalError,
} from '@restatedev/restate-sdk'
import type { ResumeOptions, Session } from '../index.js'
import { fromJson } from '../shared/values/json.js'
import type { HostCall, ResolvedObjectOptions } from './options.js'
import { type ExecuteReply, type Json, replyOf, type Step, type WaitingCall } from './reply.js'
import type { Sessions } from './sessions.js'

export interface ExecuteRequest {
  readonly code: string
  /** Longest run of the code in ms, without waits for host calls. Default: the session's `executionTimeoutMs`. */
  readonly timeoutMs?: number | null
}

/** A host call that `resume` can answer. */
export interface PendingAnswer extends WaitingCall {
  readonly awakeableId: string
}

/** Key of the object's state that holds the host calls waiting for `resume`. */
export const PENDING = 'pending'
/** Retries of a failed step. */
const RETRIES = { initialRetryInterval: 50, maxRetryInterval: 5000 }

interface Answer {
  readonly id: string
  readonly value?: Json | undefined
  readonly error?: string
}

const AS_JSON = { inputSerde: serde.json as Serde<unknown>, outputSerde: serde.json as Serde<Json> }

export class Execution {
  readonly #ctx: ObjectContext
  readonly #sessions: Sessions
  readonly #options: ResolvedObjectOptions
  /** Unique to the execution, and the same in each attempt. */
  readonly #id: string
  readonly #steps: Step[] = []
  /** Set when the invocation was cancelled, so that a step that has not started yet does not run. */
  #isOver = false
  readonly #answers = new Map<string, RestatePromise<Answer>>()
  readonly #waiting = new Map<string, PendingAnswer>()

  constructor(ctx: ObjectContext, sessions: Sessions, options: ResolvedObjectOptions) {
    this.#ctx = ctx
    this.#sessions = sessions
    this.#options = options
    this.#id = ctx.rand.uuidv4()
  }

  async run({ code, timeoutMs }: ExecuteRequest): Promise<ExecuteReply> {
    const time = timeoutMs === undefined ? {} : { timeoutMs }
    const [ctx, sessions] = [this.#ctx, this.#sessions]
    try {
      let pending = await this.#step('execute', (idempotencyKey) =>
        sessions.step(ctx.key, (session) =>
          this.#unlessOver(session).execute(code, { ...time, idempotencyKey }),
        ),
      )
      while (pending.length > 0) {
        const answer = resumeOptions(await this.#nextAnswer(pending))
        pending = await this.#step('resume', (idempotencyKey) =>
          sessions.step(ctx.key, (session) =>
            this.#unlessOver(session).resume({ ...answer, ...time, idempotencyKey }),
          ),
        )
      }
      this.#publish([])
      return replyOf(this.#steps)
    } catch (error) {
      // Other errors only end this attempt.
      if (!(error instanceof TerminalError)) throw error
      // Cancelled, or impossible to continue: the code must not wait forever.
      this.#isOver = true
      this.#publish([])
      await ctx.run('cancel', () => sessions.cancel(ctx.key, error.message), RETRIES)
      throw error
    }
  }

  async #step(name: string, run: (idempotencyKey: string) => Promise<Step>): Promise<readonly WaitingCall[]> {
    const key = `${this.#id}:${this.#steps.length}`
    const step = await this.#ctx.run(name, () => run(key), RETRIES)
    this.#steps.push(step)
    return step.pending
  }

  #unlessOver(session: Session): Session {
    if (this.#isOver) throw new TerminalError('the execution was cancelled')
    return session
  }

  /** Starts getting new host calls answered, and waits for the first answer to any. */
  async #nextAnswer(pending: readonly WaitingCall[]): Promise<Answer> {
    for (const call of pending) if (!this.#answers.has(call.id)) this.#answers.set(call.id, this.#ask(call))
    // Python may have cancelled some of them meanwhile.
    const ids = new Set(pending.map(({ id }) => id))
    for (const id of this.#answers.keys()) if (!ids.has(id)) this.#drop(id)
    this.#publish([...this.#waiting.values()])
    const answer = await RestatePromise.race([...this.#answers.values()])
    this.#drop(answer.id)
    return answer
  }

  #drop(id: string): void {
    this.#answers.delete(id)
    this.#waiting.delete(id)
  }

  #ask({ id, name, args }: WaitingCall): RestatePromise<Answer> {
    const { callbacks, name: service } = this.#options
    const { key } = this.#ctx
    if (args === undefined) return RestatePromise.resolve({ id, error: 'the arguments are too large' })
    const settled = (value?: Json, failure?: TerminalError): Answer => {
      if (failure instanceof CancelledError) throw failure
      return failure ? { id, error: failure.message } : { id, value }
    }
    if (callbacks.get(name)?.fn === undefined) {
      const { id: awakeableId, promise } = this.#ctx.awakeable<Json>()
      this.#waiting.set(id, { id, name, args, awakeableId })
      return promise.map(settled)
    }
    const call: HostCall = { name, sessionId: key, idempotencyKey: `${this.#id}:${id}` }
    const parameter = { args, call }
    const method = handlerOf(name)
    return this.#ctx.genericCall<unknown, Json>({ service, method, key, parameter, ...AS_JSON }).map(settled)
  }

  /** Stores them for the handlers `pending` and `resume`. */
  #publish(waiting: readonly PendingAnswer[]): void {
    if (waiting.length > 0) this.#ctx.set(PENDING, waiting)
    else this.#ctx.clear(PENDING)
  }
}

function resumeOptions({ id, value = null, error }: Answer): ResumeOptions {
  if (error !== undefined) return { errors: { [id]: new Error(error) } }
  try {
    return { results: { [id]: fromJson(value) } }
  } catch (malformed) {
    return { errors: { [id]: malformed } }
  }
}

/** Name of the handler of a callback. */
export function handlerOf(callback: string): string {
  return `call_${callback}`
}
