// What a sandbox needs besides the state of its sessions, as JSON in a private file of its first session. Owns the format. Python code can
// write to that file, so it is untrusted.

import type { SessionFiles } from '../session/session-files.js'
import { StorageError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'

export interface ContextRecord {
  readonly id: string
  readonly cwd: string
  /** How many executions of the session were not the user's. */
  hidden: number
}

export interface SandboxRecord {
  readonly contexts: ContextRecord[]
  readonly envs: Readonly<Record<string, string>>
  readonly onTimeout: 'kill' | 'pause'
}

export const DEFAULT_CONTEXT = 'default'
const DIRECTORY = '/.sandbox'
const RECORD = `${DIRECTORY}/sandbox.json`
const ARCHIVE = `${DIRECTORY}/home.tar`
const MAX_CONTEXTS = 1000
const MAX_RECORD_BYTES = 1024 * 1024
/** The home directory has up to 64 MiB; its archive is larger. */
const MAX_ARCHIVE_BYTES = 128 * 1024 * 1024
const CONTEXT_ID = /^(default|[0-9a-f]{12})$/

export async function writeRecord(files: SessionFiles, record: string): Promise<void> {
  await files.mkdir(DIRECTORY, { recursive: true })
  await files.writeFile(RECORD, record)
}

export async function writeArchive(files: SessionFiles, archive: Uint8Array): Promise<void> {
  await files.mkdir(DIRECTORY, { recursive: true })
  await files.writeFile(ARCHIVE, archive)
}

/** Removes the directory, and anything that code may have put in its place. */
export async function removeRecord(files: SessionFiles): Promise<void> {
  await files.remove(DIRECTORY, { recursive: true })
}

/** @returns the valid parts of the record, so that a sandbox opens no matter what its code has written */
export async function readRecord(files: SessionFiles): Promise<SandboxRecord> {
  const bytes = await readIfThere(files, RECORD, MAX_RECORD_BYTES)
  let given: Record<string, unknown> = {}
  try {
    if (isUint8Array(bytes)) given = Object(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    // If it is not JSON, there is no record.
  }
  const listed = (Array.isArray(given.contexts) ? given.contexts : []).slice(0, MAX_CONTEXTS).map(Object)
  const contexts = listed
    .filter(({ id, cwd }) => CONTEXT_ID.test(String(id)) && typeof cwd === 'string')
    .map(({ id, cwd, hidden }): ContextRecord => ({ id, cwd, hidden: Number(hidden) || 0 }))
  if (!contexts.some(({ id }) => id === DEFAULT_CONTEXT))
    contexts.unshift({ id: DEFAULT_CONTEXT, cwd: '/home/user', hidden: 0 })
  const envs = Object.entries(Object(given.envs)).filter(([, value]) => typeof value === 'string')
  return {
    contexts,
    envs: Object.fromEntries(envs) as Record<string, string>,
    onTimeout: given.onTimeout === 'pause' ? 'pause' : 'kill',
  }
}

export function readArchive(files: SessionFiles): Promise<Uint8Array | undefined> {
  return readIfThere(files, ARCHIVE, MAX_ARCHIVE_BYTES)
}

/** Undefined if there is no file, or if code has made it too large. */
async function readIfThere(
  files: SessionFiles,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    if ((await files.stat(path)).sizeBytes > maxBytes) return undefined
    return await files.readFile(path)
  } catch (error) {
    if (error instanceof StorageError && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.reason))
      return undefined
    throw error
  }
}
