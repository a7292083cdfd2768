// The errors of E2B's SDK (e2b 2.x, `errors.d.ts`). Owns the classes, and which of them replaces which error of brumate.
import {
  TimeoutError as ExecutionTimeoutError,
  InvalidOptionError,
  PoolExhaustedError,
  SessionClosedError,
  SessionOwnedError,
  StorageError,
} from '../shared/errors.js'

/** Base of the errors of sandboxes. `cause` is brumate's error, if there is one. */
export class SandboxError extends Error {
  /** HTTP status in E2B's SDK. Always undefined here: there is no HTTP. */
  statusCode?: number

  constructor(message?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Code ran longer than its `timeoutMs`. */
export class TimeoutError extends SandboxError {}

/** An argument that E2B rejects as well, or that a session cannot support. */
export class InvalidArgumentError extends SandboxError {}

/** The files of the sandbox have reached their limit. */
export class NotEnoughSpaceError extends SandboxError {}

/** All slots of the manager are taken, and the queue is full or the wait was too long. */
export class RateLimitError extends SandboxError {}

/** A file or a sandbox does not exist. */
export class NotFoundError extends SandboxError {}

export class FileNotFoundError extends NotFoundError {}

/** The sandbox was killed, has timed out, is paused, or never existed. */
export class SandboxNotFoundError extends NotFoundError {}

/** A virtual machine can do this, but a Python session cannot. The message says what to do instead. E2B has no such error. */
export class NotSupportedError extends SandboxError {}

/** Replaces an error of brumate by the one that programs written for E2B expect. Other errors are returned unchanged. */
export function sandboxErrorOf(error: unknown): unknown {
  const options = { cause: error }
  if (error instanceof ExecutionTimeoutError)
    return new TimeoutError(
      `Execution timed out — the 'timeoutMs' option can be used to increase this timeout (${error.message})`,
      options,
    )
  if (error instanceof StorageError) {
    if (error.reason === 'ENOENT') return new FileNotFoundError(error.message, options)
    if (error.reason === 'ENOSPC') return new NotEnoughSpaceError(error.message, options)
    const isArgument = ['EISDIR', 'ENOTDIR', 'EEXIST', 'EXDEV', 'ENAMETOOLONG'].includes(error.reason)
    return new (isArgument ? InvalidArgumentError : SandboxError)(error.message, options)
  }
  if (error instanceof InvalidOptionError) return new InvalidArgumentError(error.message, options)
  if (error instanceof PoolExhaustedError) return new RateLimitError(error.message, options)
  if (error instanceof SessionClosedError) return new SandboxNotFoundError(error.message, options)
  if (error instanceof SessionOwnedError) return new SandboxError(error.message, options)
  return error
}

/** Runs a call, and throws E2B's errors instead of brumate's. */
export async function withSandboxErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw sandboxErrorOf(error)
  }
}
