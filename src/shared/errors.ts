// Every error that a caller of brumate can get, under one base class. Owns names, codes and fields; the file where an
// error happens decides which one to throw.

import { describeValue } from './describe-value.js'
import type { Display } from './display.js'
import { describeErrno } from './errno-text.js'

/** What happened to the session's state when a call failed. */
export type Outcome =
  /** The interrupt ended the code: the state is as it was at that moment. */
  | 'interrupted'
  /** The worker was ended; the session continues from its last checkpoint. */
  | 'restored'
  /** The worker was ended and there was no checkpoint: the session continues empty. */
  | 'reset'
  /** The call was still queued: nothing ran. */
  | 'not-started'

/** Base class of this library's errors. `code` is stable across versions; `cause` is the underlying error, if there is one. */
export abstract class BrumateError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** What an execution had written and displayed when it failed. */
export interface Produced {
  readonly stdout: string
  readonly stderr: string
  readonly displays: readonly Display[]
}

/**
 * An error that can end an execution. It carries what the execution had written and displayed by then. These fields are empty for calls
 * that are not executions, and for executions that did not start.
 */
export abstract class ExecutionError extends BrumateError {
  readonly stdout: string = ''
  readonly stderr: string = ''
  readonly displays: readonly Display[] = []

  /** @internal Adds the output of the execution that this error ends. */
  static attach(error: ExecutionError, produced: Produced): void {
    Object.assign(error, produced)
  }
}

/** Where Python was when it raised: one line of a traceback. */
export interface PythonFrame {
  /** `<cell 1>` for the session's first execution, `<cell 1.2>` if code of a restored snapshot already has that name; otherwise a path. */
  readonly file: string
  /** Starts at 1; undefined if Python does not know the line. */
  readonly line: number | undefined
  readonly function: string
  /** The source line without its indentation, at most 500 characters; empty if there is no source. */
  readonly text: string
}

/** The argument of `new PythonError(…)`, for tests that need such an error. */
export interface PythonErrorFields {
  readonly type: string
  readonly message: string
  readonly detail: string
  readonly traceback: string
  readonly frames?: readonly PythonFrame[]
  readonly exitCode?: number | undefined
}

/**
 * The user's Python code raised an exception. The session's state is as the code left it. `message` is the last line of the traceback,
 * such as `KeyError: 'x'`, or its last lines if the exception's text has several.
 */
export class PythonError extends ExecutionError {
  readonly code = 'PYTHON'
  /** Name of the Python exception's class, such as `ValueError`. */
  readonly type: string
  /** The exception's own text: `str(exception)`. */
  readonly detail: string
  /** The traceback as CPython prints it, without the kernel's frames. Longer ones are cut at `limits.resultBytes`, with a mark there. */
  readonly traceback: string
  /** The frames of the traceback, outermost first, at most 1,000. For a SyntaxError the last frame is the position of the mistake. */
  readonly frames: readonly PythonFrame[]
  /** The exit status that `sys.exit()` or `exit()` asked for; undefined for other exceptions. */
  readonly exitCode: number | undefined

  constructor(fields: PythonErrorFields, options?: ErrorOptions) {
    super(fields.message, options)
    this.type = fields.type
    this.detail = fields.detail
    this.traceback = fields.traceback
    this.frames = fields.frames ?? []
    this.exitCode = fields.exitCode
  }
}

/** An execution ran past its deadline. */
export class TimeoutError extends ExecutionError {
  readonly code = 'TIMEOUT'

  constructor(
    readonly timeoutMs: number,
    readonly outcome: Outcome,
    options?: ErrorOptions,
  ) {
    super(`the execution did not end within ${timeoutMs} ms; ${describeOutcome(outcome)}`, options)
  }
}

/** An `AbortSignal` or `interrupt()` ended a call; `cause` is the signal's reason. */
export class CancelledError extends ExecutionError {
  readonly code = 'CANCELLED'

  constructor(
    readonly outcome: Outcome,
    options?: ErrorOptions,
  ) {
    super(`the call was cancelled; ${describeOutcome(outcome)}`, options)
  }
}

/** An execution exceeded one of the session's limits, or its manager had no memory left (`maxMemoryBytes`). */
export class LimitError extends ExecutionError {
  readonly code = 'LIMIT'

  constructor(
    /** Name of the limit, as in the session's `limits`, or `maxMemoryBytes`. */
    readonly limit: string,
    readonly max: number,
    readonly outcome: Outcome,
    { message, ...options }: ErrorOptions & { readonly message?: string } = {},
  ) {
    const what = message ?? `the execution exceeded the limit ${limit} of ${max}`
    super(`${what}; ${describeOutcome(outcome)}`, options)
  }
}

/** The interpreter crashed: it called a forbidden import, aborted, corrupted its memory, or its worker ran out of memory. */
export class InterpreterCrashedError extends ExecutionError {
  readonly code = 'INTERPRETER_CRASHED'

  constructor(
    /** The cause of the crash, in one line. */
    readonly reason: string,
    readonly outcome: Outcome,
    options?: ErrorOptions,
  ) {
    super(`the interpreter crashed: ${reason}; ${describeOutcome(outcome)}`, options)
  }
}

/** No slot became free: the queue was full, or `acquireTimeoutMs` passed. */
export class PoolExhaustedError extends BrumateError {
  readonly code = 'POOL_EXHAUSTED'
}

/**
 * The session, or the manager it belonged to, is closed. A session also closes itself when three interpreters in a row crashed while
 * they loaded it; then the message gives the reason, and `cause` is the last crash.
 */
export class SessionClosedError extends ExecutionError {
  readonly code = 'SESSION_CLOSED'
}

/**
 * Another manager has taken over the session, or deleted it. This handle is closed, its execution has ended, and it never writes to the
 * store again. `manager.openSession(id)` opens the session as the store has it now.
 */
export class SessionMovedError extends ExecutionError {
  readonly code = 'SESSION_MOVED'

  constructor(
    /** Id of the session. */
    readonly sessionId: string,
    options?: ErrorOptions,
  ) {
    super(
      `the session ${sessionId} is no longer open in this manager: another manager has taken it over or deleted it; open it again with openSession`,
      options,
    )
  }
}

/** Another manager owns the session, and its lease has not expired. Nothing was changed. */
export class SessionOwnedError extends BrumateError {
  readonly code = 'SESSION_OWNED'

  constructor(
    /** Id of the session. */
    readonly sessionId: string,
    /** Id of the manager that owns it. */
    readonly ownerId: string,
    /** When the lease expires unless it is renewed, by the store's clock. */
    readonly expiresAt: Date,
  ) {
    const until = `until ${expiresAt.toISOString()} at least`
    const remedy = 'close or drain it there, wait until then, or pass { takeOver: true }'
    super(`the session ${sessionId} belongs to the manager ${ownerId} ${until}; ${remedy}`)
  }
}

/** An execution of the session is suspended and waits for `resume`; no other can start before it has ended. Nothing ran. */
export class SessionSuspendedError extends BrumateError {
  readonly code = 'SESSION_SUSPENDED'

  constructor(id: string) {
    const remedy = 'resume() it, or drop it with clearState(), reset() or restoreState()'
    super(`an execution of the session ${id} is suspended; ${remedy}`)
  }
}

/** A callback asked its own session for something that can only happen after the callback has returned. Nothing was done. */
export class DeadlockError extends BrumateError {
  readonly code = 'DEADLOCK'
}

/** An option or argument is invalid. Nothing was changed. */
export class InvalidOptionError extends BrumateError {
  readonly code = 'INVALID_OPTION'

  constructor(
    /** Path of the option, such as `limits.memoryBytes`. */
    readonly option: string,
    expected: string,
    got: unknown,
    message = `${option}: expected ${expected}, got ${describeValue(got)}`,
  ) {
    super(message)
  }
}

/** The error that `new` throws for a class that has no public constructor. */
export function notConstructible(name: string, instead: string): InvalidOptionError {
  const message = `new ${name}(): a ${name} is not made with \`new\`; use ${instead}`
  return new InvalidOptionError('new', instead, undefined, message)
}

/**
 * A snapshot could not be taken or restored. A session that rejected one is as it was before.
 *
 * `corrupt`: the bytes are not a snapshot, or are damaged. `incompatible`: the snapshot belongs to another image or format. `too-large`:
 * it exceeds a limit of the session or the longest size of any snapshot, or `restoreState` found no room for it under `maxMemoryBytes`.
 * `untrusted`: it is not signed with the manager's `snapshotKey` for this tenant.
 * `not-captured`: the state includes something that a snapshot cannot hold, there was no memory left to take it, or the session's own
 * code has damaged the part of the kernel that describes it, and only `reset()` helps; the message says which. A session that
 * cannot be captured continues to work, keeps its slot while it is idle, and takes no checkpoints.
 */
export class SnapshotError extends BrumateError {
  readonly code = 'SNAPSHOT'

  constructor(
    readonly reason: 'corrupt' | 'incompatible' | 'too-large' | 'untrusted' | 'not-captured',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Options of `new StorageError(…)`: the operation that failed, and the second path of a rename. */
export interface StorageErrorOptions extends ErrorOptions {
  readonly syscall?: string | undefined
  readonly dest?: string | undefined
}

/**
 * An operation on a file of a `VfsStorage` or of `session.files` failed. The message reads like Node's own:
 * `ENOENT: no such file or directory, open '/x'`. `reason` is the operating system's error name.
 *
 * Reasons include `ENOENT`, `EEXIST`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `ENOSPC` (`maxBytes`, or too many files), `EROFS`
 * (read-only), `EXDEV` (a link leads out of the storage), `EINVAL` (not an archive, or a hostile one), `EFBIG` (an archive
 * that is too large), `EBADF` (the storage is closed).
 */
export class StorageError extends BrumateError {
  readonly code = 'STORAGE'

  /** The operation that failed, by its system call: `open`, `scandir`, `rename` … */
  readonly syscall: string | undefined
  /** The new path, if the operation was a `rename`. */
  readonly dest: string | undefined

  constructor(
    readonly reason: string,
    /** Absolute within the storage. */
    readonly path: string,
    message?: string,
    { syscall, dest, ...options }: StorageErrorOptions = {},
  ) {
    const where = `${syscall === undefined ? '' : `${syscall} `}${quoted(path)}${dest === undefined ? '' : ` -> ${quoted(dest)}`}`
    super(`${reason}: ${message ?? describeErrno(reason)}, ${where}`, options)
    this.syscall = syscall
    this.dest = dest
  }
}

/**
 * Files of the package are not where the library looks for them: a bundler moved the code without them, or the pyodide package is not
 * installed. The message names the setting to change.
 */
export class InstallationError extends BrumateError {
  readonly code = 'INSTALLATION'
}

function quoted(path: string): string {
  return `'${path.slice(0, 200)}'`
}

/** The image could not be built, or a file is not an image. */
export class ImageError extends BrumateError {
  readonly code = 'IMAGE'
}

/**
 * A Python package is not available, or cannot be part of an image: there is no such name, no version or wheel fits, requirements
 * contradict each other, a hash does not match, or there is no network. The message says what exists and what to do.
 */
export class PackageError extends BrumateError {
  readonly code = 'PACKAGE'
  /** Name of the package; undefined if the error is not about a particular one. */
  readonly package: string | undefined

  constructor(packageName: string | undefined, reason: string, options?: ErrorOptions) {
    super(`${packageName === undefined ? '' : `${packageName}: `}${reason}`, options)
    this.package = packageName
  }
}

/** Options of `new StoreError(…)`. */
export interface StoreErrorOptions extends ErrorOptions {
  /** Default `unavailable`. */
  readonly reason?: StoreError['reason'] | undefined
  readonly sessionId?: string | undefined
}

/**
 * An operation of a `SnapshotStore` failed. The message says what to do next; `cause` is the error of the store's client, with
 * passwords removed.
 *
 * `unavailable`: the store cannot be reached, is too slow, or refuses. After a failed `put` or `delete`, only `get` tells whether the
 * write happened. `damaged`: the entry exists, but is not what was written; its bytes are not returned. `unsuitable`: the server, file
 * system or table lacks something that the store needs, so retrying does not help. A call of a session whose result could not be stored
 * rejects with `NotStoredError`.
 */
export class StoreError extends BrumateError {
  readonly code = 'STORE'
  readonly reason: 'unavailable' | 'damaged' | 'unsuitable'
  /** The session whose entry the error is about; undefined if it is not about a particular one. */
  readonly sessionId: string | undefined

  constructor(message: string, { reason = 'unavailable', sessionId, ...options }: StoreErrorOptions = {}) {
    super(message, options)
    this.reason = reason
    this.sessionId = sessionId
  }
}

/**
 * A JavaScript value has no Python counterpart. It must be a TypeError by contract, so it does not extend
 * `BrumateError`.
 */
export class ConversionError extends TypeError {
  readonly code = 'CONVERSION'
  override readonly name = 'ConversionError'
}

function describeOutcome(outcome: Outcome): string {
  switch (outcome) {
    case 'interrupted':
      return 'it was interrupted and the session keeps its state'
    case 'restored':
      return 'the session continues from its last checkpoint'
    case 'reset':
      return 'its worker was ended and the session continues with an empty state'
    case 'not-started':
      return 'nothing ran and nothing has changed'
  }
}
