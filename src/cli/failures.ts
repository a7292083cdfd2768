// How the failure of an execution is shown, to people and as JSON. Owns the exit code of each failure; run.ts has those of commands.
import {
  CancelledError,
  type ExecutionError,
  InterpreterCrashedError,
  LimitError,
  PythonError,
  TimeoutError,
} from '../shared/errors.js'
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_TIMEOUT } from './exit-codes.js'
import { STANDARD_INPUT } from './standard-input.js'
import { durationText } from './units.js'

/** The code of an execution is not a file in Python: tracebacks name it by its number. */
export interface CellName {
  /** The number in `<cell 2>`. */
  readonly number: number
  /** The name that the user knows, such as `script.py`. */
  readonly name: string
}

const HIDDEN_FRAME = new RegExp(`^  File "${STANDARD_INPUT}", line .*\\n`, 'gm')

export function exitCodeOf(error: ExecutionError): number {
  if (error instanceof TimeoutError) return EXIT_TIMEOUT
  if (error instanceof CancelledError) return EXIT_INTERRUPTED
  if (!(error instanceof PythonError)) return EXIT_FAILED
  if (error.exitCode !== undefined) return error.exitCode
  return error.type === 'KeyboardInterrupt' ? EXIT_INTERRUPTED : EXIT_FAILED
}

/** The text for stderr, as Python would print it: nothing for `sys.exit(2)`, the text for `sys.exit('text')`. */
export function failureText(error: ExecutionError, cell?: CellName): string {
  if (!(error instanceof PythonError)) return `brumate: ${summaryOf(error)}\n`
  if (error.exitCode === undefined) return renamed(error.traceback, cell)
  const isCode = error.exitCode === 0 || /^(-?\d+|True)$/.test(error.detail)
  return isCode ? '' : `${error.detail}\n`
}

function summaryOf(error: ExecutionError): string {
  if (error instanceof TimeoutError) return `the time limit of ${durationText(error.timeoutMs)} has passed`
  return error.message
}

export function failureJson(error: ExecutionError, cell?: CellName): object {
  const { code, message } = error
  if (error instanceof PythonError) {
    const { type, detail, exitCode } = error
    const shown = error.frames.filter(({ file }) => file !== STANDARD_INPUT)
    const frames = shown.map((frame) => ({
      ...frame,
      file: cell !== undefined && frame.file === fileOf(cell) ? cell.name : frame.file,
    }))
    const traceback = renamed(error.traceback, cell)
    return { code, type, message, detail, traceback, frames, ...(exitCode === undefined ? {} : { exitCode }) }
  }
  const outcome = 'outcome' in error ? { outcome: error.outcome } : {}
  if (error instanceof TimeoutError) return { code, message, timeoutMs: error.timeoutMs, ...outcome }
  if (error instanceof LimitError) return { code, message, limit: error.limit, max: error.max, ...outcome }
  if (error instanceof InterpreterCrashedError) return { code, message, reason: error.reason, ...outcome }
  return { code, message, ...outcome }
}

/** The traceback as CPython would print it: `input()` has no frames there. */
function renamed(traceback: string, cell: CellName | undefined): string {
  const own = traceback.replaceAll(HIDDEN_FRAME, '')
  if (cell === undefined) return own
  return own.replaceAll(`  File "${fileOf(cell)}", line `, `  File "${cell.name}", line `)
}

function fileOf({ number }: CellName): string {
  return `<cell ${number}>`
}
