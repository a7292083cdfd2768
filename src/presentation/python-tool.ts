// Python as a tool of a model, shared by all agent frameworks: its description and its results. Owns which errors are results that a model
// can act on, and which are thrown to the program.
import { isText, known, numberOption } from '../options/check.js'
import type { AllOutputListener, ExecuteOptions } from '../options/execution.js'
import { resolveTimeoutMs } from '../options/limits.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { Session } from '../session.js'
import type { Display } from '../shared/display.js'
import {
  CancelledError,
  ExecutionError,
  InvalidOptionError,
  SessionSuspendedError,
} from '../shared/errors.js'
import { describePython, factsOf, type Wording } from './describe.js'
import { displayParts, imageOf } from './displays.js'
import {
  type DescribedOutcome,
  describeError,
  describeResult,
  lostNote,
  NO_OUTPUT,
  textOf,
} from './outcome.js'
import { shorten } from './text.js'
import { stubsOf, type ToolCallbacks, withAcceptedSchemas } from './tool-callbacks.js'

/** The parts of a session that a tool uses. */
export type ToolSession = Pick<
  Session,
  | ('execute' | 'resume' | 'setCallbacks' | 'toolStubs' | 'state' | 'pending')
  | ('image' | 'limits' | 'executionTimeoutMs' | 'lostGlobals')
>

export interface PythonToolOptions {
  /** Runs the code, and keeps variables and files for later calls. The tool does not close it: close it yourself. */
  readonly session: ToolSession
  /** Longest run of one call in ms, including waits for tools; `null`: no limit. Default: the session's `executionTimeoutMs`. */
  readonly timeoutMs?: number | null
  /** Longest text that the model gets, such as stdout, in characters; others are cut in the middle. 1,000 to 1,000,000. Default 16,000. */
  readonly maxTextLength?: number
  /** The tool's description for the model. Default: Python's version, the packages, the limits and the functions that code can call. */
  readonly description?: string
}

export interface PythonCall {
  readonly signal?: AbortSignal | undefined
  /** Called with output as it is written. */
  readonly onOutput?: AllOutputListener
}

export interface ModelImage {
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'
  readonly data: Uint8Array
}

/** What a model gets from a call. */
export interface ModelOutcome {
  /** Text for the model: output, value, error, and displays that are text. Never empty. */
  readonly text: string
  /** Figures and other images: at most 10, of 4 MiB together. */
  readonly images: readonly ModelImage[]
  /** The outcome for a program, as JSON. */
  readonly structured: DescribedOutcome
  readonly isError: boolean
}

export const PYTHON_TOOL_NAME = 'run_python'

/** JSON Schema of the tool's arguments. */
export const PYTHON_ARGUMENTS = {
  type: 'object',
  properties: { code: { type: 'string', description: 'Python source code.' } },
  required: ['code'],
  additionalProperties: false,
} as const

/** @throws InvalidOptionError for a name that models cannot use */
export function toolName(name: string | undefined): string {
  const rule = { pattern: /^[A-Za-z0-9_-]{1,64}$/, expected: '1 to 64 letters, digits, "_" and "-"' }
  return isText('name', name, rule) ?? PYTHON_TOOL_NAME
}

export const textLength = numberOption({ min: 1000, max: 1_000_000, unit: 'characters', integer: true })
const MAX_MIME_TYPE_LENGTH = 100

export class PythonTool {
  readonly #options: PythonToolOptions
  readonly #maxTextLength: number
  /** Whether the model still has to be told of lost globals. */
  #hasLostGlobals: boolean

  /** @param others names of the adapter's own options. @throws InvalidOptionError */
  constructor(options: PythonToolOptions, others: readonly string[] = []) {
    known('options', options, ['session', 'timeoutMs', 'maxTextLength', 'description', ...others])
    if (typeof options.session?.execute !== 'function')
      throw new InvalidOptionError('session', 'a Session', options.session)
    if (options.description !== undefined && typeof options.description !== 'string')
      throw new InvalidOptionError('description', 'a string', options.description)
    resolveTimeoutMs('timeoutMs', options.timeoutMs, null)
    this.#options = options
    this.#maxTextLength = textLength('maxTextLength', options.maxTextLength, 16_000)
    this.#hasLostGlobals = options.session.lostGlobals.length > 0
  }

  get session(): ToolSession {
    return this.#options.session
  }

  /** The description for the model. @param callbacks functions that code will be able to call; default: the session's callbacks */
  describe(callbacks?: ToolCallbacks, wording?: Wording): string {
    const { session, timeoutMs, description } = this.#options
    if (description !== undefined) return description
    const facts = factsOf(session, timeoutMs)
    return describePython(callbacks === undefined ? facts : { ...facts, stubs: stubsOf(callbacks) }, wording)
  }

  /** Makes these functions available to code, instead of the session's callbacks. @throws InvalidOptionError */
  async setCallbacks(callbacks: ToolCallbacks): Promise<void> {
    await withAcceptedSchemas(callbacks, (accepted) => this.session.setCallbacks(accepted))
  }

  /**
   * Runs code. An exception, a timeout or another failure of the code is an outcome, and does not reject.
   *
   * @throws what `session.execute` throws for other reasons: the signal aborted, the session is closed, no slot became free
   */
  run(code: string, call: PythonCall = {}): Promise<ModelOutcome> {
    return this.#settle((options) => this.session.execute(code, options), call)
  }

  /**
   * Answers pending host calls of a suspended execution, and continues it.
   *
   * @throws as `run`, and what `session.resume` throws for answers to calls that are not pending
   */
  resume(
    answers: {
      readonly results?: Readonly<Record<string, unknown>>
      readonly errors?: Readonly<Record<string, unknown>>
    },
    call: PythonCall = {},
  ): Promise<ModelOutcome> {
    return this.#settle((options) => this.session.resume({ ...answers, ...options }), call)
  }

  async #settle(
    execute: (options: ExecuteOptions) => Promise<ExecuteResult>,
    { signal, onOutput }: PythonCall,
  ): Promise<ModelOutcome> {
    const { timeoutMs } = this.#options
    const options = { maxTextLength: this.#maxTextLength, notes: this.#takeNotes() }
    try {
      const result = await execute({
        signal,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(onOutput === undefined ? {} : { onOutput }),
      })
      // The repr of the last expression is shown in any case.
      const displays = result.displays.filter(
        (display) =>
          display !== result.display || imageOf(display) !== undefined || result.repr === undefined,
      )
      return this.#outcome(describeResult(result, options), displays)
    } catch (error) {
      const failure = this.#failureOf(error, signal)
      if (failure === undefined) throw error
      return this.#outcome(describeError(failure, options), failure.displays)
    }
  }

  /** The error if the model can act on it; undefined if only the program can. */
  #failureOf(error: unknown, signal: AbortSignal | undefined): ExecutionError | undefined {
    if (error instanceof ExecutionError) {
      const isStopped = error instanceof CancelledError && signal?.aborted === true
      return isStopped || this.session.state === 'closed' ? undefined : error
    }
    if (error instanceof SessionSuspendedError) {
      const names = this.session.pending.map(({ name }) => name).join(', ')
      const message = `nothing ran: earlier code is waiting for an answer to ${names} from outside the session`
      return new NotRunError(error, message)
    }
    return error instanceof InvalidOptionError && error.option === 'code' ? new NotRunError(error) : undefined
  }

  #outcome(structured: DescribedOutcome, displays: readonly Display[]): ModelOutcome {
    const parts = displayParts(displays.map(preferred), this.#maxTextLength)
    const texts = parts.flatMap((part) => {
      if (part.kind === 'image') return []
      if (part.kind === 'text') return [part.text]
      const unit = typeof part.data === 'string' ? 'characters' : 'bytes'
      return [
        `[a display that is not shown: ${shorten(part.mimeType, MAX_MIME_TYPE_LENGTH)}, ${part.data.length} ${unit}]`,
      ]
    })
    const images = parts.flatMap((part) => (part.kind === 'image' ? [part] : []))
    const pictures =
      images.length === 0 ? [] : [images.length === 1 ? '[an image]' : `[${images.length} images]`]
    const isSilent = texts.length + pictures.length > 0 && textOf(structured) === NO_OUTPUT
    return {
      text: [...(isSilent ? [] : [textOf(structured)]), ...texts, ...pictures].join('\n'),
      images: images.map(({ mimeType, data }) => ({ mimeType, data })),
      structured,
      isError: structured.status === 'error',
    }
  }

  #takeNotes(): string[] {
    if (!this.#hasLostGlobals) return []
    this.#hasLostGlobals = false
    return [lostNote(this.session.lostGlobals)]
  }
}

/** The call was rejected, and nothing ran. Has the name of the error that caused it. */
class NotRunError extends ExecutionError {
  readonly code = 'NOT_RUN'

  constructor(cause: Error, message = cause.message) {
    super(message, { cause })
    this.name = cause.name
  }
}

/** Reduces a display to the one type that a model can read best. */
function preferred(display: Display): Display {
  if (imageOf(display) !== undefined) return display
  const text = ['text/markdown', 'text/plain'].find((mimeType) => typeof display[mimeType] === 'string')
  return text === undefined ? display : { [text]: display[text] as string }
}
