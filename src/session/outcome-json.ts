// The outcome of a call as JSON: a result, or the error of an execution. Owns which parts are left out if it is too large. Omits pending
// calls, because the session itself has them.
import {
  CancelledError,
  ExecutionError,
  InterpreterCrashedError,
  LimitError,
  type Outcome,
  PythonError,
  type PythonFrame,
  TimeoutError,
} from '../shared/errors.js'
import { fromJson, type Json, JsonValueError, toJson } from '../shared/values/json.js'
import type { ExecuteResult } from './outcome.js'

export type Settled = PromiseSettledResult<unknown>

/** Limit in characters for each text in an outcome that is too large. */
const CUT_LENGTH = 8192
const MOST_FRAMES = 20
/** Limit in characters for the name of a class, a function or a file, which Python code chooses. */
const CUT_NAME_LENGTH = 256
const MOST_LOST = 16

/**
 * Encodes an outcome. If it has more than about `maxBytes`, truncates texts and leaves out values, displays and the list of files; `lost`
 * says so.
 *
 * @param settled the outcome of `execute` or `resume`
 */
export function outcomeToJson(settled: Settled, maxBytes: number): Json {
  const parts = settled.status === 'fulfilled' ? { result: settled.value } : describe(settled.reason)
  try {
    return toJson(withoutPending(parts), maxBytes)
  } catch (error) {
    if (!(error instanceof JsonValueError)) throw error
    return toJson(withoutPending(cut(parts)))
  }
}

/** @throws JsonValueError */
export function outcomeFromJson(json: unknown): Settled {
  const { result, error } = Object(fromJson(json)) as Partial<Parts>
  if (typeof result === 'object' && result !== null) {
    const { value, repr, ...rest } = result as ExecuteResult
    return { status: 'fulfilled', value: { ...rest, value, repr, pending: [] } satisfies ExecuteResult }
  }
  if (typeof error !== 'object' || error === null) throw new JsonValueError('not an outcome')
  return { status: 'rejected', reason: revive(error) }
}

interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly stdout?: string
  readonly stderr?: string
  readonly displays?: unknown
  readonly fields?: Readonly<Record<string, unknown>>
}

interface Parts {
  readonly result?: unknown
  readonly error?: ErrorParts
}

function withoutPending({ result, error }: Parts): Parts {
  return error ? { error } : { result: { ...(result as ExecuteResult), pending: undefined } }
}

function describe(error: unknown): Parts {
  if (!(error instanceof Error)) return { error: { name: 'Error', message: String(error) } }
  const { name, message } = error
  if (!(error instanceof ExecutionError)) return { error: { name, message } }
  const { stdout, stderr, displays } = error
  return { error: { name, message, stdout, stderr, displays, fields: fieldsOf(error) } }
}

function fieldsOf(error: ExecutionError): Record<string, unknown> {
  if (error instanceof PythonError) {
    const { type, detail, traceback, frames, exitCode } = error
    return { type, detail, traceback, frames, exitCode }
  }
  if (error instanceof TimeoutError) return { timeoutMs: error.timeoutMs, outcome: error.outcome }
  if (error instanceof LimitError) return { limit: error.limit, max: error.max, outcome: error.outcome }
  if (error instanceof InterpreterCrashedError) return { reason: error.reason, outcome: error.outcome }
  return error instanceof CancelledError ? { outcome: error.outcome } : {}
}

function revive({ name, message, stdout = '', stderr = '', displays = [], fields = {} }: ErrorParts): Error {
  const error = make(name, message, fields)
  error.message = message
  if (error instanceof ExecutionError)
    ExecutionError.attach(error, { stdout, stderr, displays: displays as ExecutionError['displays'] })
  return error
}

function make(name: string, message: string, fields: Readonly<Record<string, unknown>>): Error {
  const outcome = fields.outcome as Outcome
  switch (name) {
    case 'PythonError': {
      const { type, detail, traceback, frames, exitCode } = fields as Record<string, string> & {
        readonly frames: readonly (Omit<PythonFrame, 'line'> & Partial<Pick<PythonFrame, 'line'>>)[]
        readonly exitCode?: number
      }
      const texts = { message, type: `${type}`, detail: `${detail}`, traceback: `${traceback}` }
      return new PythonError({
        ...texts,
        exitCode,
        frames: frames.map((frame) => ({ ...frame, line: frame.line })),
      })
    }
    case 'TimeoutError':
      return new TimeoutError(Number(fields.timeoutMs), outcome)
    case 'LimitError':
      return new LimitError(String(fields.limit), Number(fields.max), outcome)
    case 'InterpreterCrashedError':
      return new InterpreterCrashedError(String(fields.reason), outcome)
    case 'CancelledError':
      return new CancelledError(outcome)
    default: {
      const error = new Error(message)
      error.name = name
      return error
    }
  }
}

function cut({ result, error }: Parts): Parts {
  if (error) {
    const { type, traceback, frames = [], detail, reason, ...others } = error.fields ?? {}
    const texts =
      traceback === undefined
        ? {}
        : {
            type: head(type as string, CUT_NAME_LENGTH),
            traceback: tail(traceback as string),
            detail: head(detail as string),
            frames: (frames as readonly PythonFrame[]).slice(-MOST_FRAMES).map(cutFrame),
          }
    const { name, message, stdout = '', stderr = '' } = error
    const produced = { stdout: tail(stdout), stderr: tail(stderr), displays: [] }
    const cutReason = reason === undefined ? {} : { reason: head(reason as string) }
    const fields = { ...others, ...cutReason, ...texts }
    return { error: { name: head(name, CUT_NAME_LENGTH), message: head(message), ...produced, fields } }
  }
  const { stdout, stderr, repr, lost, files, moreFiles, ...rest } = result as ExecuteResult
  return {
    result: {
      ...rest,
      stdout: tail(stdout),
      stderr: tail(stderr),
      repr: repr && head(repr),
      value: undefined,
      exact: false,
      lost: [
        ...lost.slice(0, MOST_LOST).map((text) => head(text, CUT_NAME_LENGTH)),
        'result: too large to be kept whole: values, displays and files are left out',
      ],
      display: {},
      displays: [],
      files: [],
      moreFiles: moreFiles + files.length,
    },
  }
}

function cutFrame(frame: PythonFrame): PythonFrame {
  const texts = Object.entries(frame).map(([name, value]) => [
    name,
    typeof value === 'string' ? head(value, CUT_NAME_LENGTH) : value,
  ])
  return Object.fromEntries(texts) as PythonFrame
}

function head(text: string, length = CUT_LENGTH): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`
}

function tail(text: string): string {
  return text.length <= CUT_LENGTH ? text : `…${text.slice(-CUT_LENGTH)}`
}
