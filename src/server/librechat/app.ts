// LibreChat's code API, https://www.librechat.ai/docs/features/code_interpreter, as `@librechat/agents` and LibreChat's server call it. The
// contract is that of ClickHouse/code-interpreter (service/src/service/router.ts). Owns the routes and the form of errors.
import { basename } from 'node:path/posix'
import { ReadableStream } from 'node:stream/web'
import { heldPartsOf } from '../bodies.js'
import type { ResolvedAppOptions } from '../options.js'
import { RequestProblem } from '../problems.js'
import type { App, ServerContext } from '../services.js'
import type { StoredBytes } from '../stored-bytes.js'
import { ApiError, apiError } from './api-error.js'
import { type ExecutionContext, exec } from './exec.js'
import { FileSessions, type Opened } from './file-sessions.js'
import { DATA, type DataFile, dataFiles, objectName } from './files.js'
import { begin, proceed } from './programmatic.js'
import { execRequest, fieldsOf, programmaticRequest, toolResults } from './requests.js'
import { upload, uploadBatch } from './upload.js'

const DAY_MS = 86_400_000
/** LibreChat determines by itself what type a file has. */
const BINARY = 'application/octet-stream'

/** Adds the routes to the application, behind its checks. */
export function addLibreChat(app: App, options: ResolvedAppOptions, storedBytes: StoredBytes): void {
  const { manager, limits, executionTimeoutMs, maxUploadBytes, onError } = options
  const sessions = new FileSessions({
    ...{ manager, storedBytes, onError, retentionMs: DAY_MS },
    session: {
      limits: { ...limits, ...(executionTimeoutMs !== undefined && { executionTimeoutMs }) },
      // Code runs once, so there is nothing to go back to.
      checkpoint: 'manual',
    },
  })
  const route = (answer: (context: ServerContext, tenant: string) => Promise<Response>) => {
    return async (context: ServerContext) => {
      try {
        return await answer(context, context.get('caller').tenant)
      } catch (error) {
        const known = apiError(error)
        // The application answers errors that have no form of LibreChat's.
        if (known === undefined) throw error
        return context.json(known.body, known.status, known.headers)
      }
    }
  }
  /** Charges the time that code runs to the tenant's account. */
  const running = async <T>(context: ServerContext, run: (execution: ExecutionContext) => Promise<T>) => {
    const { tenant, account } = context.get('caller')
    const end = account.begin()
    const { signal } = context.req.raw
    try {
      return await run({ sessions, tenant, account, signal })
    } finally {
      end()
    }
  }

  app.post(
    '/v1/exec',
    route(async (context) => {
      const request = execRequest(await bodyOf(context))
      return context.json(await running(context, (execution) => exec(execution, request)))
    }),
  )
  app.post(
    '/v1/exec/programmatic',
    route(async (context) => {
      const body = fieldsOf(await bodyOf(context), 'the body')
      const token = body.continuation_token
      const answer = await running(context, (execution) =>
        token === undefined || token === null || token === ''
          ? begin(execution, programmaticRequest(body))
          : proceed(execution, token, toolResults(body.tool_results)),
      )
      return context.json(answer)
    }),
  )
  app.post(
    '/v1/upload',
    route(async (context, tenant) => {
      const form = await formOf(context, maxUploadBytes)
      return context.json(await upload(sessions, tenant, context.get('caller').account, form))
    }),
  )
  app.post(
    '/v1/upload/batch',
    route(async (context, tenant) => {
      const form = await formOf(context, maxUploadBytes)
      const answer = await uploadBatch(sessions, tenant, context.get('caller').account, form)
      return context.json(answer, answer.message === 'error' ? 400 : 200)
    }),
  )
  app.get(
    '/v1/files/:session',
    route(async (context, tenant) => {
      const id = context.req.param('session')
      // An execution that left no files is not stored, so its session does not exist.
      if ((await sessions.find(tenant, id)) === undefined) return context.json([])
      const detail = context.req.query('detail')
      return sessions.read(tenant, id, async (opened) =>
        context.json((await dataFiles(opened.session.files)).map((file) => listed(opened, file, detail))),
      )
    }),
  )
  app.get(
    '/v1/sessions/:session/objects/:file',
    route((context, tenant) =>
      withFile(sessions, context, tenant, async (opened, file) =>
        context.json(listed(opened, file, 'summary')),
      ),
    ),
  )
  app.get(
    '/v1/download/:session/:file',
    route((context, tenant) =>
      withFile(sessions, context, tenant, async ({ session }, { name }) => {
        const bytes = await session.files.readFile(`${DATA}/${name}`)
        return new Response(bytes, {
          headers: {
            'content-type': BINARY,
            'content-length': `${bytes.length}`,
            'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(basename(name))}`,
            // A browser must not run HTML that a model wrote as a page of this server.
            'x-content-type-options': 'nosniff',
          },
        })
      }),
    ),
  )
  app.delete(
    '/v1/files/:session/:file',
    route((context, tenant) =>
      withFile(
        sessions,
        context,
        tenant,
        async ({ id, session }, file) => {
          await session.files.remove(`${DATA}/${file.name}`)
          return context.json({ message: 'File deleted successfully', session_id: id, fileId: file.id })
        },
        'use',
      ),
    ),
  )
}

function withFile(
  sessions: FileSessions,
  context: ServerContext,
  tenant: string,
  answer: (opened: Opened, file: DataFile) => Promise<Response>,
  way: 'read' | 'use' = 'read',
): Promise<Response> {
  return sessions[way](tenant, context.req.param('session'), async (opened) => {
    const wanted = context.req.param('file')
    const file = (await dataFiles(opened.session.files)).find(({ id }) => id === wanted)
    if (file === undefined) throw new ApiError(404, 'File not found')
    return answer(opened, file)
  })
}

/** Each version of LibreChat asks for other details; `simple` means the name alone. */
function listed({ id, session }: Opened, file: DataFile, detail = 'simple'): unknown {
  const name = objectName(id, file)
  if (!['summary', 'full', 'normalized'].includes(detail)) return name
  const lastModified = file.modifiedAt.toISOString()
  const contentType = BINARY
  const readOnly = session.labels.readOnly !== undefined
  const common = { size: file.sizeBytes, lastModified, contentType, storage_session_id: id, session_id: id }
  if (detail === 'normalized')
    return { id: file.id, name: file.name, ...common, ...(readOnly && { read_only: true }) }
  return {
    ...{ name, id: file.id, fileId: file.id, ...common },
    ...{ originalFilename: file.name, readOnly },
    ...(detail === 'full' && {
      metadata: {
        'original-filename': file.name,
        'original-filename-encoded': 'none',
        'content-type': contentType,
      },
    }),
  }
}

async function bodyOf(context: ServerContext): Promise<unknown> {
  try {
    return await context.req.json()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ApiError(400, 'the body is not JSON')
  }
}

/** @throws ApiError; RequestProblem when the form is longer than `maxBytes` */
async function formOf(context: ServerContext, maxBytes: number): Promise<FormData> {
  const type = context.req.header('content-type') ?? ''
  if (!/^multipart\/form-data\b/i.test(type))
    throw new ApiError(400, 'Invalid content type. Must be multipart/form-data.')
  const body = ReadableStream.from(heldPartsOf(context, maxBytes))
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData()
  } catch (error) {
    if (error instanceof RequestProblem) throw error
    throw Object.assign(new ApiError(400, 'the body is not a multipart form'), { cause: error })
  }
}
