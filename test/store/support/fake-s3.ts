// A server with the part of S3 that an S3Store uses: objects, conditional writes, listing. It does not check signatures.
// `conditions: false` makes it ignore conditions, as old servers do.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

interface StoredObject {
  readonly bytes: Buffer
  readonly etag: string
  modifiedAtMs: number
}

export interface FakeS3 {
  readonly endpoint: string
  readonly objects: Map<string, StoredObject>
  /** Sizes in bytes of all request bodies received. */
  readonly received: number[]
  /** Called before each response. May send another response itself, and then returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse, didWrite: boolean) => boolean) | undefined
  conditions: boolean
  stop(): Promise<void>
}

export async function startFakeS3(): Promise<FakeS3> {
  const objects = new Map<string, StoredObject>()
  const received: number[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://s3')
    const [, bucket = '', ...rest] = url.pathname.split('/')
    const key = decodeURIComponent(rest.join('/'))
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts)
    received.push(body.length)
    const fail = (status: number, code: string) => {
      response.writeHead(status, { 'content-type': 'application/xml' })
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
    }
    if (bucket !== 'bucket') return fail(404, 'NoSuchBucket')
    const found = objects.get(key)
    const { 'if-none-match': ifNoneMatch, 'if-match': ifMatch } = fake.conditions ? request.headers : {}
    const isRefused =
      (ifNoneMatch === '*' && found !== undefined) || (ifMatch !== undefined && found?.etag !== ifMatch)
    if (request.method === 'PUT' || request.method === 'DELETE') {
      if (ifMatch !== undefined && found === undefined) return fail(404, 'NoSuchKey')
      if (isRefused) return fail(412, 'PreconditionFailed')
      const etag = `"${createHash('md5').update(body).digest('hex')}"`
      if (request.method === 'PUT') objects.set(key, { bytes: body, etag, modifiedAtMs: Date.now() })
      else objects.delete(key)
      if (fake.intercept?.(request, response, true)) return
      response.writeHead(request.method === 'PUT' ? 200 : 204, { etag })
      return response.end()
    }
    if (fake.intercept?.(request, response, false)) return
    if (key === '') return list(url.searchParams, response)
    if (found === undefined) return fail(404, 'NoSuchKey')
    const modified = new Date(found.modifiedAtMs).toUTCString()
    response.writeHead(200, {
      etag: found.etag,
      'last-modified': modified,
      'content-length': found.bytes.length,
    })
    return response.end(found.bytes)
  })

  function list(query: URLSearchParams, response: ServerResponse): void {
    const [prefix, after] = [query.get('prefix') ?? '', query.get('start-after') ?? '']
    const limit = Number(query.get('max-keys') ?? 1000)
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const contents = keys.slice(0, limit).map((key) => {
      const modified = new Date(objects.get(key)?.modifiedAtMs ?? 0).toISOString()
      return `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified></Contents>`
    })
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${keys.length > limit}</IsTruncated>${contents.join('')}</ListBucketResult>`,
    )
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const fake: FakeS3 = {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    received,
    intercept: undefined,
    conditions: true,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}
