// The connections of clients that speak the 2025 protocol, whose requests belong together by `Mcp-Session-Id`. Owns how many there are and
// when they end. A request of the 2026 protocol stands for itself.
import { randomUUID } from 'node:crypto'
import type { McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import type { McpHost } from './host.js'
import { serverFor } from './server.js'

interface HttpSession {
  readonly tenant: string
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly server: McpServer
  usedMs: number
  /** Requests whose response has not ended. */
  open: number
}

const MAX_SESSIONS = 1000
const IDLE_MS = 30 * 60_000
const SWEEP_MS = 60_000

export interface HttpSessionsOptions {
  readonly host: McpHost
  readonly maxBodyBytes: number
}

export class HttpSessions {
  readonly #options: HttpSessionsOptions
  readonly #sessions = new Map<string, HttpSession>()
  readonly #timer: NodeJS.Timeout

  constructor(options: HttpSessionsOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#sweep(performance.now() - IDLE_MS), SWEEP_MS)
    this.#timer.unref()
  }

  /** @param onEnd is given what to call when the response has ended */
  async respond(request: Request, tenant: string, onEnd: (ended: () => void) => void): Promise<Response> {
    const id = request.headers.get('mcp-session-id')
    const session = id === null ? await this.#create(tenant) : this.#sessions.get(id)
    // Another tenant's session is none of theirs.
    if (session === undefined || session.tenant !== tenant) return notFound()
    session.open++
    session.usedMs = performance.now()
    onEnd(() => {
      session.open--
      session.usedMs = performance.now()
      // It began with another request than `initialize`.
      if (session.transport.sessionId === undefined) void this.#end(session)
    })
    return session.transport.handleRequest(request)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session)))
  }

  async #create(tenant: string): Promise<HttpSession | undefined> {
    const { host, maxBodyBytes } = this.#options
    const transport = new host.sdk.WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: maxBodyBytes,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, session)
        if (this.#sessions.size > MAX_SESSIONS) this.#endOldest()
      },
      onsessionclosed: (id) => {
        this.#sessions.delete(id)
      },
    })
    const server = serverFor(host, host.tenant(tenant))
    const session: HttpSession = { tenant, transport, server, usedMs: performance.now(), open: 0 }
    transport.onerror = host.options.onError
    await server.connect(transport)
    return session
  }

  #sweep(untilMs: number): void {
    for (const session of this.#sessions.values())
      if (session.open === 0 && session.usedMs < untilMs) void this.#end(session)
  }

  #endOldest(): void {
    const all = [...this.#sessions.values()].sort((a, b) => a.usedMs - b.usedMs)
    const oldest = all.find(({ open }) => open === 0) ?? all[0]
    if (oldest) void this.#end(oldest)
  }

  async #end({ transport, server }: HttpSession): Promise<void> {
    if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId)
    await server.close().catch(this.#options.host.options.onError)
  }
}

function notFound(): Response {
  const error = { code: -32001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
}
