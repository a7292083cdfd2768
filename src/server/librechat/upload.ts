// `POST /upload` and `/upload/batch`: files of a multipart form, in a session of their own. Owns parsing the form. The other fields that
// versions of LibreChat send (`kind`, `id`, `entity_id`) say whom the files belong to in LibreChat, and are not needed here.
import type { SessionFiles } from '../../session/session-files.js'
import { count } from '../../shared/count.js'
import { StorageError } from '../../shared/errors.js'
import type { Account } from '../quotas.js'
import { ApiError } from './api-error.js'
import type { FileSessions } from './file-sessions.js'
import { dataName, idOfFile, writeData } from './files.js'

type Uploaded =
  | { readonly status: 'success'; readonly filename: string; readonly fileId: string }
  | { readonly status: 'error'; readonly filename: string; readonly error: string }

/** The parts of `File` that are used; Node 20 has no global type for it. */
type Uploadable = Pick<Blob, 'size' | 'arrayBuffer'> & { readonly name: string }

const MAX_FILES = 200

/** @throws ApiError if one of the files cannot be stored, or if there are too many: its answer cannot say which ones were left out */
export async function upload(sessions: FileSessions, tenant: string, account: Account, form: FormData) {
  const given = filesOf(form)
  if (given.length > MAX_FILES)
    throw new ApiError(
      413,
      `the form has ${given.length} files, and a request stores ${MAX_FILES} at most; send the files in several requests`,
    )
  const { session, files } = await uploadAll(sessions, tenant, account, form)
  const failed = files.find((file) => file.status === 'error')
  if (failed) throw new ApiError(413, failed.error)
  return {
    message: 'success',
    ...session,
    files: files.flatMap((file) =>
      file.status === 'success' ? [{ fileId: file.fileId, filename: file.filename }] : [],
    ),
  }
}

export async function uploadBatch(sessions: FileSessions, tenant: string, account: Account, form: FormData) {
  const { session, files, more } = await uploadAll(sessions, tenant, account, form)
  const succeeded = files.filter(({ status }) => status === 'success').length
  const failed = files.length - succeeded
  const message = failed === 0 ? 'success' : succeeded === 0 ? 'error' : 'partial_success'
  return {
    ...{ message, ...session, files, succeeded, failed },
    ...(more && { filesLimitReached: true, maxFiles: MAX_FILES }),
  }
}

async function uploadAll(sessions: FileSessions, tenant: string, account: Account, form: FormData) {
  const given = filesOf(form)
  if (given.length === 0) throw new ApiError(400, 'No files provided')
  const labels = { librechat: 'upload', ...(form.get('read_only') === 'true' && { readOnly: 'true' }) }
  return sessions.create(tenant, account, { labels }, async ({ id, session }) => {
    const files: Uploaded[] = []
    for (const file of given.slice(0, MAX_FILES)) files.push(await save(session.files, file))
    const answer = {
      session: { storage_session_id: id, session_id: id },
      files,
      more: given.length > MAX_FILES,
    }
    return { answer, keep: files.some(({ status }) => status === 'success') }
  })
}

function filesOf(form: FormData): readonly Uploadable[] {
  return [...form.values()].flatMap((value) => (typeof value === 'string' ? [] : [value]))
}

async function save(files: SessionFiles, file: Uploadable): Promise<Uploaded> {
  const filename = file.name
  try {
    const name = dataName(filename)
    await writeData(files, name, new Uint8Array(await file.arrayBuffer()))
    return { status: 'success', filename: name, fileId: idOfFile(name) }
  } catch (error) {
    if (!(error instanceof StorageError || error instanceof ApiError)) throw error
    const tooLarge = error instanceof StorageError && error.reason === 'ENOSPC'
    const size = count(file.size, 'byte')
    return {
      status: 'error',
      filename,
      error: tooLarge ? `${size}: not enough space` : error.message,
    }
  }
}
