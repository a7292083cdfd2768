// Runs code for a request, and answers with JSON or with events. Owns which errors count as results, and what happens when a client leaves.
import type { ExecuteOptions } from '../options/execution.js'
import type { ValueForm, WireExecution } from '../presentation/wire.js'
import { wireDisplay, wireFailed, wirePending, wireResult } from '../presentation/wire-execution.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { Session } from '../session.js'
import { ExecutionError, type Outcome, PythonError } from '../shared/errors.js'
import { EventStream } from './events.js'
import type { ResolvedAppOptions } from './options.js'
import { problemDocument, problemOf, RequestProblem } from './problems.js'
import type { Account } from './quotas.js'
import type { OpenOptions, Sessions } from './sessions.js'
import type { StoredBytes } from './stored-bytes.js'

export interface ExecutionRequest {
  readonly tenant: string
  readonly id: string
  readonly open: OpenOptions
  readonly account: Account
  /** Counts the request as running until the function it returns is called. */
  readonly begin: () => () => void
  readonly signal: AbortSignal
  readonly wantsEvents: boolean
  readonly timeoutMs: number | null | undefined
  readonly values: ValueForm | undefined
  readonly detached: boolean | undefined
  readonly idempotencyKey: string | undefined
  /** `execute` or `resume` of the session. */
  run(session: Session, options: ExecuteOptions): Promise<ExecuteResult>
}

export class Executions {
  readonly #options: ResolvedAppOptions
  readonly #sessions: Sessions
  readonly #storedBytes: StoredBytes
  /** Called when a host call of the session suspends. */
  readonly #watchers = new WeakMap<Session, Set<() => void>>()
  /** How much of each session's execution time has been charged to its tenant, in ms. */
  readonly #countedMs = new WeakMap<Session, number>()

  constructor(options: ResolvedAppOptions, sessions: Sessions, storedBytes: StoredBytes) {
    this.#options = options
    this.#sessions = sessions
    this.#storedBytes = storedBytes
  }

  onSuspended(session: Session): void {
    // The call is pending only after its callback has returned.
    setImmediate(() => {
      for (const watch of this.#watchers.get(session) ?? []) watch()
    })
  }

  /** @throws RequestProblem, and what opening the session throws */
  async respond(request: ExecutionRequest): Promise<Response> {
    const { account, tenant, id, open, timeoutMs, values = 'json' } = request
    const { maxExecutionTimeoutMs } = this.#options
    if (timeoutMs === null || (timeoutMs !== undefined && timeoutMs > maxExecutionTimeoutMs)) {
      const detail = `timeoutMs: the server allows ${maxExecutionTimeoutMs} at most`
      throw new RequestProblem(422, 'VALIDATION', detail, { option: 'timeoutMs' })
    }
    await this.#storedBytes.require(tenant, account)
    const end = account.begin()
    try {
      const { session, release } = await this.#sessions.acquire(tenant, id, open)
      const done = () => {
        release()
        end()
      }
      if (request.wantsEvents) {
        const answered = request.begin()
        return this.#stream(request, session, values, () => {
          done()
          answered()
        })
      }
      const signal = request.detached ? undefined : request.signal
      try {
        return Response.json(await this.#run(request, session, values, { signal }))
      } finally {
        done()
      }
    } catch (error) {
      end()
      throw error
    }
  }

  #stream(request: ExecutionRequest, session: Session, values: ValueForm, done: () => void): Response {
    const gone = new AbortController()
    const events = new EventStream(this.#options.heartbeatMs, () => {
      if (!request.detached) gone.abort(new Error('the client has closed the connection'))
    })
    const shown = new Set<string>()
    const showPending = () => {
      const pending = session.pending.filter(({ id }) => !shown.has(id))
      if (pending.length === 0) return
      for (const { id } of pending) shown.add(id)
      events.send('pending', { pending: pending.map((call) => wirePending(call, values)) })
    }
    const watchers = this.#watchers.get(session) ?? new Set()
    this.#watchers.set(session, watchers)
    watchers.add(showPending)
    const options: ExecuteOptions = {
      // A stream that was never read is not cancelled when its client leaves, so the request's own signal is needed too.
      signal: request.detached ? gone.signal : AbortSignal.any([gone.signal, request.signal]),
      onOutput: (chunk) => events.send('output', chunk),
      onDisplay: (display) => events.send('display', { display: wireDisplay(display, values) }),
    }
    void this.#run(request, session, values, options)
      .then((execution) => {
        if (execution.status === 'suspended') showPending()
        events.send('result', execution)
      })
      .catch((error) => {
        const problem = problemOf(error, request.tenant) ?? this.#internal(error)
        events.send('error', problemDocument(problem))
      })
      .finally(() => {
        watchers.delete(showPending)
        events.close()
        done()
      })
    return events.response
  }

  #internal(error: unknown): RequestProblem {
    this.#options.onError(error as Error)
    return new RequestProblem(500, 'INTERNAL', 'the server has failed')
  }

  async #run(
    { run, timeoutMs, idempotencyKey, account }: ExecutionRequest,
    session: Session,
    values: ValueForm,
    listeners: ExecuteOptions,
  ): Promise<WireExecution> {
    try {
      const options = {
        ...{ ...listeners, idempotencyKey },
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }
      return wireResult(await run(session, options), values)
    } catch (error) {
      if (!isResult(error)) throw error
      return wireFailed(error, session.executionCount, values)
    } finally {
      this.#count(session, account)
    }
  }

  /** Charges the session's time since the last call, so that executions at the same time do not charge it twice. */
  #count(session: Session, account: Account): void {
    const { executionMs } = session.usage
    account.used(executionMs - (this.#countedMs.get(session) ?? 0))
    this.#countedMs.set(session, executionMs)
  }
}

/** Whether the error says how code ended that has run. */
function isResult(error: unknown): error is ExecutionError {
  if (error instanceof PythonError) return true
  if (!(error instanceof ExecutionError)) return false
  const { outcome } = error as { outcome?: Outcome }
  return outcome !== undefined && outcome !== 'not-started'
}
