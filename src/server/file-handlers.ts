// Handlers of a session's files. Owns the headers of a download, which keep a browser from running what Python has written, and how an
// upload is written, so that nobody sees half of it.
import { randomUUID } from 'node:crypto'
import { posix } from 'node:path'
import type { ReadableStream } from 'node:stream/web'
import { mimeTypeOf } from '../presentation/media-types.js'
import { StorageError } from '../shared/errors.js'
import type { StorageStatus } from '../vfs/storage.js'
import { partsOf } from './bodies.js'
import { parseRange, type Range } from './range.js'
import type { Routes } from './routes.js'
import type { App, Services } from './services.js'
import { opening } from './session-handlers.js'
import { streamResponse } from './stream-response.js'

export function fileHandlers(app: App, routes: Routes, { sessions, storedBytes, options }: Services): void {
  app.openapi(routes.readFile, async (c) => {
    const { id } = c.req.valid('param')
    const { path } = c.req.valid('query')
    const { session, release } = await sessions.acquire(c.get('caller').tenant, id, opening(c))
    let isStreaming = false
    try {
      const status = await session.files.stat(path)
      const headers = downloadHeaders(path, status)
      const { etag = '' } = headers
      if (c.req.header('if-none-match')?.includes(etag))
        return new Response(null, { status: 304, headers }) as never
      // If-Range never matches a weak tag, so the whole file is sent.
      const asked = c.req.header('if-range') === undefined ? c.req.header('range') : undefined
      const range = parseRange(asked, status.sizeBytes)
      const { start, end } = range ?? { start: 0, end: status.sizeBytes }
      const sized = {
        ...headers,
        ...rangeHeaders(range, status.sizeBytes),
        'content-length': String(end - start),
      }
      const answer = { status: range ? 206 : 200, headers: sized }
      if (c.req.method === 'HEAD' || status.kind !== 'file') {
        // Reading anything but a file throws the error that says so.
        if (status.kind !== 'file') await session.files.readFile(path)
        return new Response(null, answer) as never
      }
      const parts = session.files.createReadStream(path, { start, end })
      isStreaming = true
      // If the client has disconnected, the stream may never be read, so its end would never release the session.
      const { signal } = c.req.raw
      signal.addEventListener('abort', release, { once: true })
      if (signal.aborted) release()
      return streamResponse(whole(parts, end - start, release), answer) as never
    } finally {
      if (!isStreaming) release()
    }
  })

  app.openapi(routes.writeFile, async (c) => {
    const { id } = c.req.valid('param')
    const { path } = c.req.valid('query')
    await storedBytes.require(c.get('caller').tenant, c.get('caller').account)
    await sessions.use(c.get('caller').tenant, id, opening(c), async ({ files }) => {
      const part = posix.join(posix.dirname(path), `.upload-${randomUUID()}`)
      try {
        const writer = files.createWriteStream(part).getWriter()
        try {
          for await (const chunk of partsOf(c, options.maxUploadBytes)) await writer.write(chunk)
          await writer.close()
        } catch (error) {
          await writer.abort(error).catch(() => {})
          throw error
        }
        await files.rename(part, path)
      } catch (error) {
        await files.remove(part).catch(() => {})
        throw ofTarget(error, part, path)
      }
    })
    return c.body(null, 204)
  })

  app.openapi(routes.removeFile, async (c) => {
    const { id } = c.req.valid('param')
    const { path, recursive } = c.req.valid('query')
    await sessions.use(c.get('caller').tenant, id, opening(c), ({ files }) =>
      files.remove(path, { recursive: recursive === 'true' }),
    )
    return c.body(null, 204)
  })

  app.openapi(routes.listFiles, async (c) => {
    const { id } = c.req.valid('param')
    const { path } = c.req.valid('query')
    const names = await sessions.use(c.get('caller').tenant, id, opening(c), ({ files }) => files.list(path))
    return c.json({ names }, 200)
  })

  app.openapi(routes.statFile, async (c) => {
    const { id } = c.req.valid('param')
    const { path, followLinks } = c.req.valid('query')
    const { modifiedAt, ...status } = await sessions.use(
      c.get('caller').tenant,
      id,
      opening(c),
      ({ files }) => files.stat(path, { followLinks: followLinks !== 'false' }),
    )
    return c.json({ path, ...status, modifiedAt: modifiedAt.toISOString() }, 200)
  })

  app.openapi(routes.makeDirectory, async (c) => {
    const { id } = c.req.valid('param')
    const { path, recursive = false } = c.req.valid('json')
    await sessions.use(c.get('caller').tenant, id, opening(c), ({ files }) =>
      files.mkdir(path, { recursive }),
    )
    return c.body(null, 204)
  })

  app.openapi(routes.renameFile, async (c) => {
    const { id } = c.req.valid('param')
    const { from, to } = c.req.valid('json')
    await sessions.use(c.get('caller').tenant, id, opening(c), ({ files }) => files.rename(from, to))
    return c.body(null, 204)
  })
}

/** Rewrites an error about the temporary file of an upload, so that it names the target path. */
function ofTarget(error: unknown, part: string, path: string): unknown {
  if (!(error instanceof StorageError) || error.path !== part) return error
  return new StorageError(error.reason, path, undefined, { syscall: 'open', cause: error })
}

/** Keeps browsers from running a page that Python wrote as a page of this server. */
function downloadHeaders(path: string, { sizeBytes, modifiedAt }: StorageStatus): Record<string, string> {
  const name = posix.basename(path)
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16)}`,
  )
  return {
    'content-type': mimeTypeOf(path) ?? 'application/octet-stream',
    'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    // A weak tag: two contents of the same size can be written within one tick of the clock.
    etag: `W/"${sizeBytes.toString(36)}-${modifiedAt.getTime().toString(36)}"`,
    'last-modified': modifiedAt.toUTCString(),
  }
}

function rangeHeaders(range: Range | undefined, sizeBytes: number): Record<string, string> {
  return range ? { 'content-range': `bytes ${range.start}-${range.end - 1}/${sizeBytes}` } : {}
}

/**
 * The stream, which calls `release` when it has ended for any reason. It fails if the file has become shorter meanwhile: the connection
 * then ends. Otherwise the client would wait for the bytes that Content-Length announced.
 */
function whole(
  stream: ReadableStream<Uint8Array>,
  sizeBytes: number,
  release: () => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  const Stream = stream.constructor as typeof ReadableStream
  let leftBytes = sizeBytes
  return new Stream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          leftBytes -= value.length
          controller.enqueue(value)
          return
        }
        if (leftBytes > 0) throw new Error('the file became shorter while it was sent')
        controller.close()
        release()
      } catch (error) {
        release()
        controller.error(error)
      }
    },
    async cancel(reason) {
      release()
      await reader.cancel(reason)
    },
  })
}
