// The progress of an execution that waits for LibreChat's tools. It is a file of the session, so that any process can continue. Owns
// the format of the file. The session's code may have changed the file, so it is untrusted.
import type { Session } from '../../session.js'
import { StorageError } from '../../shared/errors.js'
import type { DataFile } from './files.js'
import type { Inputs } from './inputs.js'
import type { FileReference } from './requests.js'
import type { ToolName } from './tools.js'

export interface Progress {
  readonly names: readonly ToolName[]
  readonly timeoutMs: number | undefined
  readonly inputs: Inputs
  readonly stdout: string
  readonly stderr: string
  /** Names of the files that changed so far. */
  readonly changed: readonly string[]
}

/** Outside of /mnt/data, whose files LibreChat lists. */
const PATH = '/mnt/.librechat-progress.json'
const MAX_BYTES = 32 * 1024 * 1024

export async function writeProgress(session: Session, progress: Progress): Promise<void> {
  const { inputs, ...rest } = progress
  const text = JSON.stringify({ ...rest, inputs: { ...inputs, readOnly: [...inputs.readOnly] } })
  await session.files.writeFile(PATH, text)
}

/** @returns undefined if there is no file, or it is not valid */
export async function readProgress(session: Session): Promise<Progress | undefined> {
  try {
    const { sizeBytes } = await session.files.stat(PATH)
    if (sizeBytes > MAX_BYTES) return undefined
    return parsed(JSON.parse(await session.files.readFile(PATH, 'utf8')))
  } catch (error) {
    if (error instanceof StorageError || error instanceof SyntaxError) return undefined
    throw error
  }
}

export async function removeProgress(session: Session): Promise<void> {
  try {
    await session.files.remove(PATH)
  } catch (error) {
    // An execution that never waited has no such file.
    if (!(error instanceof StorageError)) throw error
  }
}

// biome-ignore lint/suspicious/noExplicitAny: every part is checked before it is used
function parsed(given: any): Progress | undefined {
  const { names, timeoutMs, inputs, stdout, stderr, changed } = given ?? {}
  const isValid =
    listOf(names, (one) => isText(one?.tool) && isText(one.python) && isText(one.callback)) &&
    (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 1)) &&
    isText(stdout) &&
    isText(stderr) &&
    listOf(changed, isText) &&
    listOf(inputs?.notes, isText) &&
    listOf(inputs.readOnly, isText) &&
    listOf(inputs.files, isReference) &&
    listOf(inputs.before, (one) => isText(one?.name) && typeof one.sizeBytes === 'number')
  if (!isValid) return undefined
  const before: DataFile[] = inputs.before.map((one: DataFile) => ({
    ...one,
    modifiedAt: new Date(one.modifiedAt),
  }))
  const files: FileReference[] = inputs.files
  const parts = { notes: inputs.notes, readOnly: new Set<string>(inputs.readOnly), files, before }
  return { names, timeoutMs, stdout, stderr, changed, inputs: parts }
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function isReference(one: any): boolean {
  const { id, session, name, given } = one ?? {}
  return isText(id) && isText(session) && isText(name) && typeof given === 'object' && given !== null
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function listOf(value: unknown, isOne: (one: any) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
