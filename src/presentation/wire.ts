// The protocol between the HTTP server and its client, as types: bodies of requests and responses, and events. Owns their names;
// docs/server.md describes them, src/server/schemas.ts validates what the server receives.
import type { Limits } from '../options/limits.js'
import type { Outcome } from '../shared/errors.js'

/**
 * `json`: values as JSON for programs and models to read, written by json-value.ts. `exact`: the tagged JSON of
 * src/shared/values/json.ts, which can be decoded without loss.
 */
export type ValueForm = 'json' | 'exact'

/** The request's `values` decides the form of values and displays in these types. */
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

/** How an execution ended that was neither completed nor suspended. */
export interface WireFailure {
  /** `PYTHON`, `TIMEOUT`, `LIMIT`, `INTERPRETER_CRASHED`, `CANCELLED`. */
  readonly code: string
  readonly message: string
  /** This and the next four: only for `PYTHON`. */
  readonly type?: string
  readonly detail?: string
  readonly traceback?: string
  readonly frames?: readonly WireFrame[]
  readonly exitCode?: number
  /** For all other codes: what state the session has now. */
  readonly outcome?: Outcome
  readonly timeoutMs?: number
  readonly limit?: string
  readonly max?: number
  /** Only for `INTERPRETER_CRASHED`. */
  readonly reason?: string
}

/** Fields of every execution. */
export interface WireOutput {
  readonly stdout: string
  readonly stderr: string
  readonly displays: readonly WireDisplay[]
  /** The session's count after the execution. */
  readonly executionCount: number
}

/** The value that `session.execute` resolves to. */
export interface WireResult extends WireOutput {
  readonly status: 'completed' | 'suspended'
  /** Absent if there is no value, or it cannot be converted. */
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

/** The code ran and failed. For the request, that is a result, not an error. */
export interface WireFailed extends WireOutput {
  readonly status: 'error'
  readonly error: WireFailure
}

export type WireExecution = WireResult | WireFailed

/** Server-sent events of an execution, by name; each has its JSON as `data`. The last event is `result` or `error`. */
export interface WireEvents {
  readonly output: { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  readonly display: { readonly display: WireDisplay }
  /** Host calls that wait for `resume`. Each call is reported once. */
  readonly pending: { readonly pending: readonly WirePending[] }
  readonly result: WireExecution
  readonly error: WireProblem
}

/** A problem of RFC 9457, with the `code` of docs/errors.md or docs/server.md, and the error's other fields. */
export interface WireProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  /** For `SNAPSHOT`, `STORAGE`, `STORE` and `INTERPRETER_CRASHED`. */
  readonly reason?: string
  /** For `PYTHON`. */
  readonly pythonType?: string
  /** This and the next two: for `STORAGE`. */
  readonly path?: string
  readonly syscall?: string
  readonly dest?: string
  /** For `SESSION_OWNED`: the manager that has the session open, and until when. */
  readonly ownerId?: string
  readonly expiresAt?: string
  /** For `QUOTA`: its name, and the maximum. */
  readonly quota?: string
  readonly max?: number
  readonly limit?: string
  readonly option?: string
  readonly outcome?: Outcome
  readonly timeoutMs?: number
  /** For `VALIDATION`: where the request is wrong, and why. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
}

/** A function that Python can call. A webhook answers its calls, or a client does with `resume`. */
export interface WireTool {
  readonly name: string
  readonly description?: string
  /** JSON Schema. */
  readonly parameters?: Readonly<Record<string, unknown>>
  /** URL to which calls are sent, if the server allows it. Default: calls are suspended, and the client answers them. */
  readonly webhook?: string
}

export interface WireCreate {
  /** Default: a random UUID. */
  readonly id?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly limits?: Partial<Limits>
  /** Added to the server's tools. */
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
  /** Whether the execution continues when the client disconnects. Default false. */
  readonly detached?: boolean
}

export interface WireResume {
  /** Values by call id, in the form that `values` names. */
  readonly results?: Readonly<Record<string, WireValue>>
  /** Errors by call id; `type` is the name of a Python class. */
  readonly errors?: Readonly<Record<string, { readonly type?: string; readonly message: string }>>
  readonly timeoutMs?: number | null
  readonly values?: ValueForm
  readonly detached?: boolean
}

/** Description of a session. Only for sessions that the server has open does it have `pending` and `lostGlobals`. */
export interface WireSession {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly executionCount: number
  readonly createdAt: string
  readonly updatedAt: string
  /** Bytes that the session takes in the store. */
  readonly sizeBytes: number
  readonly imageId: string
  /** `attached`: the session has an interpreter. `dormant`: its next call gets one. */
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
