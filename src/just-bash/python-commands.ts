// `python3` and `python` for just-bash: each run has a session of its own, which ends with it. Owns the command; arguments.ts parses its
// arguments, files.ts copies files, runner.ts has the Python code.
import { Buffer } from 'node:buffer'
import { posix } from 'node:path'
import type { Command, ExecResult, IFileSystem } from 'just-bash'
import type { SessionManager } from '../manager.js'
import { isRecord, known, numberOption } from '../options/check.js'
import type { SessionOptions } from '../options.js'
import type { Session } from '../session.js'
import {
  CancelledError,
  ExecutionError,
  InvalidOptionError,
  PythonError,
  StorageError,
  TimeoutError,
} from '../shared/errors.js'
import { type Program, programOf } from './arguments.js'
import { copyIn, copyOut, type FileBounds, SYSTEM, TooManyFilesError } from './files.js'
import { type RunRequest, runnerCode } from './runner.js'

export interface PythonCommandsOptions {
  /** Runs the sessions. You have to close it yourself. */
  readonly manager: SessionManager
  /** Options of each session, such as `tenant`, `limits` and `callbacks`. */
  readonly session?: Omit<SessionOptions, 'id' | 'from' | 'vfs' | 'vfsMountPath' | 'labels'>
  /** Longest run, in ms. Default: just-bash's `maxPythonTimeoutMs`, 30,000. */
  readonly timeoutMs?: number
  /** Maximum number of the shell's files and directories that a run gets. Default 5,000. */
  readonly maxFiles?: number
  /** Maximum size of all of them, in bytes. Default 32 MiB. */
  readonly maxFileBytes?: number
}

type Context = Parameters<Command['execute']>[1]
interface Resolved extends FileBounds {
  readonly manager: SessionManager
  readonly session: NonNullable<PythonCommandsOptions['session']>
  readonly timeoutMs: number | undefined
}

const MiB = 1024 * 1024
const EXIT_TIMEOUT = 124
const EXIT_INTERRUPTED = 130
const HOME = '/home/pyodide'
const USAGE = 'usage: python3 [option] ... [-c cmd | -m mod | file | -] [arg] ...\n'
const files = numberOption({ min: 0, max: 1_000_000, integer: true })
const bytes = numberOption({ min: 0, max: 2 ** 30, unit: 'bytes', integer: true })
const timeout = numberOption({ min: 1, max: 2 ** 31 - 1, unit: 'milliseconds' })

/**
 * Commands for `new Bash({ customCommands: pythonCommands({ manager }) })`. Each run has a fresh interpreter. Only the shell's files carry
 * over to the next run: they are copied into the session at the same paths, and the program's changes are copied back.
 *
 * @throws InvalidOptionError
 */
export function pythonCommands(options: PythonCommandsOptions): Command[] {
  isRecord('options', options)
  known('options', options, ['manager', 'session', 'timeoutMs', 'maxFiles', 'maxFileBytes'])
  const { manager, session = {}, timeoutMs } = options
  if (typeof manager?.createSession !== 'function')
    throw new InvalidOptionError('manager', 'a SessionManager', manager)
  const resolved: Resolved = {
    ...{ manager, session },
    timeoutMs: timeoutMs === undefined ? undefined : timeout('timeoutMs', timeoutMs, timeoutMs),
    maxFiles: files('maxFiles', options.maxFiles, 5000),
    maxFileBytes: bytes('maxFileBytes', options.maxFileBytes, 32 * MiB),
  }
  return ['python3', 'python'].map((name) => ({
    name,
    trusted: true,
    execute: (args, context) => python(name, args, context, resolved),
  }))
}

async function python(
  name: string,
  args: string[],
  context: Context,
  options: Resolved,
): Promise<ExecResult> {
  const program = programOf(args)
  if (program.kind === 'help') return ended(0, USAGE)
  if (program.kind === 'fault') return ended(2, '', `${name}: ${program.message}\n${USAGE}`)
  const { fs, cwd } = context
  if (program.kind === 'file' && !(await isReadable(fs, fs.resolvePath(cwd, program.path))))
    return ended(
      2,
      '',
      `${name}: can't open file '${fs.resolvePath(cwd, program.path)}': [Errno 2] No such file or directory\n`,
    )
  const session = await options.manager.createSession({ ...options.session, checkpoint: 'manual' })
  try {
    if (program.kind === 'version') {
      const { value } = await session.execute('__import__("platform").python_version()')
      return ended(0, `Python ${value}\n`)
    }
    return await run(name, program, session, context, options)
  } finally {
    await session.close()
  }
}

async function run(
  name: string,
  program: Exclude<Program, { kind: 'version' | 'help' | 'fault' }>,
  session: Session,
  context: Context,
  options: Resolved,
): Promise<ExecResult> {
  const { fs, signal, limits } = context
  const request = await requestOf(program, context)
  try {
    const before = await copyIn(fs, session.files, options)
    await session.files.mkdir(context.cwd, { recursive: true })
    const result = await session.execute(runnerCode(request, SYSTEM), {
      timeoutMs: options.timeoutMs ?? limits?.maxPythonTimeoutMs ?? null,
      signal,
    })
    const [exitCode, directories] = readValue(result.value)
    const faults = await copyOut(fs, session.files, result, before, directories)
    const failures = faults.map((fault) => `${name}: ${fault}\n`).join('')
    return ended(faults.length > 0 && exitCode === 0 ? 1 : exitCode, result.stdout, result.stderr + failures)
  } catch (error) {
    if (error instanceof TooManyFilesError || error instanceof StorageError)
      return ended(1, '', `${name}: ${error.message}\n`)
    if (!(error instanceof ExecutionError)) throw error
    if (error instanceof CancelledError && signal?.aborted)
      return ended(EXIT_INTERRUPTED, error.stdout, error.stderr)
    const reason =
      error instanceof PythonError
        ? error.traceback
        : `${name}: ${error.message}; files were not copied back\n`
    return ended(error instanceof TimeoutError ? EXIT_TIMEOUT : 1, error.stdout, error.stderr + reason)
  }
}

async function requestOf(
  program: Exclude<Program, { kind: 'version' | 'help' | 'fault' }>,
  { fs, cwd, stdin, exportedEnv, env }: Context,
): Promise<RunRequest> {
  // just-bash passes bytes as a string, with one character per byte.
  const input = Buffer.from(String(stdin), 'latin1')
  const { kind, argv } = program
  const common = {
    kind,
    argv,
    cwd,
    path: '',
    env: exportedEnv ?? Object.fromEntries(env),
    stdin: input.toString('base64'),
  }
  if (program.kind === 'code') return { ...common, program: program.code, file: '<string>' }
  if (program.kind === 'module') return { ...common, program: program.name, file: '' }
  if (program.kind === 'stdin') return { ...common, program: input.toString(), file: '<stdin>', stdin: '' }
  const path = fs.resolvePath(cwd, program.path)
  const source = Buffer.from(await fs.readFileBuffer(path)).toString()
  // Like Python's own reader, drop a byte order mark.
  return { ...common, program: source.replace(/^\uFEFF/, ''), file: path, path: posix.dirname(path) }
}

/** Validates the runner's value, which the program may have tampered with. */
function readValue(value: unknown): [number, string[]] {
  const [code, directories] = Array.isArray(value) ? value : []
  const paths = (Array.isArray(directories) ? directories : []).filter(
    (path): path is string => typeof path === 'string' && path.startsWith('/') && !path.startsWith(HOME),
  )
  return [Number.isInteger(code) ? (code as number) & 255 : 1, paths]
}

async function isReadable(fs: IFileSystem, path: string): Promise<boolean> {
  return (await fs.exists(path)) && (await fs.stat(path)).isFile
}

function ended(exitCode: number, stdout: string, stderr = ''): ExecResult {
  return { stdout, stderr, exitCode, stdoutKind: 'text' }
}
