// Errors as problem documents, RFC 9457. Owns the status of each error, and the codes of errors in the request itself.
import { STATUS_CODES } from 'node:http'
import type { WireProblem } from '../presentation/wire.js'
import {
  BrumateError,
  CancelledError,
  ConversionError,
  InterpreterCrashedError,
  InvalidOptionError,
  LimitError,
  PythonError,
  SessionOwnedError,
  SnapshotError,
  StorageError,
  StoreError,
  TimeoutError,
} from '../shared/errors.js'
import { idPrefixOf } from './session-ids.js'

export const PROBLEM_TYPE = 'application/problem+json'

interface Extra extends Partial<WireProblem> {
  /** In seconds. */
  readonly retryAfter?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A request cannot be answered. Thrown inside the server, and turned into the response. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem'

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly extra: Extra = {},
  ) {
    super(detail)
  }
}

export function notFound(detail = 'there is no such session'): RequestProblem {
  return new RequestProblem(404, 'NOT_FOUND', detail)
}

export function draining(): RequestProblem {
  const headers = { connection: 'close' }
  return new RequestProblem(503, 'DRAINING', 'the server is stopping; use another one', {
    headers,
    retryAfter: 1,
  })
}

/**
 * Converts any error. `undefined`: clients must not see it.
 *
 * @param tenant the session's owner: in messages, the internal id is then replaced by the one that its clients use
 */
export function problemOf(thrown: unknown, tenant?: string): RequestProblem | undefined {
  if (thrown instanceof RequestProblem) return thrown
  if (thrown instanceof ConversionError) return new RequestProblem(422, thrown.code, thrown.message)
  if (!(thrown instanceof BrumateError)) return undefined
  const [status, extra] = statusOf(thrown)
  const detail = tenant === undefined ? thrown.message : thrown.message.replaceAll(idPrefixOf(tenant), '')
  // Programs see a StoreError. A client must learn that the code has run, so that it does not send it again.
  const code = thrown.name === 'NotStoredError' ? 'NOT_STORED' : thrown.code
  return new RequestProblem(status, code, detail, code === 'NOT_STORED' ? {} : extra)
}

function statusOf(error: BrumateError): readonly [status: number, extra?: Extra] {
  if (error instanceof InvalidOptionError) return [422, { option: error.option }]
  if (error instanceof PythonError)
    return [error.type === 'NameError' ? 404 : 422, { pythonType: error.type }]
  if (error instanceof StorageError) {
    const { reason, path, syscall, dest } = error
    const more = { ...(syscall === undefined ? {} : { syscall }), ...(dest === undefined ? {} : { dest }) }
    return [STATUS_OF_REASON[reason] ?? 409, { reason, path, ...more }]
  }
  if (error instanceof SessionOwnedError) {
    const expiresAt = error.expiresAt.toISOString()
    const retryAfter = Math.max(1, Math.min(60, Math.ceil((error.expiresAt.getTime() - Date.now()) / 1000)))
    return [409, { ownerId: error.ownerId, expiresAt, retryAfter }]
  }
  if (error instanceof SnapshotError) {
    const { reason } = error
    return [reason === 'too-large' ? 413 : reason === 'not-captured' ? 409 : 422, { reason }]
  }
  if (error instanceof StoreError) return [503, { reason: error.reason, retryAfter: 1 }]
  if (error instanceof LimitError) {
    const { limit, max, outcome } = error
    // Memory becomes free when other sessions end.
    return limit === 'maxMemoryBytes'
      ? [503, { limit, max, outcome, retryAfter: 1 }]
      : [422, { limit, max, outcome }]
  }
  if (error instanceof TimeoutError) return [408, { timeoutMs: error.timeoutMs, outcome: error.outcome }]
  if (error instanceof CancelledError) return [409, { outcome: error.outcome }]
  if (error instanceof InterpreterCrashedError) return [503, { reason: error.reason, outcome: error.outcome }]
  switch (error.code) {
    case 'POOL_EXHAUSTED':
      return [503, { retryAfter: 1 }]
    case 'SESSION_CLOSED':
      return [409, { retryAfter: 1 }]
    case 'SESSION_MOVED':
    case 'SESSION_SUSPENDED':
    case 'DEADLOCK':
      return [409]
    default:
      return [500]
  }
}

/** For errors of the file system. Any other reason is a conflict with what exists. */
const STATUS_OF_REASON: Readonly<Record<string, number>> = {
  ENOENT: 404,
  ENOSPC: 413,
  EFBIG: 413,
  EINVAL: 422,
  ENAMETOOLONG: 422,
  EACCES: 403,
  EPERM: 403,
  EROFS: 403,
  EXDEV: 403,
  EBUSY: 403,
}

export function problemDocument({ status, code, message, extra }: RequestProblem): WireProblem {
  const { retryAfter, headers, ...fields } = extra
  const type = `urn:brumate:problem:${code.toLowerCase().replaceAll('_', '-')}`
  return { type, title: STATUS_CODES[status] ?? 'Error', status, detail: message, code, ...fields }
}

export function problemResponse(problem: RequestProblem): Response {
  const { retryAfter, headers } = problem.extra
  return new Response(JSON.stringify(problemDocument(problem)), {
    status: problem.status,
    headers: {
      'content-type': PROBLEM_TYPE,
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...headers,
    },
  })
}
