// Handlers of sessions and executions. Owns how a session is described to clients.
import type { WireCreate, WireSession } from '../presentation/wire.js'
import { wirePending } from '../presentation/wire-execution.js'
import type { Session } from '../session.js'
import { fromJson } from '../shared/values/json.js'
import type { StoredSession } from '../store/store.js'
import { RequestProblem } from './problems.js'
import type { Routes } from './routes.js'
import type { App, ServerContext, Services } from './services.js'
import { readLabels } from './session-config.js'
import { nameOf } from './session-ids.js'
import type { OpenOptions } from './sessions.js'
import { namedError } from './webhooks/sender.js'

const DEFAULT_PAGE = 100

export function sessionHandlers(app: App, routes: Routes, services: Services): void {
  const { sessions, executions, requests } = services

  app.openapi(routes.createSession, async (c) => {
    const { tenant, account } = c.get('caller')
    const stored = await sessions.create(tenant, account, c.req.valid('json') as WireCreate)
    const described = describe(services, tenant, stored)
    c.header('location', `/v1/sessions/${described.id}`)
    return c.json(described, 201) as never
  })

  app.openapi(routes.listSessions, async (c) => {
    const { tenant } = c.get('caller')
    const { prefix = '', label = [], limit = DEFAULT_PAGE, cursor } = c.req.valid('query')
    const labels = labelFilter(typeof label === 'string' ? [label] : label)
    // One more than asked for says whether another page follows.
    const filter = { prefix, labels, limit: limit + 1, ...(cursor === undefined ? {} : { after: cursor }) }
    const found: WireSession[] = []
    for await (const stored of sessions.list(tenant, filter)) {
      if (found.length === limit) return c.json({ sessions: found, cursor: found.at(-1)?.id }, 200) as never
      found.push(describe(services, tenant, stored))
    }
    return c.json({ sessions: found }, 200) as never
  })

  app.openapi(routes.getOrCreateSession, async (c) => {
    const { tenant, account } = c.get('caller')
    const { id } = c.req.valid('param')
    const given = c.req.valid('json') as WireCreate
    const { isNew, stored } = await sessions.getOrCreate(tenant, account, id, given, opening(c))
    return c.json(describe(services, tenant, stored), isNew ? 201 : 200) as never
  })

  app.openapi(routes.readSession, async (c) => {
    const { tenant } = c.get('caller')
    const stored = await sessions.read(tenant, c.req.valid('param').id)
    return c.json(describe(services, tenant, stored), 200) as never
  })

  app.openapi(routes.deleteSession, async (c) => {
    const { tenant } = c.get('caller')
    await sessions.delete(tenant, c.req.valid('param').id, opening(c))
    return c.body(null, 204)
  })

  app.openapi(routes.forkSession, async (c) => {
    const { tenant, account } = c.get('caller')
    const given = definedOf(c.req.valid('json'))
    const created = await sessions.use(tenant, c.req.valid('param').id, opening(c), async (session) => {
      const { labels, config } = readLabels(session.labels)
      const from = await session.snapshotState()
      const { limits, tools, input } = config
      const copied = definedOf({ labels, limits, tools, input })
      return sessions.create(tenant, account, { ...copied, ...given }, from)
    })
    return c.json(describe(services, tenant, created), 201) as never
  })

  const call = (route: keyof Routes, task: (session: Session) => Promise<unknown>) =>
    app.openapi(routes[route as 'resetSession'], async (c) => {
      await sessions.use(c.get('caller').tenant, c.req.valid('param').id, opening(c), task)
      return c.body(null, 204)
    })
  call('resetSession', (session) => session.reset())
  call('clearSession', (session) => session.clearState())
  call('hibernateSession', (session) => session.hibernate())

  app.openapi(routes.closeSession, async (c) => {
    await sessions.close(c.get('caller').tenant, c.req.valid('param').id)
    return c.body(null, 204)
  })

  app.openapi(routes.execute, async (c) => {
    const { code, timeoutMs, values, detached } = c.req.valid('json')
    return (await executions.respond({
      ...requestOf(c, c.req.valid('param').id),
      ...{ timeoutMs, values, detached, idempotencyKey: c.req.valid('header')['idempotency-key'] },
      run: (session, given) => session.execute(code, given),
    })) as never
  })

  app.openapi(routes.resume, async (c) => {
    const { results = {}, errors = {}, timeoutMs, values, detached } = c.req.valid('json')
    const given = mapValues(results, (value) => (values === 'exact' ? exactValue(value) : value))
    const thrown = mapValues(errors, ({ type = '', message }) => namedError(type, message))
    return (await executions.respond({
      ...requestOf(c, c.req.valid('param').id),
      ...{ timeoutMs, values, detached, idempotencyKey: c.req.valid('header')['idempotency-key'] },
      run: (session, more) => session.resume({ results: given, errors: thrown, ...more }),
    })) as never
  })

  app.openapi(routes.interrupt, async (c) => {
    const { tenant } = c.get('caller')
    const { id } = c.req.valid('param')
    const session = sessions.get(tenant, id)
    if (session) await session.interrupt()
    else await requireNotElsewhere(await sessions.read(tenant, id))
    return c.body(null, 204)
  })

  app.openapi(routes.pendingCalls, async (c) => {
    const { values = 'json' } = c.req.valid('query')
    const { id } = c.req.valid('param')
    const pending = await sessions.use(c.get('caller').tenant, id, opening(c), async (session) =>
      session.pending.map((one) => wirePending(one, values)),
    )
    return c.json({ pending }, 200) as never
  })

  app.openapi(routes.tools, async (c) => {
    const { format = 'python' } = c.req.valid('query')
    const { id } = c.req.valid('param')
    const answer = await sessions.use(c.get('caller').tenant, id, opening(c), async (session) =>
      format === 'python' ? { stubs: session.toolStubs() } : { tools: session.toolSchemas(format) },
    )
    return c.json(answer, 200) as never
  })

  app.openapi(routes.webhookSecret, (c) => {
    const secret = services.sender.secretOf(c.get('caller').tenant)
    if (secret === undefined)
      throw new RequestProblem(
        404,
        'NOT_FOUND',
        'this server does not allow sessions to have webhooks of their own',
      )
    c.header('cache-control', 'no-store')
    return c.json({ secret }, 200)
  })

  function requestOf(c: ServerContext, id: string) {
    const { tenant, account } = c.get('caller')
    const wantsEvents = /\btext\/event-stream\b/i.test(c.req.header('accept') ?? '')
    return {
      tenant,
      account,
      id,
      open: opening(c),
      signal: c.req.raw.signal,
      wantsEvents,
      begin: () => requests.begin(),
    }
  }
}

/** The options in a request's query for opening the session. */
export function opening(c: ServerContext): OpenOptions {
  return { takeOver: c.req.query('takeOver') === 'true', signal: c.req.raw.signal }
}

/** @throws RequestProblem */
export function exactValue(json: unknown): unknown {
  try {
    return fromJson(json)
  } catch (error) {
    // Constructors also throw for values they do not accept, such as an invalid date.
    if (!(error instanceof Error)) throw error
    throw new RequestProblem(400, 'VALIDATION', `a value is not in the exact form: ${error.message}`)
  }
}

/** Only the process that has a session open can interrupt it. @throws RequestProblem if that is another process */
function requireNotElsewhere({ owner }: StoredSession): void {
  if (owner === undefined || owner.remainingMs <= 0) return
  const expiresAt = owner.expiresAt.toISOString()
  const detail = `another process has the session, ${owner.id}; only that can interrupt it`
  throw new RequestProblem(409, 'SESSION_OWNED', detail, { ownerId: owner.id, expiresAt })
}

function describe({ options }: Services, tenant: string, stored: StoredSession): WireSession {
  const open = options.manager.get(stored.id)
  const { createdAt, updatedAt, sizeBytes, imageId } = stored
  return {
    ...{ id: nameOf(tenant, stored.id), labels: readLabels(stored.labels).labels },
    // The store may not know of the latest executions yet.
    executionCount: open?.executionCount ?? stored.executionCount,
    ...{ createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString(), sizeBytes, imageId },
    state: open?.state === 'attached' ? 'attached' : 'dormant',
    ...(open
      ? { pending: open.pending.map((one) => wirePending(one, 'json')), lostGlobals: open.lostGlobals }
      : {}),
  }
}

/** @throws RequestProblem */
function labelFilter(given: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = Object.create(null)
  for (const one of given) {
    const at = one.indexOf('=')
    if (at < 1) throw new RequestProblem(400, 'VALIDATION', 'label: expected NAME=VALUE')
    labels[one.slice(0, at)] = one.slice(at + 1)
  }
  return { ...labels }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Leaves out fields whose value is undefined. */
function definedOf<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>
}

function mapValues<T, R>(given: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, map(value)]))
}
