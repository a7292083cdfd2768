// The routes as OpenAPI describes them. Owns paths, methods and statuses; the handlers are in app.ts and the files beside it.
import type { HonoOpenApi } from './hono.js'
import type { Schemas } from './schemas.js'

export type Routes = ReturnType<typeof routesOf>

const SESSION = '/v1/sessions/{id}'
const BYTES = { type: 'string', format: 'binary' } as const

export function routesOf({ createRoute }: HonoOpenApi, schemas: Schemas) {
  const json = <S>(schema: S) => ({ 'application/json': { schema } })
  const ok = <S>(schema: S, description: string) => ({ content: json(schema), description })
  const body = <S>(schema: S, required = true) => ({ body: { content: json(schema), required } })
  const problem = {
    content: { 'application/problem+json': { schema: schemas.problem } },
    description: 'Problem',
  }
  const problems = { '4XX': problem, '5XX': problem } as const
  const done = { 204: { description: 'Done' }, ...problems } as const
  const params = schemas.sessionParams
  const { takeOver } = schemas
  const bytes = (type: string) => ({ [type]: { schema: BYTES } })
  const upload = { content: bytes('application/octet-stream'), required: true }
  const events = { 'text/event-stream': { schema: { type: 'string' as const } } }
  const executed = {
    200: {
      content: { ...json(schemas.execution), ...events },
      description: 'How it ended; or, if the request accepts them, events until it has',
    },
    ...problems,
  } as const
  return {
    createSession: createRoute({
      ...{ method: 'post', path: '/v1/sessions', summary: 'Create a session', operationId: 'createSession' },
      request: body(schemas.create, false),
      responses: { 201: ok(schemas.session, 'The new session'), ...problems },
    }),
    listSessions: createRoute({
      ...{ method: 'get', path: '/v1/sessions', summary: 'List sessions', operationId: 'listSessions' },
      request: { query: schemas.list },
      responses: { 200: ok(schemas.sessions, 'Sessions by id'), ...problems },
    }),
    getOrCreateSession: createRoute({
      ...{
        method: 'put',
        path: SESSION,
        summary: 'Get or create a session',
        operationId: 'getOrCreateSession',
      },
      request: { params, query: takeOver, ...body(schemas.getOrCreate, false) },
      responses: {
        200: ok(schemas.session, 'The session that is there'),
        201: ok(schemas.session, 'The new session'),
        ...problems,
      },
    }),
    readSession: createRoute({
      ...{ method: 'get', path: SESSION, summary: 'Read a session', operationId: 'readSession' },
      request: { params },
      responses: { 200: ok(schemas.session, 'The session'), ...problems },
    }),
    deleteSession: createRoute({
      ...{ method: 'delete', path: SESSION, summary: 'Delete a session', operationId: 'deleteSession' },
      request: { params, query: takeOver },
      responses: done,
    }),
    forkSession: createRoute({
      ...{ method: 'post', path: `${SESSION}/fork`, summary: 'Fork a session', operationId: 'forkSession' },
      request: { params, query: takeOver, ...body(schemas.fork, false) },
      responses: { 201: ok(schemas.session, 'The copy'), ...problems },
    }),
    resetSession: createRoute({
      ...{ method: 'post', path: `${SESSION}/reset`, summary: 'Start afresh', operationId: 'resetSession' },
      request: { params, query: takeOver },
      responses: done,
    }),
    clearSession: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/clear`,
        summary: 'Delete all variables',
        operationId: 'clearSession',
      },
      request: { params, query: takeOver },
      responses: done,
    }),
    hibernateSession: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/hibernate`,
        summary: 'Free the interpreter',
        operationId: 'hibernateSession',
      },
      request: { params, query: takeOver },
      responses: done,
    }),
    closeSession: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/close`,
        summary: 'Store it and let go of it',
        operationId: 'closeSession',
      },
      request: { params },
      responses: done,
    }),
    execute: createRoute({
      ...{ method: 'post', path: `${SESSION}/execute`, summary: 'Run code', operationId: 'execute' },
      request: { params, query: takeOver, headers: schemas.idempotency, ...body(schemas.execute) },
      responses: executed,
    }),
    resume: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/resume`,
        summary: 'Answer pending calls',
        operationId: 'resume',
      },
      request: { params, query: takeOver, headers: schemas.idempotency, ...body(schemas.resume) },
      responses: executed,
    }),
    interrupt: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/interrupt`,
        summary: 'Interrupt what runs',
        operationId: 'interrupt',
      },
      request: { params },
      responses: done,
    }),
    pendingCalls: createRoute({
      ...{
        method: 'get',
        path: `${SESSION}/pending`,
        summary: 'Calls that wait for resume',
        operationId: 'pendingCalls',
      },
      request: { params, query: schemas.valuesQuery },
      responses: { 200: ok(schemas.pending, 'The calls'), ...problems },
    }),
    tools: createRoute({
      ...{ method: 'get', path: `${SESSION}/tools`, summary: 'Tools for a prompt', operationId: 'tools' },
      request: { params, query: schemas.toolsQuery },
      responses: {
        200: ok(schemas.tools, '`stubs` in Python, or `tools` in the format of a vendor'),
        ...problems,
      },
    }),
    getVariable: createRoute({
      ...{
        method: 'get',
        path: `${SESSION}/variables/{name}`,
        summary: 'Read a variable',
        operationId: 'getVariable',
      },
      request: { params: schemas.variableParams, query: schemas.valuesQuery },
      responses: { 200: ok(schemas.variable, 'Its value'), ...problems },
    }),
    setVariable: createRoute({
      ...{
        method: 'put',
        path: `${SESSION}/variables/{name}`,
        summary: 'Set a variable',
        operationId: 'setVariable',
      },
      request: { params: schemas.variableParams, query: takeOver, ...body(schemas.setVariable) },
      responses: done,
    }),
    getSnapshot: createRoute({
      ...{
        method: 'get',
        path: `${SESSION}/snapshot`,
        summary: 'Take a snapshot',
        operationId: 'getSnapshot',
      },
      request: { params, query: takeOver },
      responses: {
        200: { content: bytes('application/vnd.brumate.snapshot'), description: 'The snapshot' },
        ...problems,
      },
    }),
    putSnapshot: createRoute({
      ...{
        method: 'put',
        path: `${SESSION}/snapshot`,
        summary: 'Restore a snapshot',
        operationId: 'putSnapshot',
      },
      request: { params, query: schemas.snapshotQuery, body: upload },
      responses: { 200: ok(schemas.restored, 'Restored'), ...problems },
    }),
    readFile: createRoute({
      ...{ method: 'get', path: `${SESSION}/files`, summary: 'Download a file', operationId: 'readFile' },
      request: { params, query: schemas.fileQuery },
      responses: {
        200: { content: bytes('application/octet-stream'), description: 'All of it' },
        206: { content: bytes('application/octet-stream'), description: 'The range' },
        ...problems,
      },
    }),
    writeFile: createRoute({
      ...{ method: 'put', path: `${SESSION}/files`, summary: 'Upload a file', operationId: 'writeFile' },
      request: { params, query: schemas.fileQuery, body: upload },
      responses: done,
    }),
    removeFile: createRoute({
      ...{ method: 'delete', path: `${SESSION}/files`, summary: 'Remove a file', operationId: 'removeFile' },
      request: { params, query: schemas.removeQuery },
      responses: done,
    }),
    listFiles: createRoute({
      ...{
        method: 'get',
        path: `${SESSION}/files/list`,
        summary: 'Names in a directory',
        operationId: 'listFiles',
      },
      request: { params, query: schemas.fileQuery },
      responses: { 200: ok(schemas.listed, 'The names'), ...problems },
    }),
    statFile: createRoute({
      ...{
        method: 'get',
        path: `${SESSION}/files/stat`,
        summary: 'What a path leads to',
        operationId: 'statFile',
      },
      request: { params, query: schemas.statQuery },
      responses: { 200: ok(schemas.status, 'Its status'), ...problems },
    }),
    makeDirectory: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/files/mkdir`,
        summary: 'Make a directory',
        operationId: 'makeDirectory',
      },
      request: { params, query: takeOver, ...body(schemas.mkdir) },
      responses: done,
    }),
    renameFile: createRoute({
      ...{
        method: 'post',
        path: `${SESSION}/files/rename`,
        summary: 'Rename a file',
        operationId: 'renameFile',
      },
      request: { params, query: takeOver, ...body(schemas.rename) },
      responses: done,
    }),
    webhookSecret: createRoute({
      ...{
        method: 'get',
        path: '/v1/webhook-secret',
        summary: "The tenant's webhook secret",
        operationId: 'webhookSecret',
      },
      responses: { 200: ok(schemas.webhookSecret, 'What signs the calls of its webhooks'), ...problems },
    }),
    health: createRoute({
      ...{ method: 'get', path: '/health', summary: 'Whether it takes requests', operationId: 'health' },
      responses: { 200: ok(schemas.health, 'It does'), 503: ok(schemas.health, 'It is draining') },
    }),
  }
}
