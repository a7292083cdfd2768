// A server with API keys, and a client that uses plain `fetch`. It gets events while code runs, and answers a call of the code.
//
// In a clone, after `npm run build`: `node examples/run.mjs server`
import { SessionManager } from 'brumate'
import { serve, type WireExecution } from 'brumate/server'

const key = crypto.randomUUID()

await using manager = await SessionManager.create({ slots: 2 })
await using server = await serve({ manager, keys: { ada: key } })

const session = '/v1/sessions/shop'
const price = { name: 'price', parameters: { type: 'object', properties: { item: { type: 'string' } } } }
await call('PUT', session, { tools: [price] })

const events = await call(
  'POST',
  `${session}/execute`,
  { code: 'print("asking …")\nawait price("tea") * 2' },
  true,
)
console.log(
  (await events.text())
    .split('\n')
    .filter((line) => line.startsWith('event: '))
    .join(', '),
)

const { pending } = (await (await call('GET', `${session}/pending`)).json()) as Pending
const [asked] = pending
console.log(`Python asks for ${asked?.name}(${JSON.stringify(asked?.args)})`)

const answer = await call('POST', `${session}/resume`, { results: { [asked?.id ?? '']: 21 } })
const result = (await answer.json()) as WireExecution
console.log(result.status === 'error' ? result.error.message : `${result.status}: ${result.value}`)

interface Pending {
  readonly pending: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
}

function call(method: string, path: string, body?: unknown, wantsEvents = false): Promise<Response> {
  const headers = {
    authorization: `Bearer ${key}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(wantsEvents ? { accept: 'text/event-stream' } : {}),
  }
  return fetch(server.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
