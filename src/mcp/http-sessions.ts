// The connections of clients that use the 2025 protocol, where `Mcp-Session-Id` connects the requests of a session. Owns how many each
// tenant may have, and when they end. Requests of the 2026 protocol are independent of each other.
import { randomUUID } from 'node:crypto'
import type { McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { count } from '../shared/count.js'
import type { McpHost } from './host.js'
import { serverFor } from './server.js'

interface HttpSession {
  readonly tenant: string
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly server: McpServer
  usedMs: number
  /** Number of requests whose response has not ended. */
  open: number
}

const MAX_PER_TENANT = 1000
const IDLE_MS = 30 * 60_000
const SWEEP_MS = 60_000

export interface HttpSessionsOptions {
  readonly host: McpHost
  readonly maxBodyBytes: number
  /** Maximum number of sessions per tenant. Default 1,000. */
  readonly maxPerTenant?: number
}

export class HttpSessions {
  readonly #options: HttpSessionsOptions
  readonly #maxPerTenant: number
  /** Sessions that have begun with `initialize`, by id. */
  readonly #sessions = new Map<string, HttpSession>()
  /** All sessions by tenant, including those without an id. */
  readonly #tenants = new Map<string, Set<HttpSession>>()
  readonly #timer: NodeJS.Timeout

  constructor(options: HttpSessionsOptions) {
    this.#options = options
    this.#maxPerTenant = options.maxPerTenant ?? MAX_PER_TENANT
    this.#timer = setInterval(() => this.#sweep(performance.now() - IDLE_MS), SWEEP_MS)
    this.#timer.unref()
  }

  /** @param onEnd receives a function, to be called when the response has ended */
  async respond(request: Request, tenant: string, onEnd: (ended: () => void) => void): Promise<Response> {
    const id = request.headers.get('mcp-session-id')
    if (id === null && this.#isFull(tenant)) return tooMany(this.#maxPerTenant)
    const session = id === null ? await this.#create(tenant) : this.#sessions.get(id)
    // A tenant must not use another tenant's session.
    if (session === undefined || session.tenant !== tenant) return notFound()
    if (id !== null) session.open++
    session.usedMs = performance.now()
    onEnd(() => {
      session.open--
      session.usedMs = performance.now()
      // Its first request was not `initialize`, so the session has no id and no other request can use it.
      if (session.transport.sessionId === undefined) void this.#end(session)
    })
    return session.transport.handleRequest(request)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const all = [...this.#tenants.values()].flatMap((sessions) => [...sessions])
    await Promise.all(all.map((session) => this.#end(session)))
  }

  /** Whether each of the tenant's sessions has an open request, so that none can be evicted. */
  #isFull(tenant: string): boolean {
    let busy = 0
    for (const { open } of this.#tenants.get(tenant) ?? []) if (open > 0) busy++
    return busy >= this.#maxPerTenant
  }

  async #create(tenant: string): Promise<HttpSession> {
    const { host, maxBodyBytes } = this.#options
    const transport = new host.sdk.WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: maxBodyBytes,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, session)
        this.#evict(tenant)
      },
      onsessionclosed: () => this.#forget(session),
    })
    const server = serverFor(host, host.tenant(tenant))
    // Counts its first request as open at once, so that requests in the meantime do not evict it.
    const session: HttpSession = { tenant, transport, server, usedMs: performance.now(), open: 1 }
    transport.onerror = host.options.onError
    const sessions = this.#tenants.get(tenant) ?? new Set()
    this.#tenants.set(tenant, sessions.add(session))
    try {
      await server.connect(transport)
    } catch (error) {
      this.#forget(session)
      throw error
    }
    return session
  }

  #sweep(untilMs: number): void {
    for (const session of this.#sessions.values())
      if (session.open === 0 && session.usedMs < untilMs) void this.#end(session)
  }

  /** Ends the tenant's least recently used idle sessions until the limit holds. Sessions with an open request stay. */
  #evict(tenant: string): void {
    const sessions = this.#tenants.get(tenant) ?? new Set()
    const surplus = sessions.size - this.#maxPerTenant
    if (surplus <= 0) return
    const idle = [...sessions].filter(({ open }) => open === 0).sort((a, b) => a.usedMs - b.usedMs)
    for (const session of idle.slice(0, surplus)) void this.#end(session)
  }

  async #end(session: HttpSession): Promise<void> {
    this.#forget(session)
    await session.server.close().catch(this.#options.host.options.onError)
  }

  #forget(session: HttpSession): void {
    const { tenant, transport } = session
    if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId)
    const sessions = this.#tenants.get(tenant)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#tenants.delete(tenant)
  }
}

function notFound(): Response {
  const error = { code: -32001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
}

function tooMany(max: number): Response {
  const message = `this tenant has ${count(max, 'connection')} with open requests, which is the limit; close one, or try again later`
  return Response.json(
    { jsonrpc: '2.0', error: { code: -32000, message }, id: null },
    { status: 503, headers: { 'retry-after': '5' } },
  )
}
