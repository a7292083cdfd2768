// One execution on the server, with the callbacks that run here. Owns the protocol: the client sends code and receives events; calls
// suspend the execution, and their answers resume it.
import { LONGEST_KEY } from '../options/execution.js'
import type { WireEvents, WireExecution, WireResult } from '../presentation/wire.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { PythonSession } from '../session/python-session.js'
import { CancelledError, TimeoutError } from '../shared/errors.js'
import type { Callbacks } from './callbacks.js'
import { type Answers, Calls } from './calls.js'
import { executionError, problemError } from './errors.js'
import { eventsOf } from './events.js'
import type { Listeners } from './listeners.js'
import { Totals } from './totals.js'
import type { RequestOptions, Transport } from './transport.js'
import { decodeDisplay, decodePending } from './values.js'

export interface ExecutionContext {
  readonly transport: Transport
  readonly session: PythonSession
  /** The session's path on the server. */
  readonly path: string
  readonly callbacks: Callbacks
  readonly listeners: Listeners
  readonly signal: AbortSignal | undefined
  readonly idempotencyKey: string | undefined
  readonly timeoutMs: number | null | undefined
  /** Called when the server has received the code. */
  readonly onSent: () => void
  /** Updates what the session knows about itself. */
  readonly onPart: (part: WireExecution) => void
}

interface Step {
  readonly action: 'execute' | 'resume'
  readonly json: Readonly<Record<string, unknown>>
  /** The first call that it answers; undefined for the step that the caller asked for. */
  readonly answered?: string | undefined
}

/** How long code that catches the cancellation may still run. */
const ABANDON_MS = 1000

/** @throws what `session.execute` throws */
export async function runExecution(context: ExecutionContext, first: Step): Promise<ExecuteResult> {
  const calls = new Calls(context.callbacks, context.session)
  const totals = new Totals()
  try {
    let step = first
    for (;;) {
      const part = await exchange(context, step, calls, totals.spentMs)
      totals.add(part)
      context.onPart(part)
      if (part.status === 'error') {
        const { stdout, stderr, displays } = totals
        throw executionError(part.error, context.session.id, { stdout, stderr, displays })
      }
      const answers =
        part.status === 'suspended' ? await nextAnswers(context, part, calls, totals) : undefined
      if (answers === undefined) return totals.result(part)
      const [answered] = Object.keys({ ...answers.results, ...answers.errors })
      step = { action: 'resume', json: answers, answered }
    }
  } finally {
    calls.end()
  }
}

/**
 * Sends the step. Sends it again if the server had no interpreter for it, or after a broken connection if an idempotency key makes sure that
 * the code runs once.
 */
async function exchange(
  context: ExecutionContext,
  step: Step,
  calls: Calls,
  spentMs: number,
): Promise<WireExecution> {
  const { transport, idempotencyKey, signal, session, timeoutMs } = context
  // The answers of each step are a request of their own, so they need another key. It names a call and no number of a step, because a client
  // that continues another one's execution has not seen all steps.
  const key = idempotencyKey && step.answered ? resumeKey(idempotencyKey, step.answered) : idempotencyKey
  const leftMs = typeof timeoutMs === 'number' ? Math.max(1, timeoutMs - spentMs) : timeoutMs
  const options: RequestOptions = {
    ...{ signal, sessionId: session.id, accept: 'text/event-stream', isRepeatable: key !== undefined },
    json: { ...step.json, values: 'exact', ...(leftMs !== undefined && { timeoutMs: leftMs }) },
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  }
  const path = `${context.path}/${step.action}`
  return transport.retried('POST', options, () => listen(context, path, options, calls))
}

/** No longer than a key may be. Two that are cut to the same text are no danger: the server rejects the second. */
function resumeKey(key: string, answered: string): string {
  const end = `.${answered}`
  return key.slice(0, LONGEST_KEY - end.length) + end
}

async function listen(
  { transport, listeners, signal, session, onSent }: ExecutionContext,
  path: string,
  options: RequestOptions,
  calls: Calls,
): Promise<WireExecution> {
  const { response, timer } = await transport.open('POST', path, options)
  onSent()
  try {
    if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
      return executionOf(await response.json())
    if (response.body === null) throw new TypeError('the response has no body')
    for await (const { name, data } of eventsOf(response.body, () => timer.restart())) {
      const event: unknown = JSON.parse(data)
      if (name === 'output') listeners.output(event as WireEvents['output'])
      if (name === 'display') listeners.display(decodeDisplay((event as WireEvents['display']).display))
      if (name === 'pending') calls.start((event as WireEvents['pending']).pending.map(decodePending))
      if (name === 'result') return executionOf(event)
      if (name === 'error') {
        const problem = event as WireEvents['error']
        throw problemError(problem.status, { ...problem }, undefined, session.id)
      }
    }
    throw new TypeError('the stream of events ended before the execution')
  } catch (error) {
    throw transport.failure(error, timer, signal)
  } finally {
    timer.stop()
  }
}

/** Detects an answer that a proxy has replaced. @throws SyntaxError, which becomes a ServerError */
function executionOf(given: unknown): WireExecution {
  const { status, displays } = Object(given)
  if (typeof status === 'string' && Array.isArray(displays)) return given as WireExecution
  throw new SyntaxError('the answer is not an execution')
}

/** @throws CancelledError, TimeoutError */
async function nextAnswers(
  context: ExecutionContext,
  { pending }: WireResult,
  calls: Calls,
  totals: Totals,
): Promise<Answers | undefined> {
  const { signal, timeoutMs } = context
  const waiting = pending.map(decodePending)
  calls.start(waiting)
  const leftMs = typeof timeoutMs === 'number' ? Math.max(1, timeoutMs - totals.spentMs) : undefined
  const stopped = stopsAfter(leftMs, signal)
  const sinceMs = performance.now()
  try {
    const answers = await Promise.race([calls.next(waiting), stopped.promise])
    if (answers !== STOPPED) return answers
  } finally {
    stopped.clear()
    totals.waitedMs += performance.now() - sinceMs
  }
  await abandon(
    context,
    pending.map(({ id }) => id),
  )
  throw signal?.aborted
    ? new CancelledError('interrupted', { cause: signal.reason })
    : new TimeoutError(timeoutMs as number, 'interrupted')
}

const STOPPED = Symbol('stopped')

function stopsAfter(ms: number | undefined, signal: AbortSignal | undefined) {
  let stop = () => {}
  const promise = new Promise<typeof STOPPED>((resolve) => {
    stop = () => resolve(STOPPED)
  })
  const timer = ms === undefined ? undefined : setTimeout(stop, ms)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const clear = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
  return { promise, clear }
}

/** Ends an execution whose answers will not come, as an interrupt would. */
async function abandon({ transport, path, onPart }: ExecutionContext, ids: readonly string[]): Promise<void> {
  const error = { type: 'KeyboardInterrupt', message: '' }
  const errors = Object.fromEntries(ids.map((id) => [id, error]))
  const json = { errors, values: 'exact', timeoutMs: ABANDON_MS }
  try {
    onPart(await transport.json<WireExecution>('POST', `${path}/resume`, { json }))
  } catch (error) {
    // The caller gets an error for its timeout or signal anyway. If the session is still suspended, its next call reports that.
    if (!(error instanceof Error)) throw error
  }
}
