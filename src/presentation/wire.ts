// What the HTTP server and its client say to each other, as types: bodies of requests and responses, and events. Owns their names;
// docs/server.md describes them, src/server/schemas.ts checks what comes in.
import type { Limits } from '../options/limits.js'
import type { Outcome } from '../shared/errors.js'

/**
 * `json`: values as JSON for programs and models to read, which json-value.ts makes. `exact`: as the tagged JSON of
 * src/shared/values/json.ts, which is read back without loss.
 */
export type ValueForm = 'json' | 'exact'

/** The form of displays and values in these types depends on the `values` of the request. */
export type WireValue = unknown
export type WireDisplay = Readonly<Record<string, WireValue>>

export interface WirePending {
  readonly id: string
  readonly name: string
  readonly args: Readonly<Record<string, WireValue>>
  readonly reason?: string
}

export interface WireFrame {
  readonly file: string
  readonly line?: number
  readonly function: string
  readonly text: string
}

/** How an execution ended that neither completed nor was suspended. */
export interface WireFailure {
  /** `PYTHON`, `TIMEOUT`, `LIMIT`, `INTERPRETER_CRASHED`, `CANCELLED`. */
  readonly code: string
  readonly message: string
  /** Of Python's exceptions. */
  readonly type?: string
  readonly detail?: string
  readonly traceback?: string
  readonly frames?: readonly WireFrame[]
  readonly exitCode?: number
  /** Of the others: what is left of the session. */
  readonly outcome?: Outcome
  readonly timeoutMs?: number
  readonly limit?: string
  readonly max?: number
  /** Of `INTERPRETER_CRASHED`. */
  readonly reason?: string
}

/** Of every execution. */
export interface WireOutput {
  readonly stdout: string
  readonly stderr: string
  readonly displays: readonly WireDisplay[]
  /** Of the session, after it. */
  readonly executionCount: number
}

/** `status: 'completed'` or `'suspended'`: what `session.execute` resolves to. */
export interface WireResult extends WireOutput {
  readonly status: 'completed' | 'suspended'
  /** Absent where there is none, or it has no form. */
  readonly value?: WireValue
  readonly exact: boolean
  readonly lost: readonly string[]
  readonly repr?: string
  readonly display: WireDisplay
  readonly durationMs: number
  readonly peakMemoryBytes: number
  readonly outputBytes: number
  readonly fileBytes: number
  readonly files: readonly {
    readonly path: string
    readonly change: 'created' | 'changed' | 'removed'
    readonly sizeBytes: number
  }[]
  readonly moreFiles: number
  readonly callbackInvocations: number
  readonly pending: readonly WirePending[]
}

/** The code ran, and failed: that is a result of the request, not an error of it. */
export interface WireFailed extends WireOutput {
  readonly status: 'error'
  readonly error: WireFailure
}

export type WireExecution = WireResult | WireFailed

/** Server-sent events of an execution, by name; each has its JSON as `data`. `result` or `error` is the last. */
export interface WireEvents {
  readonly output: { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  readonly display: { readonly display: WireDisplay }
  /** Host calls that wait for `resume`, each once. */
  readonly pending: { readonly pending: readonly WirePending[] }
  readonly result: WireExecution
  readonly error: WireProblem
}

/** RFC 9457, with the `code` of docs/errors.md or docs/server.md, and what the error has beside. */
export interface WireProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  /** Of `SNAPSHOT`, `STORAGE`, `STORE` and `INTERPRETER_CRASHED`. */
  readonly reason?: string
  /** Of `PYTHON`. */
  readonly pythonType?: string
  /** Of `STORAGE`. */
  readonly path?: string
  readonly syscall?: string
  readonly dest?: string
  /** Of `SESSION_OWNED`: the manager that has the session, and until when. */
  readonly ownerId?: string
  readonly expiresAt?: string
  /** Of `QUOTA`: its name, and the most it allows. */
  readonly quota?: string
  readonly max?: number
  readonly limit?: string
  readonly option?: string
  readonly outcome?: Outcome
  readonly timeoutMs?: number
  /** Of `VALIDATION`: what is wrong where. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
}

/** A function that Python can call, whose calls a webhook answers, or `resume`. */
export interface WireTool {
  readonly name: string
  readonly description?: string
  /** JSON Schema. */
  readonly parameters?: Readonly<Record<string, unknown>>
  /** Where calls are sent, if the server allows it. Default: calls are suspended, and the client answers them. */
  readonly webhook?: string
}

export interface WireCreate {
  /** Default: a random UUID. */
  readonly id?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly limits?: Partial<Limits>
  /** Over the server's. */
  readonly tools?: readonly WireTool[]
  /** Whether Python's `input()` suspends the execution, as a pending call named `input`. Default false: EOFError. */
  readonly input?: boolean
  /** Id of one of the server's images. */
  readonly image?: string
}

export interface WireExecute {
  readonly code: string
  readonly timeoutMs?: number | null
  readonly values?: ValueForm
  /** Whether the execution goes on when the client goes away. Default false. */
  readonly detached?: boolean
}

export interface WireResume {
  /** Values by the id of the call, in the form that `values` says. */
  readonly results?: Readonly<Record<string, WireValue>>
  /** Errors by the id of the call; `type` is the name of Python's class. */
  readonly errors?: Readonly<Record<string, { readonly type?: string; readonly message: string }>>
  readonly timeoutMs?: number | null
  readonly values?: ValueForm
  readonly detached?: boolean
}

/** What is known of a session. The fields after `labels` are of sessions that the server has open. */
export interface WireSession {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly executionCount: number
  readonly createdAt: string
  readonly updatedAt: string
  /** Bytes that the store keeps of it. */
  readonly sizeBytes: number
  readonly imageId: string
  /** `attached`: it has an interpreter. `dormant`: its next call gets it one. */
  readonly state: 'attached' | 'dormant'
  readonly pending?: readonly WirePending[]
  readonly lostGlobals?: readonly string[]
}

export interface WireFileStatus {
  readonly path: string
  readonly kind: 'file' | 'directory' | 'symlink'
  readonly sizeBytes: number
  readonly mode: number
  readonly modifiedAt: string
}
