// `brumate run`.
import { readFile } from 'node:fs/promises'
import { jsonDisplay, jsonValue } from '../../presentation/json-value.js'
import type { ExecuteResult } from '../../session/outcome.js'
import type { Session } from '../../session.js'
import { BrumateError, ExecutionError, PythonError } from '../../shared/errors.js'
import { messageOf } from '../../shared/thrown.js'
import { type Command, type CommandInput, type CommandOutput, textOf, UsageError } from '../command.js'
import { EXIT_FAILED } from '../exit-codes.js'
import { type CellName, exitCodeOf, failureJson, failureText } from '../failures.js'
import { Figures } from '../figures.js'
import { LineReader } from '../line-reader.js'
import { PYTHON_OPTIONS, Python } from '../python-options.js'
import { requireDirectoryOf, writeSnapshotFile } from '../snapshot-file.js'
import { answerInput, prelude, withoutInput } from '../standard-input.js'
import { printableLines } from '../text.js'

interface Source {
  readonly code: string
  /** Its file name in tracebacks. */
  readonly name: string
  readonly argv0: string
  /** Whether standard input belongs to the program, and is not its code. */
  readonly leavesInput: boolean
}

/** How the execution ended. */
type Ending =
  | { readonly result: ExecuteResult; readonly error?: undefined }
  | { readonly error: ExecutionError; readonly result?: undefined }

export const runCommand: Command = {
  usage: '(FILE | -c CODE | -) [OPTIONS] [-- ARGUMENT…]',
  about:
    'Runs Python code in a sandbox: a file, CODE, or standard input (-). Output is shown as it is written. The code sees no file of this machine but those of --mount, and what follows -- as sys.argv. Exit code: that of sys.exit, 1 after an exception, 124 after the time limit, 130 after Ctrl-C, 2 if the command line is wrong.',
  options: {
    code: { type: 'string', short: 'c', value: 'CODE', help: 'the code to run' },
    ...PYTHON_OPTIONS,
    'snapshot-out': {
      ...{ type: 'string', value: 'FILE' },
      help: 'where the state is saved when the code has ended, also by an exception',
    },
  },
  positionals: [0, 1],
  rest: true,
  async run(input) {
    const { values, streams, signal, onInterrupt, progress } = input
    const isJson = values.json === true
    const snapshotOut = textOf(values, 'snapshot-out')
    if (snapshotOut !== undefined) await requireDirectoryOf('--snapshot-out', snapshotOut)
    const source = await readSource(input)
    const startedMs = performance.now()
    await using python = await Python.open(input, 1)
    const stdin = source.leavesInput ? streams.stdin : undefined
    const reader = stdin && new LineReader(stdin, () => void session.interrupt().catch(() => {}))
    const onInput = reader && answerInput(reader, streams.stderr)
    const session = await progress.during(
      'starting Python …',
      // A single execution needs no checkpoints.
      python.createSession({ checkpoint: 'manual', ...(onInput === undefined ? {} : { onInput }) }),
    )
    try {
      // Handles Ctrl-C during the start of Python.
      signal.throwIfAborted()
      await session.execute(prelude([source.argv0, ...input.rest], reader !== undefined))
      const startMs = performance.now() - startedMs
      const cell = { number: session.executionCount + 1, name: source.name }
      // Only the start can be aborted by the signal: running code gets KeyboardInterrupt, which it may handle.
      onInterrupt(() => void session.interrupt().catch(() => {}))
      const ending = await execute(session, source.code, input)
      const executeMs = performance.now() - startedMs - startMs
      const saved = snapshotOut === undefined ? undefined : await save(session, snapshotOut, ending, input)
      const code = ending.error === undefined ? 0 : exitCodeOf(ending.error)
      const exitCode = code === 0 && saved?.error !== undefined ? EXIT_FAILED : code
      if (isJson) {
        const durations = { startMs: round(startMs), executeMs: round(executeMs) }
        return { json: { exitCode, ...report(ending, session, cell), durations, snapshot: saved }, exitCode }
      }
      if (ending.error !== undefined) streams.stderr.write(printableLines(failureText(ending.error, cell)))
      if (saved?.error !== undefined)
        streams.stderr.write(`brumate: ${printableLines(saved.error.message)}\n`)
      return { json: undefined, exitCode } satisfies CommandOutput
    } finally {
      onInterrupt(undefined)
      reader?.close()
      await session.close()
    }
  },
}

async function readSource({ values, positionals: [file], streams }: CommandInput): Promise<Source> {
  const code = textOf(values, 'code')
  if (code !== undefined) {
    if (file !== undefined) throw new UsageError(`-c and ${file} cannot be combined; arguments go after --`)
    return { code, name: '<string>', argv0: '-c', leavesInput: true }
  }
  if (file !== undefined && file !== '-') {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new UsageError(`${file}: ${messageOf(error, 'it cannot be read')}`)
    })
    // Like Python's own reader, drop a byte order mark.
    return { code: text.replace(/^\uFEFF/, ''), name: file, argv0: file, leavesInput: true }
  }
  const { stdin } = streams
  if (stdin === undefined || (stdin.isTTY && file === undefined))
    throw new UsageError('missing code: give a file, -c CODE, or - for standard input')
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return { code: Buffer.concat(chunks).toString(), name: '<stdin>', argv0: '-', leavesInput: false }
}

async function execute(session: Session, code: string, { values, streams }: CommandInput): Promise<Ending> {
  const figures = new Figures(textOf(values, 'figures'))
  const listeners =
    values.json === true
      ? {}
      : {
          onOutput: ({ stream, text }: { stream: 'stdout' | 'stderr'; text: string }) => {
            streams[stream].write(text)
          },
          onDisplay: async (display: ExecuteResult['display']) => {
            const shown = await figures.show(display)
            if (shown?.kind === 'output') streams.stdout.write(`${shown.text}\n`)
            if (shown?.kind === 'note') streams.stderr.write(`brumate: ${printableLines(shown.text)}\n`)
          },
        }
  try {
    return { result: await session.execute(code, listeners) }
  } catch (error) {
    if (error instanceof ExecutionError) return { error }
    throw error
  }
}

interface Saved {
  readonly path: string
  readonly sizeBytes?: number
  readonly error?: { readonly code: string; readonly message: string }
}

/** Saves a snapshot, unless a timeout or a crash ended the code: nobody asked for such a state. */
async function save(
  session: Session,
  path: string,
  ending: Ending,
  { progress }: CommandInput,
): Promise<Saved> {
  if (ending.error !== undefined && !(ending.error instanceof PythonError))
    return {
      path,
      error: { code: ending.error.code, message: `the code did not end, so ${path} was not written` },
    }
  try {
    await session.execute(withoutInput())
    const snapshot = await progress.during('saving the snapshot …', session.snapshotState())
    await writeSnapshotFile(path, snapshot)
    return { path, sizeBytes: snapshot.size }
  } catch (error) {
    if (!(error instanceof BrumateError || error instanceof UsageError)) throw error
    return {
      path,
      error: { code: error instanceof BrumateError ? error.code : 'USAGE', message: error.message },
    }
  }
}

function report({ result, error }: Ending, { usage }: Session, cell: CellName): object {
  const { stdout, stderr, displays } = result ?? error
  return {
    stdout,
    stderr,
    value: jsonValue(result?.value),
    repr: result?.repr,
    displays: displays.map(jsonDisplay),
    error: error && failureJson(error, cell),
    files: result?.files,
    usage,
  }
}

function round(durationMs: number): number {
  return Math.round(durationMs * 10) / 10
}
