// The server as a Hono app: the path of a request through checks, validation and handlers. Owns their order; the handlers are in the files
// beside it.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Access } from './access.js'
import { readBody, tooLarge } from './bodies.js'
import { Executions } from './executions.js'
import { fileHandlers } from './file-handlers.js'
import { HeldBodies } from './held-bodies.js'
import { type HonoOpenApi, loadHono } from './hono.js'
import { addLibreChat } from './librechat/app.js'
import { Metrics } from './metrics.js'
import { openApiInfo } from './open-api.js'
import { type AppOptions, type ResolvedAppOptions, resolveAppOptions } from './options.js'
import { draining, notFound, problemOf, problemResponse, RequestProblem } from './problems.js'
import { Accounts } from './quotas.js'
import { Requests } from './requests.js'
import { type Routes, routesOf } from './routes.js'
import { schemasOf } from './schemas.js'
import type { App, Environment, Services } from './services.js'
import { sessionHandlers } from './session-handlers.js'
import { Sessions } from './sessions.js'
import { StoredBytes } from './stored-bytes.js'
import type { ToolContext } from './tools.js'
import { valueHandlers } from './value-handlers.js'
import { WebhookSender } from './webhooks/sender.js'

/** All request bodies together may take as much memory as this many uploads of the largest size. */
const MAX_HELD_UPLOADS = 2

export interface BrumateApp {
  /** Mount it in a Hono app, or serve `app.fetch`. */
  readonly app: OpenAPIHono
  readonly fetch: OpenAPIHono['fetch']
  /** From now on requests get 503, and `/health` reports it. Resolves when all earlier requests have been answered. */
  drain(): Promise<void>
  /** Stores and closes the sessions that requests have opened. The manager stays open. */
  close(): Promise<void>
}

/**
 * The HTTP API as a Hono app. `serve` of this sub-path also listens.
 *
 * @param host what the server listens on; decides which Host headers are accepted. Default: unknown; all are, unless `allowedHosts` is set
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
  const storedBytes = new StoredBytes(options.manager)
  const sessions = new Sessions(options, storedBytes, tools)
  const requests = new Requests()
  const executions = new Executions(options, sessions, storedBytes)
  const services: Services = { options, sessions, storedBytes, sender, requests, executions }
  const metrics = new Metrics(options.manager)
  const app: App = new lib.OpenAPIHono<Environment>({
    defaultHook: (result) => {
      if (result.success) return undefined
      const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
      const [first] = issues
      const detail = `${result.target}${first?.path ? ` ${first.path}` : ''}: ${first?.message ?? 'invalid'}`
      return problemResponse(new RequestProblem(400, 'VALIDATION', detail, { issues: issues.slice(0, 20) }))
    },
  })
  app.onError((error, c) => {
    const { tenant } = c.get('caller') ?? {}
    return problemResponse(problemOf(error, tenant) ?? httpProblem(error) ?? failed(error, c, options))
  })
  app.notFound(() => problemResponse(notFound('there is no such route')))
  app.use(async (c, next) => {
    const startedMs = performance.now()
    await next()
    metrics.count(c.req.method, routeOf(c), c.res.status, performance.now() - startedMs)
  })
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
    c.set('caller', { tenant, account })
    const answered = requests.begin()
    try {
      await next()
    } finally {
      answered()
    }
  })
  const { maxBodyBytes, maxUploadBytes } = options
  const bodies = new HeldBodies(MAX_HELD_UPLOADS * Math.max(maxUploadBytes, maxBodyBytes))
  app.use('/v1/*', (c, next) =>
    bodies.during((held) => {
      c.set('held', held)
      return next()
    }),
  )
  app.use('/v1/*', async (c, next) => {
    const most = isUpload(c) ? maxUploadBytes : maxBodyBytes
    const length = announcedLength(c)
    if (length !== undefined && length > most) throw tooLarge(most)
    // The handler of an upload counts its bytes as it reads them.
    if (!isUpload(c) && !['GET', 'HEAD'].includes(c.req.method)) {
      if (length !== undefined) c.get('held').take(length)
      const body = length === undefined ? await readBody(c, most) : undefined
      // The types say otherwise, but Hono awaits what it has cached.
      if (body) c.req.bodyCache.arrayBuffer = Promise.resolve(body) as unknown as ArrayBuffer
      // An empty body counts as an empty object, even if announced as JSON. Without a content type, the validators detect it themselves.
      if (c.req.header('content-type') !== undefined && (length === 0 || body?.byteLength === 0))
        c.req.bodyCache = { text: Promise.resolve('{}') as unknown as string }
    }
    await next()
  })
  addHandlers(app, routes, services)
  app.get('/metrics', (c) => {
    access.checkMetrics(c.req.raw.headers, addressOf(c))
    return c.text(metrics.text(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  })
  if (options.librechat) addLibreChat(app, options, storedBytes)
  app.doc31('/openapi.json', openApiInfo(options.keys !== undefined))
  if (options.keys !== undefined)
    app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
  return {
    app: app as unknown as OpenAPIHono,
    fetch: app.fetch as OpenAPIHono['fetch'],
    drain: () => requests.drain(),
    close: () => sessions.closeAll(),
  }
}

function addHandlers(app: App, routes: Routes, services: Services): void {
  sessionHandlers(app, routes, services)
  valueHandlers(app, routes, services)
  fileHandlers(app, routes, services)
  app.openapi(routes.health, (c) =>
    services.requests.isDraining
      ? c.json({ status: 'draining' as const }, 503)
      : c.json({ status: 'ok' as const }, 200),
  )
}

/** The route as OpenAPI writes it. All unknown paths count as one, so that clients cannot create any number of metrics. */
function routeOf(c: Context): string {
  const route = c.req.matchedRoutes.find(({ path }) => !path.includes('*'))
  return route === undefined ? 'none' : route.path.replaceAll(/:(\w+)/g, '{$1}')
}

/** The address of the client, if `@hono/node-server` serves the app. */
function addressOf(c: Context): string | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } }
  return incoming?.socket?.remoteAddress
}

/** Bodies that become files or snapshots. All others are JSON, even if a session or a variable is called `files`. */
function isUpload(c: Context): boolean {
  const { method, path } = c.req
  return method === 'PUT'
    ? /\/v1\/sessions\/[^/]+\/(files|snapshot)$/.test(path)
    : /^\/v1\/upload(\/batch)?$/.test(path)
}

/** Undefined if the request does not say how long its body is, or says nonsense: then the body is counted as it arrives. */
function announcedLength(c: Context): number | undefined {
  const length = c.req.header('content-length') ?? ''
  return /^\d+$/.test(length) ? Number(length) : undefined
}

/** Translates an error that Hono throws for a request: an HTTPException, possibly from another copy of the package. */
function httpProblem(error: Error): RequestProblem | undefined {
  const { status } = error as { status?: unknown }
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined
  if (status !== 415) return new RequestProblem(status, 'BAD_REQUEST', error.message)
  return new RequestProblem(415, 'UNSUPPORTED_MEDIA_TYPE', 'send the body as Content-Type: application/json')
}

function failed(error: Error, c: Context, { onError }: ResolvedAppOptions): RequestProblem {
  // If the client has disconnected, reading its body fails and nobody reads the answer, so this is not worth reporting.
  if (!c.req.raw.signal.aborted) onError(error)
  return new RequestProblem(500, 'INTERNAL', 'the server has failed; its log has the reason')
}
