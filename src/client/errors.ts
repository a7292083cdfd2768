// Turns problem documents and failed executions into the errors that a local session would throw. Owns the class of each code; the
// server's codes are in src/server/problems.ts. What a server sends is not trusted to have all fields.
import type { WireFailure } from '../presentation/wire.js'
import type { Display } from '../shared/display.js'
import {
  type BrumateError,
  CancelledError,
  ConversionError,
  DeadlockError,
  ExecutionError,
  ImageError,
  InterpreterCrashedError,
  InvalidOptionError,
  LimitError,
  type Outcome,
  PackageError,
  PoolExhaustedError,
  PythonError,
  type PythonFrame,
  SessionClosedError,
  SessionMovedError,
  SessionOwnedError,
  SessionSuspendedError,
  SnapshotError,
  StorageError,
  StoreError,
  TimeoutError,
} from '../shared/errors.js'
import { ServerError } from './server-error.js'

type Fields = Readonly<Record<string, unknown>>

/** What an execution had produced when it failed. */
export interface Produced {
  readonly stdout: string
  readonly stderr: string
  readonly displays: readonly Display[]
}

export function executionError(failure: WireFailure, sessionId: string, produced: Produced): ExecutionError {
  const { code, message } = failure
  const known = libraryError(code, message, { ...failure }, sessionId)
  const error =
    known instanceof ExecutionError
      ? known
      : new InterpreterCrashedError(`the server reported ${code}: ${message}`, 'interrupted')
  ExecutionError.attach(error, produced)
  return error
}

/** @param sessionId id of the session that the request was about */
export function problemError(
  status: number,
  problem: Fields,
  retryAfterMs: number | undefined,
  sessionId = '',
): BrumateError | ConversionError {
  const { code, detail, title, type: _, status: __, ...details } = problem
  const message = text(detail) ?? text(title) ?? `the server answered ${status}`
  const known = typeof code === 'string' ? libraryError(code, message, details, sessionId) : undefined
  if (known) return known
  return new ServerError(message, { code: text(code) ?? 'BAD_RESPONSE', status, retryAfterMs, details })
}

/** Undefined if the code is not one of the library's. */
function libraryError(
  code: string,
  message: string,
  fields: Fields,
  sessionId: string,
): BrumateError | ConversionError | undefined {
  const outcome = (text(fields.outcome) ?? 'interrupted') as Outcome
  const reason = text(fields.reason)
  switch (code) {
    case 'PYTHON':
      return new PythonError({
        ...{ message, type: text(fields.type) ?? text(fields.pythonType) ?? 'Exception' },
        ...{ detail: text(fields.detail) ?? message, traceback: text(fields.traceback) ?? '' },
        ...{ frames: framesOf(fields.frames), exitCode: number(fields.exitCode) },
      })
    case 'TIMEOUT':
      return said(message, new TimeoutError(number(fields.timeoutMs) ?? 0, outcome))
    case 'CANCELLED':
      return said(message, new CancelledError(outcome))
    case 'LIMIT':
      return said(message, new LimitError(text(fields.limit) ?? '', number(fields.max) ?? 0, outcome))
    case 'INTERPRETER_CRASHED':
      return said(message, new InterpreterCrashedError(reason ?? message, outcome))
    case 'POOL_EXHAUSTED':
      return new PoolExhaustedError(message)
    case 'SESSION_CLOSED':
      return new SessionClosedError(message)
    case 'SESSION_MOVED':
      return said(message, new SessionMovedError(sessionId))
    case 'SESSION_OWNED':
      return said(message, ownedError(fields, sessionId))
    case 'SESSION_SUSPENDED':
      return said(message, new SessionSuspendedError(sessionId))
    case 'DEADLOCK':
      return new DeadlockError(message)
    case 'INVALID_OPTION':
      return new InvalidOptionError(text(fields.option) ?? 'options', '', undefined, message)
    case 'SNAPSHOT':
      return new SnapshotError((reason ?? 'corrupt') as SnapshotError['reason'], message)
    case 'STORAGE':
      return said(
        message,
        new StorageError(reason ?? 'EIO', text(fields.path) ?? '', undefined, {
          ...{ syscall: text(fields.syscall), dest: text(fields.dest) },
        }),
      )
    case 'STORE':
    // The code has run. The library's NotStoredError is a StoreError, too.
    case 'NOT_STORED':
      return new StoreError(message, { reason: reason as StoreError['reason'] | undefined, sessionId })
    case 'IMAGE':
      return new ImageError(message)
    case 'PACKAGE':
      return said(message, new PackageError(undefined, message))
    case 'CONVERSION':
      return new ConversionError(message)
    default:
      return undefined
  }
}

function ownedError(fields: Fields, sessionId: string): SessionOwnedError {
  const expiresAt = new Date(text(fields.expiresAt) ?? Number.NaN)
  const at = Number.isNaN(expiresAt.getTime()) ? new Date() : expiresAt
  return new SessionOwnedError(sessionId, text(fields.ownerId) ?? 'another server', at)
}

/** Uses the server's own message, because the server may have another version. */
function said<E extends Error>(message: string, error: E): E {
  error.message = message
  return error
}

function framesOf(frames: unknown): PythonFrame[] {
  if (!Array.isArray(frames)) return []
  return frames.map((frame) => {
    const { file, line, function: name, text: source } = Object(frame) as Fields
    return {
      ...{ file: text(file) ?? '', line: number(line) },
      ...{ function: text(name) ?? '', text: text(source) ?? '' },
    }
  })
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
