// Fuzzes all routes of the OpenAPI document: every request gets a response, and every error response is a problem document.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appForTest, type Json } from './support/caller.js'

const RUNS = Number(process.env.RUNS ?? 250)
const METHODS = ['get', 'put', 'post', 'delete']

interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Json }[]
  readonly body: Json
}

function operationsOf(document: Json): Operation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, operations]) =>
    METHODS.filter((method) => operations[method]).map((method) => ({
      ...{ method, path, parameters: operations[method].parameters ?? [] },
      body: operations[method].requestBody?.content['application/json']?.schema,
    })),
  )
}

/** Includes texts that are known to break servers. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    '..',
    '__proto__',
    'main',
    '\0',
    '\ud800',
    '/tmp/x',
    '-1',
    '1e9',
    'true',
    'constructor',
  ),
)
const anything = fc.oneof(
  { depthSize: 'small' },
  fc.jsonValue({ maxDepth: 2 }),
  text,
  fc.constantFrom(null, -1, 1e308, 2 ** 53, '9'.repeat(1000)),
)

/** Mostly values that match the schema, with invalid ones mixed in. */
function arbitraryOf(schema: Json, document: Json): fc.Arbitrary<unknown> {
  if (schema?.$ref) return arbitraryOf(document.components.schemas[schema.$ref.split('/').at(-1)], document)
  const proper = properOf(schema, document)
  return fc.oneof({ weight: 15, arbitrary: proper }, { weight: 1, arbitrary: anything })
}

function properOf(schema: Json, document: Json): fc.Arbitrary<unknown> {
  const [type] = [schema?.type].flat()
  if (schema?.enum) return fc.constantFrom(...schema.enum)
  if (type === 'boolean') return fc.boolean()
  if (type === 'integer' || type === 'number') return fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.double())
  if (type === 'array') return fc.array(arbitraryOf(schema.items, document), { maxLength: 3 })
  if (type === 'object' && schema.properties) {
    const properties = Object.entries<Json>(schema.properties)
    const fields = Object.fromEntries(properties.map(([name, one]) => [name, arbitraryOf(one, document)]))
    return fc.record(fields, { requiredKeys: [] })
  }
  if (type === 'object') return fc.dictionary(text, anything, { maxKeys: 3 })
  if (type !== 'string') return anything
  const usual = schema.pattern?.startsWith('^\\/')
    ? ['/tmp/x', '/tmp', '/', '/no/../such', '/dev/null']
    : ['main', '1', 'x', '1/0', '(']
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: text })
}

function encoded(value: unknown): string {
  return encodeURIComponent(String(value).toWellFormed())
}

function requestOf({ path, parameters, body }: Operation, document: Json) {
  const named = parameters.map(({ name, schema }) => [
    name,
    fc.option(
      name === 'id'
        ? fc.oneof({ weight: 6, arbitrary: fc.constant('main') }, text)
        : arbitraryOf(schema, document),
      { nil: undefined, freq: 8 },
    ),
  ])
  return fc
    .record({
      values: fc.record(Object.fromEntries(named)) as fc.Arbitrary<Record<string, unknown>>,
      // Escapes that no encoder would produce.
      broken: fc.oneof(
        { weight: 20, arbitrary: fc.constant('') },
        fc.constantFrom('%', '%E0%A4%A', '%00', '..%2f..', '%ff'),
      ),
      body: fc.oneof(
        {
          weight: 6,
          arbitrary: arbitraryOf(body ?? {}, document).map((value) => JSON.stringify(value) ?? ''),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom('', '{', '[[[', '{"a":', '"\ud800"', '['.repeat(10_000), '\0'),
        },
      ),
      type: fc.oneof(
        { weight: 15, arbitrary: fc.constant('application/json') },
        fc.constantFrom('text/plain', '', 'application/json; charset=x', 'multipart/form-data', 'a/b;c'),
      ),
      accept: fc.constantFrom('*/*', 'application/json', 'text/event-stream', 'nonsense'),
      range: fc.constantFrom(
        '',
        '',
        'bytes=0-',
        'bytes=9-1',
        'bytes=-0',
        'bytes=a',
        'lines=1-2',
        `bytes=${'9'.repeat(30)}-`,
      ),
    })
    .map(({ values, broken, ...rest }) => {
      const isIn = (place: string) =>
        parameters.filter((one) => one.in === place && values[one.name] !== undefined)
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => encoded(values[name] ?? 'main') + broken)
      const query = isIn('query').map(({ name }) => `${name}=${encoded(values[name])}${broken}`)
      const headers = isIn('header').map(({ name }) => [name, encoded(values[name])] as const)
      return { target: `${filled}?${query.join('&')}`, headers: Object.fromEntries(headers), ...rest }
    })
}

test('a malformed request gets a problem document, never a server error', { timeout: 120_000 }, async () => {
  const { call, send, errors } = await appForTest({
    ...{ tenant: 'property', executionTimeoutMs: 2000, maxExecutionTimeoutMs: 2000 },
    quotas: { sessions: 3 },
  })
  const document = (await call('GET', '/openapi.json')).body
  await call('PUT', '/v1/sessions/main')
  const requests = operationsOf(document).map((operation) =>
    requestOf(operation, document).map((request) => ({ ...request, method: operation.method.toUpperCase() })),
  )
  expect(requests.length).toBeGreaterThan(25)
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(...requests),
      async ({ method, target, headers, type, accept, range, body }) => {
        const response = await send(target, {
          ...{ method, headers: { ...headers, accept, 'content-type': type, ...(range ? { range } : {}) } },
          ...(method === 'GET' || method === 'DELETE' ? {} : { body }),
        })
        const answer = await response.text()
        // The session may be deleted now, so create it again.
        if (method === 'DELETE') await call('PUT', '/v1/sessions/main')
        expect(response.status, answer).toBeLessThan(500)
        if (response.status < 400) return
        expect(response.headers.get('content-type')).toBe('application/problem+json')
        const { status, code, detail } = JSON.parse(answer)
        expect([status, typeof detail]).toEqual([response.status, 'string'])
        expect(code).toMatch(/^[A-Z_]+$/)
      },
    ),
    { numRuns: RUNS },
  )
  expect(errors).toEqual([])
  for (const { id } of (await call('GET', '/v1/sessions')).body.sessions)
    await call('DELETE', `/v1/sessions/${id}`)
})
