// Converts requests and responses between node:http and the Fetch API, which the SDK uses. Owns aborting a request whose client has
// disconnected.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

const METHODS = ['GET', 'POST', 'DELETE']

/**
 * Converts a request. Its signal aborts when the client disconnects before the response has ended. Returns a response instead if the Fetch
 * API cannot express the request, or if MCP does not use its method.
 */
export function requestOf(incoming: IncomingMessage, response: ServerResponse): Request | Response {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new Error('the client has closed the connection'))
  })
  const { method = 'GET', rawHeaders, url = '/' } = incoming
  if (!METHODS.includes(method))
    return new Response('not allowed', { status: 405, headers: { allow: METHODS.join(', ') } })
  // Only the path is used: the Host header is checked elsewhere, and must not decide about the URL.
  const target = URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost') : undefined
  // The Fetch API rejects URLs with credentials.
  if (target === undefined || target.username !== '' || target.password !== '')
    return new Response('not a URL, or one with credentials', { status: 400 })
  const headers = new Headers()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    if (!name.startsWith(':')) headers.append(name, value)
  }
  return new Request(target, {
    ...{ method, headers, signal: controller.signal },
    ...(method === 'POST'
      ? { body: Readable.toWeb(incoming) as NonNullable<RequestInit['body']>, duplex: 'half' }
      : {}),
  })
}

export async function sendResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) {
    outgoing.end()
    return
  }
  // A stream of events may send none for a long time, so send the headers now.
  outgoing.flushHeaders()
  await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing)
}
