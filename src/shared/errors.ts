// Every error a caller of brumate can meet, under one base. Owns names, codes and fields; deciding which one a
// situation deserves is the business of the file where it happens.

import { describeValue } from './describe-value.js'
import type { Display } from './display.js'
import { describeErrno } from './errno-text.js'

/** What is left of a session after the call that failed. */
export type Outcome =
  /** The code let the interrupt through: the state is as of the interrupt. */
  | 'interrupted'
  /** The worker was ended; the session goes on from its last checkpoint. */
  | 'restored'
  /** The worker was ended and there was no checkpoint: the session goes on empty. */
  | 'reset'
  /** The call was still queued: nothing ran. */
  | 'not-started'

/** Base of every error of this library. `code` is stable across versions; `cause` is what led to it. */
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
 * An error that can end an execution. Then it has what the execution had written and displayed by that time; of calls that are no
 * executions, and of executions that did not begin, these fields are empty.
 */
export abstract class ExecutionError extends BrumateError {
  readonly stdout: string = ''
  readonly stderr: string = ''
  readonly displays: readonly Display[] = []

  /** @internal The execution that this error ends. */
  static attach(error: ExecutionError, produced: Produced): void {
    Object.assign(error, produced)
  }
}

/** Where Python was when it raised: one line of a traceback. */
export interface PythonFrame {
  /** `<cell 1>` for the session's first execution, `<cell 1.2>` if code of a restored snapshot has that name; else a path. */
  readonly file: string
  /** From 1 on; undefined where Python knows none. */
  readonly line: number | undefined
  readonly function: string
  /** The source line without its indentation, at most 500 characters; empty where there is no source. */
  readonly text: string
}

/** What `new PythonError(…)` takes, for tests that need one. */
export interface PythonErrorFields {
  readonly type: string
  readonly message: string
  readonly detail: string
  readonly traceback: string
  readonly frames?: readonly PythonFrame[]
  readonly exitCode?: number | undefined
}

/**
 * The user's Python code raised. The session's state is as the code left it. `message` is the last line of the traceback, such as
 * `KeyError: 'x'`, or its last lines if the exception's text has several.
 */
export class PythonError extends ExecutionError {
  readonly code = 'PYTHON'
  /** Name of the Python exception's class, such as `ValueError`. */
  readonly type: string
  /** The exception's own text: `str(exception)`. */
  readonly detail: string
  /** The traceback as CPython prints it, without frames of the kernel. Cut, with a mark, at `limits.resultBytes`. */
  readonly traceback: string
  /** The frames of the traceback, the outermost first; of a SyntaxError the last one is where the code is wrong. At most 1,000. */
  readonly frames: readonly PythonFrame[]
  /** What `sys.exit()` or `exit()` was called with, as an exit status; undefined for other exceptions. */
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

/** An execution went past one of the session's limits, or its manager had no memory left (`maxMemoryBytes`). */
export class LimitError extends ExecutionError {
  readonly code = 'LIMIT'

  constructor(
    /** Name of the limit, as in the session's `limits`, or `maxMemoryBytes`. */
    readonly limit: string,
    readonly max: number,
    readonly outcome: Outcome,
    { message, ...options }: ErrorOptions & { readonly message?: string } = {},
  ) {
    const what = message ?? `the execution went past the limit ${limit} of ${max}`
    super(`${what}; ${describeOutcome(outcome)}`, options)
  }
}

/** The interpreter ended by itself: a forbidden import, an abort, corrupted memory, a worker that ran out of memory. */
export class InterpreterCrashedError extends ExecutionError {
  readonly code = 'INTERPRETER_CRASHED'

  constructor(
    /** What ended it, in one line. */
    readonly reason: string,
    readonly outcome: Outcome,
    options?: ErrorOptions,
  ) {
    super(`the interpreter ended: ${reason}; ${describeOutcome(outcome)}`, options)
  }
}

/** No slot came free: the queue was full, or `acquireTimeoutMs` passed. */
export class PoolExhaustedError extends BrumateError {
  readonly code = 'POOL_EXHAUSTED'
}

/**
 * The session, or the manager it belonged to, is closed. By itself a session closes when three interpreters in a row ended while
 * they loaded it; the message then has the reason, `cause` the last end.
 */
export class SessionClosedError extends ExecutionError {
  readonly code = 'SESSION_CLOSED'
}

/**
 * Another manager has taken the session over, or deleted it. This handle is closed, what ran in it has ended, and it never writes to the
 * store again. `manager.openSession(id)` opens what the store has now.
 */
export class SessionMovedError extends ExecutionError {
  readonly code = 'SESSION_MOVED'

  constructor(
    /** Id of the session. */
    readonly sessionId: string,
    options?: ErrorOptions,
  ) {
    super(
      `the session ${sessionId} is no longer this manager's: another one has taken it over, or deleted it; open it again with openSession`,
      options,
    )
  }
}

/** Another manager has the session, and its lease has not expired. Nothing was changed. */
export class SessionOwnedError extends BrumateError {
  readonly code = 'SESSION_OWNED'

  constructor(
    /** Id of the session. */
    readonly sessionId: string,
    /** The manager that has it. */
    readonly ownerId: string,
    /** When its lease ends if it is not renewed, by the store's clock. */
    readonly expiresAt: Date,
  ) {
    const until = `until ${expiresAt.toISOString()} at least`
    const remedy = 'close or drain it there, wait until then, or pass { takeOver: true }'
    super(`the session ${sessionId} belongs to the manager ${ownerId} ${until}; ${remedy}`)
  }
}

/** An execution of the session waits for `resume`, and no other can start before it has ended. Nothing ran. */
export class SessionSuspendedError extends BrumateError {
  readonly code = 'SESSION_SUSPENDED'

  constructor(id: string) {
    const remedy = 'resume() it, or drop it with clearState(), reset() or restoreState()'
    super(`an execution of the session ${id} is suspended; ${remedy}`)
  }
}

/** A callback asked its own session for something that can only come when the callback has returned. Nothing was done. */
export class DeadlockError extends BrumateError {
  readonly code = 'DEADLOCK'
}

/** An option or argument is not what the API takes. Nothing was changed. */
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

/** The error of `new` for a class that is made in another way. */
export function notConstructible(name: string, instead: string): InvalidOptionError {
  const message = `new ${name}(): a ${name} is not made with \`new\`; use ${instead}`
  return new InvalidOptionError('new', instead, undefined, message)
}

/**
 * A snapshot could not be taken or restored. A session that refused one is as it was before.
 *
 * `corrupt`: the bytes are not a snapshot, or damaged. `incompatible`: of another image or format. `too-large`: beyond a limit of
 * the session, longer than any snapshot, or `restoreState` found no room for it under `maxMemoryBytes`. `untrusted`: not signed with the manager's `snapshotKey` for this tenant.
 * `not-captured`: the state has something that a snapshot cannot hold, there was no memory left to take it, or the session's own
 * code has damaged the part of the kernel that describes it, and only `reset()` helps; the message says which. A session that
 * cannot be captured goes on, keeps its slot while it is idle, and takes no checkpoints.
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

/** For `new StorageError(…)`: the operation that failed, and the second path of a rename. */
export interface StorageErrorOptions extends ErrorOptions {
  readonly syscall?: string | undefined
  readonly dest?: string | undefined
}

/**
 * A file of a `VfsStorage` or of `session.files` could not be had or made. The message reads like Node's own:
 * `ENOENT: no such file or directory, open '/x'`. `reason` is the name that the operating system has for it.
 *
 * Among them: `ENOENT`, `EEXIST`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `ENOSPC` (`maxBytes`, or too many files), `EROFS`
 * (read-only), `EXDEV` (a link leads out of the storage), `EINVAL` (an archive that is none, or hostile), `EFBIG` (an archive
 * that is too large), `EBADF` (the storage is closed).
 */
export class StorageError extends BrumateError {
  readonly code = 'STORAGE'

  /** What was tried, by the operating system's name for it: `open`, `scandir`, `rename` … */
  readonly syscall: string | undefined
  /** Of a `rename`: the new path. */
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
 * Files of the package are not where the library looks for them: a bundler moved its code without them, or the pyodide package is not
 * installed. The message names the setting to change.
 */
export class InstallationError extends BrumateError {
  readonly code = 'INSTALLATION'
}

function quoted(path: string): string {
  return `'${path.slice(0, 200)}'`
}

/** The image could not be built, or what was read is no image. */
export class ImageError extends BrumateError {
  readonly code = 'IMAGE'
}

/**
 * A Python package cannot be had, or cannot be part of an image: no such name, no version or wheel that fits, requirements that
 * contradict each other, wrong bytes, no network. The message says what exists and what to do.
 */
export class PackageError extends BrumateError {
  readonly code = 'PACKAGE'
  /** Name of the package; undefined if the error is about none in particular. */
  readonly package: string | undefined

  constructor(packageName: string | undefined, reason: string, options?: ErrorOptions) {
    super(`${packageName === undefined ? '' : `${packageName}: `}${reason}`, options)
    this.package = packageName
  }
}

/** For `new StoreError(…)`. */
export interface StoreErrorOptions extends ErrorOptions {
  /** Default `unavailable`. */
  readonly reason?: StoreError['reason'] | undefined
  readonly sessionId?: string | undefined
}

/**
 * A `SnapshotStore` could not do what it was asked. The message says what to do next; `cause` is the error of the store's client, with
 * passwords removed.
 *
 * `unavailable`: the store cannot be reached, is too slow, or refuses. After a failed `put` or `delete`, only `get` tells whether the
 * write happened. `damaged`: the entry is there, but is not what was written; its bytes are not returned. `unsuitable`: the server, file
 * system or table lacks something that the store needs. Trying again does not help. A call of a session whose result could not be stored
 * rejects with `NotStoredError`.
 */
export class StoreError extends BrumateError {
  readonly code = 'STORE'
  readonly reason: 'unavailable' | 'damaged' | 'unsuitable'
  /** The session whose entry it is about; undefined if the error is about none in particular. */
  readonly sessionId: string | undefined

  constructor(message: string, { reason = 'unavailable', sessionId, ...options }: StoreErrorOptions = {}) {
    super(message, options)
    this.reason = reason
    this.sessionId = sessionId
  }
}

/**
 * A JavaScript value has no Python counterpart. A TypeError by contract, so it stands beside
 * `BrumateError` rather than under it.
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
      return 'the session goes on from its last checkpoint'
    case 'reset':
      return 'its worker was ended and the session goes on empty'
    case 'not-started':
      return 'it had not started'
  }
}
