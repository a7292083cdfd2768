// One `runCode`: runs code in a session, and reports it as E2B's SDK does. Owns the listeners, and the conversion of results and errors.
import { jsonValue } from '../presentation/json-value.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { Session } from '../session.js'
import { toBase64 } from '../shared/base64.js'
import type { Display } from '../shared/display.js'
import {
  CancelledError,
  TimeoutError as ExecutionTimeoutError,
  InterpreterCrashedError,
  LimitError,
  PythonError,
} from '../shared/errors.js'
import { chartOf } from './charts.js'
import { SandboxError } from './errors.js'
import { Execution, ExecutionError, OutputMessage, type RawData, Result } from './messaging.js'
import type { ContextRecord } from './record.js'

export interface RunCodeOpts {
  onStdout?: (output: OutputMessage) => unknown
  onStderr?: (output: OutputMessage) => unknown
  /** Called with each display when it is shown, and with the value of the last expression. */
  onResult?: (data: Result) => unknown
  onError?: (error: ExecutionError) => unknown
  /** Environment variables for this execution only. */
  envs?: Record<string, string>
  /** Longest run of the code, in ms. 0: no limit. Default 60,000. */
  timeoutMs?: number
  /** Accepted for compatibility: there is no request. */
  requestTimeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 60_000
const MICROSECONDS = 1000
const CHART = 'application/vnd.brumate.chart+json'
const FIELDS: Readonly<Record<string, string>> = {
  'text/plain': 'text',
  'text/html': 'html',
  'text/markdown': 'markdown',
  'image/svg+xml': 'svg',
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'application/pdf': 'pdf',
  'text/latex': 'latex',
  'application/json': 'json',
  'application/javascript': 'javascript',
}

export async function runCode(
  session: Session,
  code: string,
  opts: RunCodeOpts,
  context: ContextRecord,
): Promise<Execution> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = opts
  const execution = new Execution()
  const { logs } = execution
  const displays = new Displays(opts.onResult)
  const listener = (stream: 'stdout' | 'stderr', heard: RunCodeOpts['onStdout']) => (chunk: string) => {
    logs[stream].push(chunk)
    return heard?.(new OutputMessage(chunk, Date.now() * MICROSECONDS, stream === 'stderr'))
  }
  try {
    const result = await session.execute(code, {
      timeoutMs: timeoutMs === 0 ? null : timeoutMs,
      onStdout: listener('stdout', opts.onStdout),
      onStderr: listener('stderr', opts.onStderr),
      onDisplay: (display) => displays.add(display),
    })
    if (result.status === 'suspended')
      throw new SandboxError('the code waits for a host call; a sandbox has none')
    execution.results = resultsOf(result)
    await displays.end(execution.results)
  } catch (error) {
    const failure = failureOf(error)
    if (failure === undefined) throw error
    const { displays: shown } = error as PythonError
    execution.results = shown.map((display) => resultOf(display, false))
    await displays.end(execution.results)
    execution.error = failure
    await opts.onError?.(failure)
  }
  execution.executionCount = session.executionCount - context.hidden
  return execution
}

/** Undefined for errors with which `runCode` rejects. */
function failureOf(error: unknown): ExecutionError | undefined {
  if (error instanceof PythonError) return new ExecutionError(error.type, error.detail, error.traceback)
  if (error instanceof ExecutionTimeoutError || error instanceof CancelledError) return undefined
  // Caused by the model's code. The message says which state the session has now.
  if (error instanceof LimitError || error instanceof InterpreterCrashedError)
    return new ExecutionError(error.name, error.message, '')
  return undefined
}

function resultsOf({ displays, display, repr, value }: ExecuteResult): Result[] {
  const isShown = Object.keys(display).length > 0
  const others = isShown ? displays.slice(0, -1) : displays
  const results = others.map((one) => resultOf(one, false))
  if (isShown || repr !== undefined) {
    const text = repr === undefined ? {} : { 'text/plain': textOf(repr) }
    results.push(resultOf({ ...display, ...text }, true, columnsOf(value)))
  }
  return results
}

/** E2B's server shows a string without quotes. */
function textOf(repr: string): string {
  const isQuoted = repr.length > 1 && repr.startsWith("'") && repr.endsWith("'")
  return isQuoted ? repr.slice(1, -1) : repr
}

function columnsOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || !('columns' in value) || !('dtypes' in value))
    return undefined
  return jsonValue(value.columns) as Record<string, unknown>
}

function resultOf(display: Display, isMainResult: boolean, data?: Record<string, unknown>): Result {
  const raw: Record<string, unknown> = {}
  for (const [type, content] of Object.entries(display)) {
    if (type === CHART) {
      const chart = typeof content === 'string' ? chartOf(content) : undefined
      if (chart) raw.chart = chart
    } else raw[FIELDS[type] ?? type] = typeof content === 'string' ? content : toBase64(content)
  }
  if (data) raw.data = data
  return new Result(raw as RawData, isMainResult)
}

/** Reports displays as they arrive, one behind: only the end tells whether the last one is the value of the last expression. */
class Displays {
  readonly #onResult: RunCodeOpts['onResult']
  #waiting: Display | undefined
  #told = 0

  constructor(onResult: RunCodeOpts['onResult']) {
    this.#onResult = onResult
  }

  add(display: Display): unknown {
    const previous = this.#waiting
    this.#waiting = display
    if (previous === undefined) return undefined
    this.#told++
    return this.#onResult?.(resultOf(previous, false))
  }

  /** Reports the final results that have not been reported yet. */
  async end(results: readonly Result[]): Promise<void> {
    for (const result of results.slice(this.#told)) await this.#onResult?.(result)
  }
}
