// The files that code finds in /mnt/data: copies of files of earlier uploads and executions. Owns copying them, and detecting which are
// unchanged.
import type { Session } from '../../session.js'
import { StorageError } from '../../shared/errors.js'
import { ApiError } from './api-error.js'
import type { FileSessions } from './file-sessions.js'
import { DATA, type DataFile, dataFiles, idOfFile, writeData } from './files.js'
import type { FileReference } from './requests.js'

export interface Inputs {
  readonly files: readonly FileReference[]
  /** What to tell the model: which files are gone, or are too large. */
  readonly notes: readonly string[]
  /** Names of LibreChat's own files: it must not be told of changes to them. */
  readonly readOnly: ReadonlySet<string>
  /** /mnt/data before the code runs. */
  readonly before: readonly DataFile[]
}

/** A file in an answer to LibreChat. */
export interface FileAnswer {
  readonly id: string
  readonly name: string
  readonly path: string
  /** The session's id under both names, because versions of LibreChat differ. */
  readonly storage_session_id: string
  readonly session_id: string
  /** An input that the code has not changed. */
  readonly inherited?: true
}

/** Without references, copies all files of the session that the request names. */
export async function copyInputs(
  sessions: FileSessions,
  tenant: string,
  target: Session,
  request: { readonly files: readonly FileReference[] | undefined; readonly session: string | undefined },
): Promise<Inputs> {
  await target.files.mkdir(DATA, { recursive: true })
  const wanted = request.files ?? (await filesOf(sessions, tenant, request.session))
  const copied: FileReference[] = []
  const notes: string[] = []
  const readOnly = new Set<string>()
  for (const [id, references] of grouped(wanted)) {
    let missing: string[] = []
    let present: FileReference[] = []
    let isReadOnly = false
    try {
      await sessions.read(tenant, id, async ({ session }) => {
        missing = []
        present = []
        isReadOnly = session.labels.readOnly !== undefined
        const byId = new Map((await dataFiles(session.files)).map((file) => [file.id, file.name]))
        for (const reference of references) {
          const source = byId.get(reference.id)
          if (source === undefined) {
            missing.push(gone(reference.name))
            continue
          }
          await writeData(target.files, reference.name, await session.files.readFile(`${DATA}/${source}`))
          present.push(reference)
        }
      })
    } catch (error) {
      if (error instanceof ApiError && error.status === 404)
        notes.push(...references.map(({ name }) => gone(name)))
      else if (error instanceof StorageError) notes.push(`${error.message}: not all files could be provided`)
      else throw error
    }
    notes.push(...missing)
    copied.push(...present)
    if (isReadOnly) for (const { name } of present) readOnly.add(name)
  }
  const before = copied.length === 0 ? [] : await dataFiles(target.files)
  return { files: copied, notes, readOnly, before }
}

/** @param changed paths of files that the execution made or changed */
export function answerFiles(
  id: string,
  { files, readOnly }: Pick<Inputs, 'files' | 'readOnly'>,
  changed: ReadonlySet<string>,
): FileAnswer[] {
  const made = [...changed]
    .filter((name) => !readOnly.has(name))
    .map((name) => ({ id: idOfFile(name), name, path: name, ...sessionFields(id) }))
  const kept = files
    .filter(({ name }) => readOnly.has(name) || !changed.has(name))
    .map((input) => ({
      ...extras(input.given),
      ...{ id: input.id, name: input.name, path: input.name, ...sessionFields(input.session) },
      inherited: true as const,
    }))
  return [...made, ...kept]
}

function sessionFields(id: string) {
  return { storage_session_id: id, session_id: id }
}

/** The other fields of LibreChat's file references. */
function extras({ kind, resource_id, version }: FileReference['given']) {
  return {
    ...(typeof kind === 'string' && { kind }),
    ...(typeof resource_id === 'string' && { resource_id }),
    ...(typeof version === 'number' && { version }),
  }
}

async function filesOf(
  sessions: FileSessions,
  tenant: string,
  id: string | undefined,
): Promise<FileReference[]> {
  const session = await sessions.find(tenant, id)
  if (session === undefined || id === undefined) return []
  const found = await dataFiles(session.files)
  return found.map((file) => ({ id: file.id, session: id, name: file.name, given: {} }))
}

function grouped(references: readonly FileReference[]): Map<string, FileReference[]> {
  const groups = new Map<string, FileReference[]>()
  for (const one of references) groups.set(one.session, [...(groups.get(one.session) ?? []), one])
  return groups
}

function gone(name: string): string {
  return `the file ${name} no longer exists; upload it or make it again`
}
