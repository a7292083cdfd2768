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
  readonly labels: Readonly<Record<string, string>>
  readonly lostGlobals: readonly string[]
  readonly executionCount: number
  readonly state: 'attached' | 'dormant' | 'closed'
  readonly pending: readonly PendingCall[]
  readonly files: PythonSessionFiles
  /** Time limit of an execution in ms; `null`: no limit; `undefined`: the server's default. */
  executionTimeoutMs: number | null | undefined
  execute(code: string, options?: ExecuteOptions): Promise<ExecuteResult>
  resume(answers: ResumeOptions): Promise<ExecuteResult>
  get(name: string): Promise<Value>
  set(name: string, value: InputValue): Promise<void>
  clearState(): Promise<void>
  reset(): Promise<void>
  interrupt(): Promise<void>
  hibernate(): Promise<void>
  snapshotState(): Promise<SnapshotBytes>
  restoreState(snapshot: SnapshotBytes | Uint8Array, options?: RestoreOptions): Promise<string[]>
  toolStubs(): string | Promise<string>
  toolSchemas(format: 'openai' | 'anthropic'): unknown[] | Promise<unknown[]>
  close(): Promise<void>
  delete(): Promise<void>
}
