// Converts results and failures of executions to what the HTTP server sends. Owns the conversion; wire.ts has the types.
import type { ExecuteResult } from '../session/outcome.js'
import type { Display } from '../shared/display.js'
import {
  type ExecutionError,
  InterpreterCrashedError,
  LimitError,
  type Outcome,
  PythonError,
  TimeoutError,
} from '../shared/errors.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { toJson } from '../shared/values/json.js'
import { jsonDisplay, jsonValue } from './json-value.js'
import type {
  ValueForm,
  WireDisplay,
  WireFailed,
  WireFailure,
  WirePending,
  WireResult,
  WireValue,
} from './wire.js'

/** `undefined` is left as it is. @throws JsonValueError if a value cannot be written exactly */
export function wireValue(value: unknown, form: ValueForm): WireValue {
  if (value === undefined) return undefined
  return form === 'exact' ? toJson(value) : jsonValue(value)
}

export function wireDisplay(display: Display, form: ValueForm): WireDisplay {
  return form === 'exact' ? (toJson(display) as WireDisplay) : jsonDisplay(display)
}

export function wirePending({ id, name, args, reason }: PendingCall, form: ValueForm): WirePending {
  return {
    ...{ id, name, args: wireValue(args, form) as WirePending['args'] },
    ...(reason === undefined ? {} : { reason }),
  }
}

export function wireResult(result: ExecuteResult, form: ValueForm): WireResult {
  const { value, repr, display, displays, pending, ...rest } = result
  const shown = wireValue(value, form)
  return {
    ...rest,
    ...(shown === undefined ? {} : { value: shown }),
    ...(repr === undefined ? {} : { repr }),
    display: wireDisplay(display, form),
    displays: displays.map((one) => wireDisplay(one, form)),
    pending: pending.map((call) => wirePending(call, form)),
  }
}

/** @param executionCount the session's count after the execution */
export function wireFailed(error: ExecutionError, executionCount: number, form: ValueForm): WireFailed {
  const { stdout, stderr, displays } = error
  return {
    ...{ status: 'error', stdout, stderr, displays: displays.map((one) => wireDisplay(one, form)) },
    ...{ executionCount, error: wireFailure(error) },
  }
}

function wireFailure(error: ExecutionError): WireFailure {
  const { code, message } = error
  if (error instanceof PythonError) {
    const { type, detail, traceback, exitCode } = error
    const frames = error.frames.map(({ line, ...frame }) => (line === undefined ? frame : { ...frame, line }))
    return { code, message, type, detail, traceback, frames, ...(exitCode === undefined ? {} : { exitCode }) }
  }
  const { outcome } = error as { outcome?: Outcome }
  const shared = { code, message, ...(outcome === undefined ? {} : { outcome }) }
  if (error instanceof TimeoutError) return { ...shared, timeoutMs: error.timeoutMs }
  if (error instanceof LimitError) return { ...shared, limit: error.limit, max: error.max }
  if (error instanceof InterpreterCrashedError) return { ...shared, reason: error.reason }
  return shared
}
