// The interface that sessions share wherever they run: `Session` in this process, `RemoteSession` of brumate/client over HTTP. Owns the
// interface; the compiler checks both classes against it. Each class has further members that the other cannot have.
import type { ExecuteOptions, RestoreOptions, ResumeOptions } from '../options/execution.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { InputValue, Value } from '../shared/values/value.js'
import type { ExecuteResult } from './outcome.js'
import type { SessionFiles } from './session-files.js'

/** A session as bytes. `Snapshot` implements this; `Snapshot.fromBytes(bytes.toBytes())` converts any implementation to a `Snapshot`. */
export interface SnapshotBytes {
  readonly size: number
  toBytes(): Uint8Array
}

/** The methods of a session's files. */
export type PythonSessionFiles = Pick<SessionFiles, keyof SessionFiles>

/** A session in this process or on a server. docs/api.md describes the methods, docs/client.md what differs over HTTP. */
export interface PythonSession extends AsyncDisposable {
  readonly id: string
  /** The labels that the session was created with. */
  readonly labels: Readonly<Record<string, string>>
  /** Names of the globals that `salvage` could not restore when the session was created or opened. Empty without salvage. */
  readonly lostGlobals: readonly string[]
  /** Number of executions so far, including failed ones. `reset` sets it to 0. */
  readonly executionCount: number
  /** `attached`: the session has an interpreter. `dormant`: it has none now, and the next call wakes it. */
  readonly state: 'attached' | 'dormant' | 'closed'
  /** Host calls that wait for `resume`. */
  readonly pending: readonly PendingCall[]
  /** Reads and writes the session's private files. */
  readonly files: PythonSessionFiles
  /** Time limit of an execution in ms; `null`: no limit; `undefined`: the server's default. */
  executionTimeoutMs: number | null | undefined
  /** Runs Python code, which may use top-level `await`, after the session's earlier calls. */
  execute(code: string, options?: ExecuteOptions): Promise<ExecuteResult>
  /** Answers all or some of the pending host calls and continues the execution that awaits them. */
  resume(answers: ResumeOptions): Promise<ExecuteResult>
  /** Returns the value of a global variable. */
  get(name: string): Promise<Value>
  /** Sets a global variable to a copy of the value. */
  set(name: string, value: InputValue): Promise<void>
  /** Deletes the user's globals and everything that only they kept alive. Imported modules stay loaded; the execution count stays. */
  clearState(): Promise<void>
  /** Starts again with a fresh interpreter and the session's options. The execution count starts again from 0. */
  reset(): Promise<void>
  /** Raises KeyboardInterrupt in the running code. Resolves when the running call has settled; at once if no call is running. */
  interrupt(): Promise<void>
  /** Releases the session's slot after its earlier calls, and keeps its state as a snapshot. The next call wakes the session. */
  hibernate(): Promise<void>
  /** Saves the whole session: memory, files, descriptors, clock. The session continues. */
  snapshotState(): Promise<SnapshotBytes>
  /**
   * Replaces Python's state and the private files with those of the snapshot.
   *
   * @returns names of the globals that could not be restored; empty without salvage
   */
  restoreState(snapshot: SnapshotBytes | Uint8Array, options?: RestoreOptions): Promise<string[]>
  /** Returns the session's callbacks as Python signatures with docstrings, for the prompt of a model that writes code. */
  toolStubs(): string | Promise<string>
  /** Returns the session's callbacks as tool definitions for a model, in the format of a vendor's API. */
  toolSchemas(format: 'openai' | 'anthropic'): unknown[] | Promise<unknown[]>
  /** Ends the session. If you gave the session an `id`, it is stored first. Idempotent. */
  close(): Promise<void>
  /** Closes the session and removes it from the store. */
  delete(): Promise<void>
}
