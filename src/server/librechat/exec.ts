// `POST /exec`: one program in a session of its own. Owns how its end is reported to LibreChat; the model reads stdout and stderr.
import type { ExecuteResult } from '../../session/outcome.js'
import type { Session } from '../../session.js'
import { count } from '../../shared/count.js'
import { ExecutionError, LimitError, PythonError, TimeoutError } from '../../shared/errors.js'
import type { Account } from '../quotas.js'
import type { FileSessions } from './file-sessions.js'
import { DATA, type DataFile, dataFiles, writeData } from './files.js'
import { answerFiles, copyInputs, type FileAnswer } from './inputs.js'
import type { ExecRequest } from './requests.js'

/** Where and for whom code runs. */
export interface ExecutionContext {
  readonly sessions: FileSessions
  readonly tenant: string
  /** Charged with the time for which the execution has an interpreter. */
  readonly account: Account
  readonly signal: AbortSignal
}

export interface ExecAnswer {
  readonly session_id: string
  readonly stdout: string
  readonly stderr: string
  readonly files: readonly FileAnswer[]
}

/** How a program ended, whether well or badly. */
export interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** Names of the files that the program created or changed. */
  readonly changed: ReadonlySet<string>
  /** Why it failed, in words that LibreChat passes on to the model; undefined if it did not fail. */
  readonly failure: string | undefined
}

const PYTHON = new Set(['py', 'python', 'python3'])
const FIGURES: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
}

/** @returns undefined for Python; otherwise a text that the model reads as stderr */
export function refusalOf(lang: string): string | undefined {
  if (PYTHON.has(lang)) return undefined
  return `this server runs Python only: ${JSON.stringify(lang.slice(0, 20))} is not available; write the program in Python and use lang "py"\n`
}

export async function exec(context: ExecutionContext, request: ExecRequest): Promise<ExecAnswer> {
  const { sessions, tenant, account, signal } = context
  const labels = { librechat: 'execution' }
  return sessions.create(tenant, account, { labels }, async ({ id, session }) => {
    const refusal = refusalOf(request.lang)
    if (refusal !== undefined)
      return { answer: { session_id: id, stdout: '', stderr: refusal, files: [] }, keep: false }
    const inputs = await copyInputs(sessions, tenant, session, request)
    await prepare(session, request.args)
    const ended = await run(context, session, inputs.before, () => session.execute(request.code, { signal }))
    const files = answerFiles(id, inputs, ended.changed)
    const answer = {
      session_id: id,
      stdout: ended.stdout,
      stderr: ended.stderr + notesOf(inputs.notes),
      // LibreChat tells the model that a failed execution leaves no files.
      files: ended.failure === undefined ? files : [],
    }
    return { answer, keep: answer.files.some(({ inherited }) => inherited === undefined) }
  })
}

/** Sets the session up like a script that was started in /mnt/data. */
export async function prepare(session: Session, args: readonly string[], more = ''): Promise<void> {
  const code = `import os, sys
os.chdir('${DATA}')
sys.argv[1:] = ${JSON.stringify(args)}
if '' not in sys.path: sys.path.insert(0, '')
del os, sys
${more}`
  await session.execute(code)
}

/**
 * @param before the files in /mnt/data before the execution
 * @throws any error that is not an outcome of the program
 */
export async function run(
  { account }: Pick<ExecutionContext, 'account'>,
  session: Session,
  before: readonly DataFile[],
  execute: () => Promise<ExecuteResult>,
): Promise<Ended> {
  const beforeMs = session.usage.executionMs
  try {
    const result = await execute()
    const figures = await saveFigures(session, result)
    const more = count(result.moreFiles, 'more file')
    return {
      stdout: result.stdout,
      stderr:
        result.stderr + notesOf(result.moreFiles === 0 ? [] : [`${more} changed, and cannot be listed`]),
      changed: new Set([...changedBy(result), ...figures]),
      failure: undefined,
    }
  } catch (error) {
    if (!(error instanceof ExecutionError) || session.state === 'closed') throw error
    const { stdout, stderr } = error
    // `sys.exit()` is a normal way to end a script. The error does not list changed files, so compare them.
    if (error instanceof PythonError && error.exitCode === 0)
      return {
        stdout,
        stderr,
        changed: differences(before, await dataFiles(session.files)),
        failure: undefined,
      }
    const reason = error instanceof PythonError ? error.traceback : `${error.name}: ${error.message}\n`
    return { stdout, stderr: stderr + reason, changed: new Set(), failure: failureOf(error) }
  } finally {
    account.used(session.usage.executionMs - beforeMs)
  }
}

export function notesOf(notes: readonly string[]): string {
  return notes.map((note) => `Note: ${note}\n`).join('')
}

/** LibreChat hides any other wording from the model. */
function failureOf(error: ExecutionError): string {
  if (error instanceof TimeoutError) return 'Time limit exceeded'
  if (error instanceof LimitError && error.limit === 'memoryBytes') return 'Out of memory'
  if (error instanceof LimitError && error.limit === 'outputBytes') return 'stdout length exceeded'
  const exitCode = error instanceof PythonError ? (error.exitCode ?? 1) : 1
  return `Sandbox exited with code ${exitCode}`
}

function changedBy(result: ExecuteResult): string[] {
  return result.files
    .filter(({ path, change }) => change !== 'removed' && path.startsWith(`${DATA}/`))
    .map(({ path }) => path.slice(DATA.length + 1))
}

function differences(before: readonly DataFile[], after: readonly DataFile[]): ReadonlySet<string> {
  const stamp = ({ name, sizeBytes, modifiedAt }: DataFile) => `${modifiedAt.getTime()} ${sizeBytes} ${name}`
  const known = new Set(before.map(stamp))
  return new Set(after.filter((file) => !known.has(stamp(file))).map(({ name }) => name))
}

/** Saves each figure that was shown, or was still open at the end, to a file. Returns the names of the files. */
async function saveFigures(session: Session, { displays }: ExecuteResult): Promise<string[]> {
  const names: string[] = []
  const taken = displays.length === 0 ? [] : (await dataFiles(session.files)).map(({ name }) => name)
  let number = 1
  for (const display of displays) {
    const type = Object.keys(FIGURES).find((one) => display[one] !== undefined)
    const content = type === undefined ? undefined : display[type]
    if (type === undefined || content === undefined) continue
    while (taken.includes(`figure-${number}.${FIGURES[type]}`)) number++
    const name = `figure-${number++}.${FIGURES[type]}`
    await writeData(session.files, name, content)
    names.push(name)
  }
  return names
}
