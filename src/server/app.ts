// The server as a Hono app: the way of a request through checks, validation and handlers. Owns the order of these; each handler's work is in
// the files beside it.
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Access } from './access.js'
import { Executions } from './executions.js'
import { fileHandlers } from './file-handlers.js'
import { type HonoOpenApi, loadHono } from './hono.js'
import { addLibreChat } from './librechat/app.js'
import { openApiInfo } from './open-api.js'
import { type AppOptions, type ResolvedAppOptions, resolveAppOptions } from './options.js'
import { draining, notFound, problemOf, problemResponse, RequestProblem } from './problems.js'
import { Accounts } from './quotas.js'
import { type Routes, routesOf } from './routes.js'
import { schemasOf } from './schemas.js'
import type { App, Environment, ServerContext, Services } from './services.js'
import { sessionHandlers } from './session-handlers.js'
import { Sessions } from './sessions.js'
import type { ToolContext } from './tools.js'
import { valueHandlers } from './value-handlers.js'
import { WebhookSender } from './webhooks/sender.js'

export interface BrumateApp {
  /** To be mounted in a Hono app, or served: `app.fetch`. */
  readonly app: OpenAPIHono
  readonly fetch: OpenAPIHono['fetch']
  /** From now on requests get 503, and `/health` says so. Resolves when those that were there have been answered. */
  drain(): Promise<void>
  /** Stores the sessions that requests have opened, and lets go of them. The manager stays open. */
  close(): Promise<void>
}

/**
 * The HTTP API as a Hono app. `serve` of this sub-path also listens.
 *
 * @param host what the server listens on, which decides about Host headers. Default: unknown, and any does unless `allowedHosts` is given
 * @throws InstallationError when `@hono/zod-openapi` is missing
 * @throws InvalidOptionError
 */
export async function createApp(options: AppOptions, host?: string): Promise<BrumateApp> {
  const resolved = resolveAppOptions(options)
  return makeApp(await loadHono(), resolved, host)
}

export function makeApp(lib: HonoOpenApi, options: ResolvedAppOptions, host: string | undefined): BrumateApp {
  const routes = routesOf(lib, schemasOf(lib.z))
  const access = new Access(options, host)
  const accounts = new Accounts((tenant) => options.keys?.quotasOf(tenant) ?? options.quotas)
  const sender = new WebhookSender(options.webhooks)
  const tools: ToolContext = {
    ...{ options, sender },
    onSuspended: (session) => services.executions.onSuspended(session),
  }
  const sessions = new Sessions(options, tools)
  const services: Services = { options, sessions, sender, executions: new Executions(options, sessions) }
  const requests = new Requests()
  const app: App = new lib.OpenAPIHono<Environment>({
    defaultHook: (result) => {
      if (result.success) return undefined
      const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
      const [first] = issues
      const detail = `${result.target}${first?.path ? ` ${first.path}` : ''}: ${first?.message ?? 'invalid'}`
      return problemResponse(new RequestProblem(400, 'VALIDATION', detail, { issues: issues.slice(0, 20) }))
    },
  })
  app.onError((error) => problemResponse(problemOf(error) ?? httpProblem(error) ?? failed(error, options)))
  app.notFound(() => problemResponse(notFound('there is no such route')))
  app.use(async (c, next) => {
    const { headers } = c.req.raw
    access.checkOrigin(headers)
    if (c.req.method === 'OPTIONS' && headers.has('access-control-request-method'))
      return access.preflight(headers)
    await next()
    c.header('x-content-type-options', 'nosniff')
    for (const [name, value] of Object.entries(access.corsHeaders(headers))) c.header(name, value)
    return undefined
  })
  app.use('/v1/*', async (c, next) => {
    const tenant = access.tenantOf(c.req.raw.headers)
    const account = accounts.of(tenant)
    account.request()
    if (requests.isDraining) throw draining()
    requireSmall(c, options)
    c.set('caller', { tenant, account })
    await requests.run(next)
  })
  addHandlers(app, routes, services, () => requests.isDraining)
  if (options.librechat) addLibreChat(app, options)
  app.doc31('/openapi.json', openApiInfo(options.keys !== undefined))
  if (options.keys !== undefined)
    app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
  return {
    app: app as unknown as OpenAPIHono,
    fetch: app.fetch as OpenAPIHono['fetch'],
    drain: () => requests.drain(),
    close: () => sessions.releaseAll(),
  }
}

function addHandlers(app: App, routes: Routes, services: Services, isDraining: () => boolean): void {
  sessionHandlers(app, routes, services)
  valueHandlers(app, routes, services)
  fileHandlers(app, routes, services)
  app.openapi(routes.health, (c) =>
    isDraining() ? c.json({ status: 'draining' as const }, 503) : c.json({ status: 'ok' as const }, 200),
  )
}

/** Requests that are being answered. */
class Requests {
  isDraining = false
  #running = 0
  #idle: (() => void) | undefined

  async run(task: () => Promise<void>): Promise<void> {
    this.#running++
    try {
      await task()
    } finally {
      this.#running--
      if (this.#running === 0) this.#idle?.()
    }
  }

  drain(): Promise<void> {
    this.isDraining = true
    return new Promise((resolve) => {
      this.#idle = resolve
      if (this.#running === 0) resolve()
    })
  }
}

/** @throws RequestProblem for a body that says it is too long */
function requireSmall(c: ServerContext, { maxBodyBytes, maxUploadBytes }: ResolvedAppOptions): void {
  const length = Number(c.req.header('content-length') ?? 0)
  const isJson = /^application\/json\b/i.test(c.req.header('content-type') ?? '')
  const most = isJson ? maxBodyBytes : maxUploadBytes
  if (length > most) throw new RequestProblem(413, 'TOO_LARGE', `a body of more than ${most} bytes`)
}

/** What Hono throws for a request: an HTTPException, which another copy of the package may have made. */
function httpProblem(error: Error): RequestProblem | undefined {
  const { status } = error as { status?: unknown }
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined
  return new RequestProblem(status, status === 415 ? 'UNSUPPORTED_MEDIA_TYPE' : 'BAD_REQUEST', error.message)
}

function failed(error: Error, { onError }: ResolvedAppOptions): RequestProblem {
  onError(error)
  return new RequestProblem(500, 'INTERNAL', 'the server has failed; its log has the reason')
}
