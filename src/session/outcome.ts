// Decodes the kernel's outcome tuples: a result, a value, or an error to throw. Owns their shapes on the main thread. The
// bytes are untrusted, so anything malformed is a MalformedValueError and never a crash (R3).

import type { Display } from '../shared/display.js'
import {
  CancelledError,
  InterpreterCrashedError,
  LimitError,
  type Outcome,
  PythonError,
  type PythonFrame,
  TimeoutError,
} from '../shared/errors.js'
import type { ChangedFile, ExceededLimit } from '../shared/messages/slot.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { type Decoded, Decoder, MalformedValueError } from '../shared/values/decode.js'
import { isNothing } from '../shared/values/nothing.js'
import type { Job } from '../shared/values/slices.js'
import { NO_VALUE, TypeCode, type Value } from '../shared/values/value.js'
import type { StopCause } from './call.js'
import { MAX_FORMS, readDisplay } from './displays.js'

/** The result of one execution. */
export interface ExecuteResult {
  /** `suspended`: the execution waits for answers to the calls in `pending`; continue it with `session.resume`. */
  readonly status: 'completed' | 'suspended'
  /** The output exactly as it was written; nothing is trimmed. */
  readonly stdout: string
  readonly stderr: string
  /**
   * The value of the last expression; docs/values.md lists the JavaScript form of each Python type. `undefined` if there is no value, if
   * it has no JavaScript form, or if it is larger than `limits.resultBytes`; `lost` says why. A semicolon at the end of the code suppresses
   * the value.
   */
  readonly value: Value | undefined
  /** `false` if the value lost information when it was converted to JavaScript; `lost` says what. */
  readonly exact: boolean
  /**
   * What the conversion lost, with the place in the value, such as `value["a"][3]: complex has no JavaScript form` or
   * `value["when"]: datetime without its time zone`. At most 10 entries; empty if `exact`.
   */
  readonly lost: readonly string[]
  /**
   * `repr()` of the last expression's value; `undefined` if there is none. For a built-in type that is too large for `repr()`, a
   * placeholder. Truncated, with a mark, at `limits.resultBytes`.
   */
  readonly repr: string | undefined
  /** The value's rich representations by MIME type, from its `_repr_*_` methods: text, or bytes for binary types. */
  readonly display: Display
  /**
   * Everything that was displayed, in order; the last expression's display comes last. `display(…)` displays any object; figures of
   * matplotlib are displayed by `plt.show()`, or at the end of the execution if they are still open. All displays together have at most
   * `limits.resultBytes` bytes; stderr names those that were left out. For an execution that was resumed: only what was displayed since.
   */
  readonly displays: readonly Display[]
  readonly executionCount: number
  /** Time in the slot, including waits. */
  readonly durationMs: number
  /** The most memory that the interpreter has had so far. */
  readonly peakMemoryBytes: number
  /** Bytes that the execution wrote to stdout and stderr. */
  readonly outputBytes: number
  /** Size of the session's private files after the execution, holes included. */
  readonly fileBytes: number
  /**
   * Private files that the execution created, changed or removed, sorted by path, without files of a `VfsStorage`. At most 1,000 files,
   * whose paths have at most 256 KiB together.
   */
  readonly files: readonly ChangedFile[]
  /** Number of changed files that `files` omits. */
  readonly moreFiles: number
  /** Number of host calls since the execution began or was resumed. */
  readonly callbackInvocations: number
  /** Host calls that wait for `session.resume`; empty if the execution is completed. */
  readonly pending: readonly PendingCall[]
}

/** The part of a result that describes the last expression. */
export type LastValue = Pick<ExecuteResult, 'value' | 'exact' | 'lost' | 'repr' | 'display'>

/** A failure as the kernel reports it. */
export interface Failure {
  readonly type: string
  /** `str()` of the exception. */
  readonly detail: string
  readonly traceback: string
  readonly frames: readonly PythonFrame[]
  readonly exitCode: number | undefined
  /** The last line of the traceback, if that is not just the type and `detail`. */
  readonly line: string | undefined
}

export type Answer =
  /** `exact` is false when a value in it has no JavaScript counterpart. */
  | { readonly ok: true; readonly items: readonly Decoded[]; readonly exact: boolean }
  | { readonly ok: false; readonly failure: Failure }

/** The answer of an execution without a value. */
export const NOTHING_ANSWER: Answer = { ok: true, items: [null, NO_VALUE, {}], exact: true }
const MAX_ITEMS = 7
/** A result consists of the value's repr, the value, and its display. Notes on what the value lost may follow. */
const RESULT_ITEMS = 3
const MAX_FRAMES = 1001
const MAX_LOST = 10

/** Whether the first bytes are those of a successful outcome. Does not validate the rest. */
export function isSuccess(payload: Uint8Array | null): boolean {
  return payload === null || (payload[0] === TypeCode.tuple && payload[5] === TypeCode.true)
}

/** Decodes an outcome; a large one in time slices. */
export class AnswerReader implements Job {
  readonly sizeBytes: number
  readonly #decoder: Decoder | undefined

  /** @param payload null: an execution without a value */
  constructor(payload: Uint8Array | null) {
    this.sizeBytes = payload?.length ?? 0
    this.#decoder = payload === null || isNothing(payload) ? undefined : new Decoder(payload)
  }

  /** @throws MalformedValueError */
  advance(untilMs: number): boolean {
    if (this.#decoder?.advance(untilMs) === false) return false
    this.#decoder?.end()
    return true
  }

  /** The answer; call only once `advance` has returned true. @throws MalformedValueError */
  get answer(): Answer {
    if (this.#decoder === undefined) return NOTHING_ANSWER
    const { tree, exact, lastKeys } = this.#decoder
    if (!Array.isArray(tree) || tree.length > MAX_ITEMS)
      throw new MalformedValueError('an outcome that is not a tuple')
    const [ok, ...items] = tree as readonly Decoded[]
    // Only notes, which are text, come after the display, so the last dict of a result is its display.
    if (ok === true && items.length >= RESULT_ITEMS) {
      if (items.length > RESULT_ITEMS + 1) throw new MalformedValueError('a result with too many items')
      readNotes(items[RESULT_ITEMS])
      if (lastKeys > MAX_FORMS) throw new MalformedValueError(`a display of ${lastKeys} forms`)
    }
    if (ok === true) return { ok: true, items, exact }
    return { ok: false, failure: readFailure(ok, items) }
  }
}

/** @throws MalformedValueError */
function readFailure(
  ok: Decoded | undefined,
  [type, detail, traceback, frames, exitCode, line]: readonly Decoded[],
): Failure {
  if (
    ok !== false ||
    typeof type !== 'string' ||
    typeof detail !== 'string' ||
    typeof traceback !== 'string'
  ) {
    throw new MalformedValueError('a malformed failure')
  }
  return {
    type,
    detail,
    traceback,
    frames: Array.isArray(frames) ? frames.slice(0, MAX_FRAMES).map(readFrame) : [],
    exitCode: typeof exitCode === 'number' ? exitCode : undefined,
    line: typeof line === 'string' ? line : undefined,
  }
}

/** @throws MalformedValueError */
function readFrame(frame: Decoded): PythonFrame {
  const [file, line, name, text] = Array.isArray(frame) ? frame : []
  if (typeof file !== 'string' || typeof name !== 'string' || typeof text !== 'string')
    throw new MalformedValueError('a malformed frame')
  return { file, line: typeof line === 'number' ? line : undefined, function: name, text }
}

/** Reads the part of an execution's result that comes from the kernel's reply. @throws MalformedValueError */
export function readResult(items: readonly Decoded[], exact: boolean): LastValue {
  const [repr, value, last, notes] = items
  if (repr !== null && typeof repr !== 'string') throw new MalformedValueError('a repr that is not text')
  const lost = readNotes(notes)
  if (!exact) lost.push(`value: ${TOO_LARGE}`)
  return {
    repr: repr ?? undefined,
    value: exact ? readValue(value) : undefined,
    exact: lost.length === 0,
    lost,
    display: readDisplay(last),
  }
}

/** @throws MalformedValueError */
function readNotes(notes: Decoded | undefined): string[] {
  if (notes === undefined) return []
  if (!Array.isArray(notes) || notes.length > MAX_LOST)
    throw new MalformedValueError('notes that are not a short list')
  // Do not use `String(note)`: for a container it would join all items, or call a `toString` that the guest supplied.
  return (notes as readonly Decoded[]).map((note) => {
    if (typeof note !== 'string') throw new MalformedValueError('a note that is not text')
    return note
  })
}

/** The reason given when a value could not be decoded completely. */
export const TOO_LARGE = 'a part of it is too large for JavaScript, or its members hash too slowly'

/** @throws MalformedValueError */
export function readValue(tree: Decoded | undefined): Value | undefined {
  if (tree === undefined) throw new MalformedValueError('an outcome without a value')
  return tree === NO_VALUE ? undefined : (tree as Value)
}

export function pythonError({ line, ...failure }: Failure): PythonError {
  const { type, detail } = failure
  return new PythonError({ ...failure, message: line ?? (detail === '' ? type : `${type}: ${detail}`) })
}

/** Returns the error for a call that was stopped or lost its slot. The type depends on what stopped the call. */
export function stopError(
  stop: StopCause | undefined,
  outcome: Outcome,
  reason: string,
  cause?: Error,
): Error {
  const options = cause === undefined ? {} : { cause }
  switch (stop?.kind) {
    case 'timeout':
      return new TimeoutError(stop.timeoutMs, outcome, options)
    case 'abort':
      return new CancelledError(outcome, { cause: stop.reason })
    case 'interrupt':
      return new CancelledError(outcome, options)
    default:
      return new InterpreterCrashedError(reason, outcome, options)
  }
}

export function limitError(limit: ExceededLimit, max: number | null, cause?: Error): LimitError {
  return new LimitError(limit, max ?? 0, 'interrupted', cause === undefined ? {} : { cause })
}
