// `POST /exec/programmatic`: code that calls LibreChat's tools. A call suspends the execution; a later request, in any process, resumes it
// at the same line, so no line runs twice.
import { jsonValue } from '../../presentation/json-value.js'
import type { ExecuteResult } from '../../session/outcome.js'
import type { Session } from '../../session.js'
import { ApiError } from './api-error.js'
import {
  type Ended,
  type ExecAnswer,
  type ExecutionContext,
  notesOf,
  prepare,
  refusalOf,
  run,
} from './exec.js'
import { answerFiles, copyInputs } from './inputs.js'
import { type Progress, readProgress, removeProgress, writeProgress } from './progress.js'
import type { ProgrammaticRequest, ToolResult } from './requests.js'
import { aliases, toolCallbacks, toolNames } from './tools.js'

export type ProgrammaticAnswer =
  | ({ readonly status: 'completed' } & ExecAnswer)
  | ({ readonly status: 'error'; readonly error: string } & ExecAnswer)
  | {
      readonly status: 'tool_call_required'
      readonly session_id: string
      readonly continuation_token: string
      readonly tool_calls: readonly { readonly id: string; readonly name: string; readonly input: unknown }[]
    }

interface Step {
  readonly answer: ProgrammaticAnswer
  /** Whether to keep the session: it waits for answers, or has left files. */
  readonly keep: boolean
}

export async function begin(
  context: ExecutionContext,
  request: ProgrammaticRequest,
): Promise<ProgrammaticAnswer> {
  const { sessions, tenant, account, signal } = context
  const refusal = refusalOf(request.lang)
  if (refusal !== undefined) throw new ApiError(400, refusal.trimEnd())
  const names = toolNames(request.tools)
  const given = { labels: { librechat: 'programmatic' }, callbacks: toolCallbacks(names, request.tools) }
  return sessions.create(tenant, account, given, async ({ id, session }) => {
    const inputs = await copyInputs(sessions, tenant, session, request)
    await prepare(session, [], aliases(names))
    const { timeoutMs } = request
    const progress = { ...{ names, timeoutMs, inputs }, stdout: '', stderr: '', changed: [] }
    const bounds = boundsOf(session, timeoutMs, signal)
    return step(context, id, session, progress, () => session.execute(request.code, bounds))
  })
}

/** @throws ApiError if the execution does not wait for these answers, or no longer exists */
export async function proceed(
  context: ExecutionContext,
  token: unknown,
  results: readonly ToolResult[],
): Promise<ProgrammaticAnswer> {
  const { sessions, tenant, signal } = context
  const { id, answer, keep } = await sessions.use(tenant, token, async ({ id, session }) => {
    const progress = await readProgress(session)
    if (progress === undefined || session.pending.length === 0)
      throw new ApiError(404, 'Execution not found or expired')
    // Another process may have started the execution, and callbacks are not stored.
    await session.setCallbacks(toolCallbacks(progress.names))
    const answers = {
      results: Object.fromEntries(
        results.flatMap((one) => (one.error === undefined ? [[one.id, one.result]] : [])),
      ),
      errors: Object.fromEntries(
        results.flatMap((one) => (one.error === undefined ? [] : [[one.id, new Error(one.error)]])),
      ),
    }
    const bounds = boundsOf(session, progress.timeoutMs, signal)
    return {
      id,
      ...(await step(context, id, session, progress, () => session.resume({ ...answers, ...bounds }))),
    }
  })
  if (!keep) await sessions.drop(tenant, id)
  return answer
}

async function step(
  context: ExecutionContext,
  id: string,
  session: Session,
  progress: Progress,
  execute: () => Promise<ExecuteResult>,
): Promise<Step> {
  const ended = await run(context, session, progress.inputs.before, execute)
  const now = {
    ...progress,
    stdout: progress.stdout + ended.stdout,
    stderr: progress.stderr + ended.stderr,
    changed: [...new Set([...progress.changed, ...ended.changed])],
  }
  if (session.pending.length > 0 && ended.failure === undefined) {
    await writeProgress(session, now)
    return { answer: waiting(id, session, now), keep: true }
  }
  await removeProgress(session)
  return finished(id, ended, now)
}

function waiting(id: string, session: Session, { names }: Progress): ProgrammaticAnswer {
  const tools = new Map(names.map(({ callback, tool }) => [callback, tool]))
  return {
    status: 'tool_call_required',
    session_id: id,
    continuation_token: id,
    tool_calls: session.pending.map(({ id: call, name, args }) => ({
      id: call,
      name: tools.get(name) ?? name,
      // Schemas of tools seldom allow null, so an argument of None counts as one that was left out.
      input: jsonValue(Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null))),
    })),
  }
}

function finished(id: string, { failure }: Ended, progress: Progress): Step {
  const { inputs, stdout, stderr, changed } = progress
  const files = failure === undefined ? answerFiles(id, inputs, new Set(changed)) : []
  const answer = { session_id: id, stdout, stderr: stderr + notesOf(inputs.notes), files }
  const keep = files.some(({ inherited }) => inherited === undefined)
  if (failure !== undefined) return { answer: { status: 'error', error: failure, ...answer }, keep }
  return { answer: { status: 'completed', ...answer }, keep }
}

function boundsOf(session: Session, timeoutMs: number | undefined, signal: AbortSignal) {
  const most = session.executionTimeoutMs ?? Number.POSITIVE_INFINITY
  return { signal, ...(timeoutMs !== undefined && timeoutMs < most && { timeoutMs }) }
}
