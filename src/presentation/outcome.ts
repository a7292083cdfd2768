// The outcome of an execution, as text for a model and as JSON for a program: a result, or the error that ended it. Owns how much of each
// part is shown; displays.ts does that for displays.
import type { ExecuteResult } from '../session/outcome.js'
import { type ExecutionError, PythonError, SessionMovedError } from '../shared/errors.js'
import type { ChangedFile } from '../shared/messages/slot.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { jsonValue } from './json-value.js'
import { cut, shorten } from './text.js'

/** The error that ended an execution. */
export interface DescribedError {
  /** The class of the exception, or of the error that ended the code, such as `TimeoutError`. */
  readonly type: string
  readonly message: string
  readonly traceback: string | null
  /** The innermost frame is last. */
  readonly frames: readonly {
    readonly file: string
    readonly line: number | null
    readonly function: string
    readonly text: string
  }[]
}

/** All of it is plain JSON. */
export interface DescribedOutcome {
  /** `suspended`: the execution waits for answers to the calls in `pending`. */
  readonly status: 'ok' | 'error' | 'suspended'
  readonly stdout: string
  readonly stderr: string
  /** `repr()` of the last expression; `null` if there is none. */
  readonly repr: string | null
  /** Value of the last expression as JSON. Missing if it cannot be converted, or is too large. */
  readonly value?: unknown
  readonly error: DescribedError | null
  /** Files that the code created, changed or removed. */
  readonly files: readonly ChangedFile[]
  /** How many such files `files` leaves out. */
  readonly moreFiles: number
  readonly executionCount: number | null
  readonly durationMs: number | null
  readonly notes: readonly string[]
  /** Host calls without an answer yet. Missing if there are none. */
  readonly pending?: readonly DescribedCall[]
}

export interface DescribedCall {
  readonly id: string
  readonly name: string
  /** Missing if they cannot be converted to JSON, or are too large. */
  readonly args?: unknown
  readonly reason?: string
}

export interface OutcomeOptions {
  /** Limit for each text, in characters. A longer text is cut in the middle, with a mark. */
  readonly maxTextLength: number
  /** Other remarks for the model, such as what was lost in an upgrade. Default none. */
  readonly notes?: readonly string[]
  /** Cuts a text that is too long. Default `cut`. */
  readonly cut?: (text: string) => string
}

/** The text of an outcome without any output. */
export const NO_OUTPUT = '(no output)'
const MAX_FILES = 100
const MAX_FRAMES = 50
/** Clients' JSON parsers have limits of their own. */
const MAX_DEPTH = 64
const MAX_MESSAGE_LENGTH = 2000
const MAX_LOST_NAMES = 50
const MAX_LOST_NAME_LENGTH = 100
/** Limit for names that code chooses: of classes, functions and files. */
const MAX_NAME_LENGTH = 300

export function describeResult(result: ExecuteResult, options: OutcomeOptions): DescribedOutcome {
  const { maxTextLength, notes = [] } = options
  const cutText = cutterOf(options)
  const bounds = { maxLength: maxTextLength, maxDepth: MAX_DEPTH }
  const value = result.value === undefined ? undefined : jsonValue(result.value, bounds)
  const files = result.files.slice(0, MAX_FILES)
  const pending = result.pending.map((call) => describeCall(call, maxTextLength))
  return {
    status: result.status === 'suspended' ? 'suspended' : 'ok',
    stdout: cutText(result.stdout),
    stderr: cutText(result.stderr),
    repr: result.repr === undefined ? null : cutText(result.repr),
    ...(value === undefined ? {} : { value }),
    error: null,
    files: files.map(({ path, change, sizeBytes }) => ({ path, change, sizeBytes })),
    moreFiles: result.moreFiles + result.files.length - files.length,
    executionCount: result.executionCount,
    durationMs: Math.round(result.durationMs),
    notes: [...notes],
    ...(pending.length === 0 ? {} : { pending }),
  }
}

export function describeError(error: ExecutionError, options: OutcomeOptions): DescribedOutcome {
  const cutText = cutterOf(options)
  return {
    status: 'error',
    stdout: cutText(error.stdout),
    stderr: cutText(error.stderr),
    repr: null,
    error: error instanceof PythonError ? describePythonError(error, cutText) : describeOther(error),
    ...{ files: [], moreFiles: 0, executionCount: null, durationMs: null },
    notes: [...(options.notes ?? [])],
  }
}

/** The outcome as text for a model. */
export function textOf({ stdout, stderr, repr, error, pending = [], notes }: DescribedOutcome): string {
  const failure = error === null ? undefined : (error.traceback ?? `${error.type}: ${error.message}`)
  const parts = [
    ...(stdout === '' ? [] : [stdout.replace(/\n$/, '')]),
    ...(stderr === '' ? [] : [`[stderr]\n${stderr.replace(/\n$/, '')}`]),
    ...(repr ? [stdout === '' && stderr === '' ? repr : `[value]\n${repr}`] : []),
    ...(failure === undefined ? [] : [failure.replace(/\n$/, '')]),
    ...pending.map(
      ({ name, reason }) => `[waiting] ${name} has no answer yet${reason === undefined ? '' : `: ${reason}`}`,
    ),
    ...notes.map((note) => `[note] ${note}`),
  ]
  return parts.length === 0 ? NO_OUTPUT : parts.join('\n')
}

/** Tells a model which variables were lost in an upgrade. */
export function lostNote(globals: readonly string[]): string {
  const shown = globals.slice(0, MAX_LOST_NAMES).map((name) => shorten(name, MAX_LOST_NAME_LENGTH))
  const more = globals.length - shown.length
  const names = `${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`
  return `after an upgrade, these variables of the session are lost: ${names}`
}

export function describeCall({ id, name, args, reason }: PendingCall, maxLength: number): DescribedCall {
  const json = jsonValue(args, { maxLength, maxDepth: MAX_DEPTH })
  return {
    ...{ id, name },
    ...(json === undefined ? {} : { args: json }),
    ...(reason === undefined ? {} : { reason: cut(reason, MAX_MESSAGE_LENGTH).toWellFormed() }),
  }
}

function describePythonError(error: PythonError, cutText: (text: string) => string): DescribedError {
  return {
    type: shorten(error.type, MAX_NAME_LENGTH),
    message: cut(error.detail, MAX_MESSAGE_LENGTH),
    traceback: cutText(error.traceback),
    frames: error.frames.slice(-MAX_FRAMES).map(({ file, line, function: name, text }) => ({
      ...{ file: shorten(file, MAX_NAME_LENGTH), line: line ?? null },
      ...{ function: shorten(name, MAX_NAME_LENGTH), text: shorten(text, MAX_MESSAGE_LENGTH) },
    })),
  }
}

function describeOther(error: ExecutionError): DescribedError {
  // This error's own message is meant for programs.
  const message =
    error instanceof SessionMovedError
      ? 'another server has taken this session, so what this call did is lost. The next call continues with what is stored'
      : error.message
  return { type: error.name, message: cut(message, MAX_MESSAGE_LENGTH), traceback: null, frames: [] }
}

function cutterOf({ maxTextLength, cut: given }: OutcomeOptions): (text: string) => string {
  return (text) => {
    if (text.length <= maxTextLength) return text.toWellFormed()
    return given === undefined ? cut(text, maxTextLength) : given(text)
  }
}
