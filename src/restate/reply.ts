// What the handlers return: JSON, with values in the format of shared/values/json.ts. Owns the types, and how the parts of a suspended and
// resumed execution are combined into one reply.
import type { Json } from '../shared/values/json.js'

export type { Json } from '../shared/values/json.js'

/** A completed execution: `ExecuteResult` as JSON. */
export interface CompletedReply {
  readonly status: 'completed'
  readonly stdout: string
  readonly stderr: string
  readonly value?: Json
  readonly repr?: string
  readonly exact: boolean
  readonly lost: readonly string[]
  readonly display: Readonly<Record<string, Json>>
  readonly displays: readonly Readonly<Record<string, Json>>[]
  readonly executionCount: number
  /** Time in slots; waiting for host calls is not included. */
  readonly durationMs: number
  readonly peakMemoryBytes: number
  readonly outputBytes: number
  readonly fileBytes: number
  readonly files: readonly { readonly path: string; readonly change: string; readonly sizeBytes: number }[]
  readonly moreFiles: number
  readonly callbackInvocations: number
}

/** An execution whose code raised an exception or was stopped. */
export interface FailedReply {
  readonly status: 'failed'
  readonly error: {
    /** The class of brumate's error: `PythonError`, `TimeoutError`, `LimitError`, `InterpreterCrashedError`. */
    readonly name: string
    readonly message: string
    /** The error's own fields, such as `type`, `traceback` and `frames` of a PythonError, and `outcome` of other errors. */
    readonly fields: Readonly<Record<string, Json>>
  }
  readonly stdout: string
  readonly stderr: string
  readonly displays: readonly Readonly<Record<string, Json>>[]
}

export type ExecuteReply = CompletedReply | FailedReply

/** A host call that an execution waits for. */
export interface WaitingCall {
  readonly id: string
  readonly name: string
  /** Absent if they are too large. */
  readonly args?: Json
}

/** The outcome of one call of a session, as stored in the journal. */
export interface Step {
  /** Made by `outcomeToJson`. */
  readonly outcome: Json
  /** Not empty if the execution is suspended. */
  readonly pending: readonly WaitingCall[]
}

type Part = Record<string, Json> & {
  readonly stdout?: string
  readonly stderr?: string
  readonly displays?: Json[]
}

/** Combines the steps of one execution, the last of which ended it. */
export function replyOf(steps: readonly Step[]): ExecuteReply {
  const parts = steps.map(({ outcome }) => {
    const { result, error } = outcome as { result?: Part; error?: Part }
    return result ?? (error as Part)
  })
  const last = steps.at(-1)?.outcome as { readonly result?: Part; readonly error?: Part }
  const produced = {
    stdout: parts.map(({ stdout = '' }) => stdout).join(''),
    stderr: parts.map(({ stderr = '' }) => stderr).join(''),
    displays: parts.flatMap(({ displays = [] }) => displays),
  }
  if (last.result === undefined) {
    const { name, message, fields } = last.error as Part
    return { status: 'failed', error: { name, message, fields: fields ?? {} }, ...produced } as FailedReply
  }
  return {
    ...last.result,
    ...produced,
    status: 'completed',
    durationMs: sum(parts, 'durationMs'),
    outputBytes: sum(parts, 'outputBytes'),
    moreFiles: sum(parts, 'moreFiles'),
    callbackInvocations: sum(parts, 'callbackInvocations'),
    files: merged(parts.flatMap(({ files }) => (files ?? []) as unknown as CompletedReply['files'])),
  } as unknown as CompletedReply
}

function sum(parts: readonly Part[], name: string): number {
  return parts.reduce((total, part) => total + Number(part[name] ?? 0), 0)
}

/** Keeps only the last change of each file. */
function merged(files: CompletedReply['files']): CompletedReply['files'] {
  return [...new Map(files.map((file) => [file.path, file])).values()]
}
