// MCP over streamable HTTP. Owns the HTTP server, and which handler gets which request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { McpHttpHandler } from '@modelcontextprotocol/server'
import { listen } from '../http/listen.js'
import { isText, isTexts, numberOption } from '../options/check.js'
import { Access, type Tokens } from './access.js'
import { McpHost } from './host.js'
import { HttpSessions } from './http-sessions.js'
import { requestOf, sendResponse } from './node-http.js'
import { type McpOptions, resolveMcpOptions } from './options.js'
import { serverFor } from './server.js'

export interface HttpOptions extends McpOptions {
  /** Port to listen on; 0 picks a free one. Default 0. */
  readonly port?: number
  /** Address to listen on. One that other machines can reach needs `tokens`. Default `127.0.0.1`. */
  readonly host?: string
  /** Path of the endpoint. Default `/mcp`. */
  readonly path?: string
  /**
   * Tokens by tenant, each of at least 16 characters. A client sends one as `Authorization: Bearer …`, and sees only the sessions of its
   * tenant. Default: none, and every client is `tenant`.
   */
  readonly tokens?: Tokens
  /** Names allowed in the Host header, without port. Default: those of this machine; any, if `host` is reachable from other machines. */
  readonly allowedHosts?: readonly string[]
  /** Host names of web pages that may call, besides those of this machine. Only browsers send an Origin. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** Longest body of a request, in bytes, 1,024 to 1 GiB. Default 8 MiB. */
  readonly maxBodyBytes?: number
}

export interface HttpServer extends AsyncDisposable {
  /** URL of the endpoint, such as `http://127.0.0.1:41234/mcp`. */
  readonly url: string
  /** Ends all connections, with the code that they run, and the connected servers. The manager stays open. */
  close(): Promise<void>
}

const NAMES = ['port', 'host', 'path', 'tokens', 'allowedHosts', 'allowedOrigins', 'maxBodyBytes']
const HOST_NAMES = 'an array of host names'
const portOption = numberOption({ min: 0, max: 65_535, integer: true })
const bodyOption = numberOption({ min: 1024, max: 2 ** 30, unit: 'bytes', integer: true })

/**
 * Serves any number of clients over HTTP, in the 2026 or the 2025 version of the protocol.
 *
 * @throws InstallationError when `@modelcontextprotocol/server` is missing, or its client where `connect` needs it
 * @throws InvalidOptionError, also for a port that is in use, and what `manager.createSession` throws
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const resolved = resolveMcpOptions(options, NAMES)
  const port = portOption('port', options.port, 0)
  const maxBodyBytes = bodyOption('maxBodyBytes', options.maxBodyBytes, 8 * 2 ** 20)
  const address = isText('host', options.host, { maxLength: 255 }) ?? '127.0.0.1'
  const path =
    isText('path', options.path, { pattern: /^\/[^?#]*$/, expected: 'a path that begins with /' }) ?? '/mcp'
  const host = await McpHost.open(resolved)
  try {
    const access = new Access(host.sdk, {
      ...{ host: address, tokens: options.tokens, tenant: resolved.tenant },
      allowedHosts: isTexts('allowedHosts', options.allowedHosts, HOST_NAMES),
      allowedOrigins: isTexts('allowedOrigins', options.allowedOrigins, HOST_NAMES) ?? [],
    })
    const endpoint = new Endpoint(host, access, path, maxBodyBytes)
    await endpoint.listen(port, address)
    return endpoint
  } catch (error) {
    await host.close()
    throw error
  }
}

class Endpoint implements HttpServer {
  readonly #host: McpHost
  readonly #access: Access
  readonly #path: string
  readonly #maxBodyBytes: number
  readonly #modern: McpHttpHandler
  readonly #sessions: HttpSessions
  readonly #server: Server
  #url = ''
  #closed: Promise<void> | undefined

  constructor(host: McpHost, access: Access, path: string, maxBodyBytes: number) {
    this.#host = host
    this.#access = access
    this.#path = path
    this.#maxBodyBytes = maxBodyBytes
    // The access check has stored the tenant there.
    this.#modern = host.sdk.createMcpHandler(
      ({ authInfo }) => serverFor(host, host.tenant(authInfo?.clientId ?? '')),
      { legacy: 'reject', maxRequestBodySize: maxBodyBytes, onerror: host.options.onError },
    )
    this.#sessions = new HttpSessions({ host, maxBodyBytes })
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing))
  }

  get url(): string {
    return this.#url
  }

  async listen(port: number, host: string): Promise<void> {
    this.#url = (await listen(this.#server, port, host, this.#host.options.onError)) + this.#path
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await Promise.all([this.#sessions.close(), this.#modern.close()])
    this.#server.closeAllConnections()
    await closed
    await this.#host.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let ended = () => {}
    try {
      const request = requestOf(incoming, outgoing)
      if (request instanceof Response) {
        await sendResponse(request, outgoing)
        return
      }
      const response = await this.#respond(request, (onEnd) => {
        ended = onEnd
      })
      await sendResponse(response, outgoing)
    } catch (error) {
      // A client that has disconnected needs no answer.
      if (!outgoing.destroyed) this.#host.options.onError(error as Error)
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(500).end()
    } finally {
      ended()
    }
  }

  async #respond(request: Request, onEnd: (ended: () => void) => void): Promise<Response> {
    const tenant = this.#access.check(request)
    if (typeof tenant !== 'string') return tenant
    if (new URL(request.url).pathname !== this.#path) return new Response('not found', { status: 404 })
    const { isLegacyRequest, isJsonContentType } = this.#host.sdk
    const isPost = request.method === 'POST'
    if (isPost && !isJsonContentType(request.headers.get('content-type')))
      return new Response('expected application/json', { status: 415 })
    const limit = { maxRequestBodySize: this.#maxBodyBytes }
    if (await isLegacyRequest(request, undefined, limit))
      return this.#sessions.respond(request, tenant, onEnd)
    return this.#modern.fetch(request, { authInfo: { token: '', clientId: tenant, scopes: [] } })
  }
}
