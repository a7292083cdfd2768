// An error as LibreChat gets it: a status and `{ error }`. Owns the status of each of the library's errors.
import {
  InvalidOptionError,
  LimitError,
  PoolExhaustedError,
  SessionClosedError,
  SessionMovedError,
  SessionOwnedError,
  StorageError,
} from '../../shared/errors.js'
import { RequestProblem } from '../problems.js'

type Status = 400 | 401 | 404 | 413 | 429 | 500 | 503

const RETRY_SECONDS = 5

export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    readonly status: Status,
    message: string,
    readonly fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }

  get body(): Record<string, unknown> {
    return { error: this.message, ...this.fields }
  }

  get headers(): Record<string, string> {
    const { retry_after_seconds: seconds } = this.fields
    return seconds === undefined ? {} : { 'retry-after': String(seconds) }
  }
}

/** @returns undefined for a fault of the server, whose details clients must not see */
export function apiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  if (error instanceof RequestProblem && error.code === 'QUOTA')
    return rateLimited(error.message, error.extra.retryAfter)
  if (
    error instanceof PoolExhaustedError ||
    (error instanceof LimitError && error.limit === 'maxMemoryBytes')
  )
    return rateLimited(error.message)
  if (error instanceof InvalidOptionError) return new ApiError(400, error.message)
  if (error instanceof StorageError) return new ApiError(error.reason === 'ENOSPC' ? 413 : 400, error.message)
  if (
    error instanceof SessionMovedError ||
    error instanceof SessionOwnedError ||
    error instanceof SessionClosedError
  )
    return new ApiError(503, 'another request has the session; try again', {
      retry_after_seconds: RETRY_SECONDS,
    })
  return undefined
}

/** LibreChat tells the model when to try again if it finds these fields. */
function rateLimited(message: string, seconds = RETRY_SECONDS): ApiError {
  return new ApiError(429, 'rate_limited', { message, retry_after_seconds: seconds })
}
