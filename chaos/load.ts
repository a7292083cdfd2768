// `node chaos/server.mjs`: load on the HTTP server. Clients run small executions, and read and write files and variables; one tenant has a
// small quota. Prints the answers by status, the latency of a small execute, and resident memory at the beginning and at the end. The exit
// code is 0 only if every status is 2xx, or 429 where a quota was reached (see chaos/README.md).
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { SessionManager } from 'brumate'
import { serve } from 'brumate/server'

interface Client {
  readonly tenant: string
  readonly key: string
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    clients: { type: 'string', default: '200' },
    sessions: { type: 'string', default: '16' },
    slots: { type: 'string', default: '20' },
    'cache-dir': { type: 'string' },
  },
})
const [seconds, clients, sessions, slots] = [
  Number(values.seconds),
  Number(values.clients),
  Number(values.sessions),
  Number(values.slots),
]
if (!(seconds > 0) || ![clients, sessions, slots].every((value) => Number.isInteger(value) && value >= 1)) {
  console.error(
    'usage: node chaos/server.mjs [--seconds 60] [--clients 200] [--sessions 16] [--slots 20] [--cache-dir PATH]',
  )
  process.exit(2)
}
const WARM_UP_MS = Math.min(10_000, seconds * 250)
const LIMITED = { tenant: 'limited', key: 'a-key-of-the-limited', quotas: { requestsPerSecond: 5 } }
const FREE = { tenant: 'free', key: 'a-key-of-the-others-' }
const SMALL = JSON.stringify({ code: 'n = globals().get("n", 0) + 1\nn' })

const manager = await SessionManager.create({
  ...{ slots, maxQueued: 10_000, acquireTimeoutMs: 120_000 },
  ...(values['cache-dir'] === undefined ? {} : { cacheDir: values['cache-dir'] }),
})
const failures: Error[] = []
const server = await serve({ manager, keys: [LIMITED, FREE], onError: (error) => failures.push(error) })
const { hostname, port } = new URL(server.url)
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

const statuses = new Map<number, number>()
const wrong: string[] = []
const latencies: number[] = []
/** Earlier requests are not measured: the first ones boot interpreters, which takes seconds on a machine with few cores. */
let measuredFromMs = Number.POSITIVE_INFINITY

for (let i = 0; i < sessions; i++) await call(FREE, 'PUT', `/v1/sessions/s${i}`)
await call(LIMITED, 'PUT', '/v1/sessions/main')

const startedMs = performance.now()
const endMs = startedMs + seconds * 1000
const running = Array.from({ length: clients }, (_, i) => client(i))
await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS))
const before = memory()
measuredFromMs = performance.now()
await Promise.all(running)
const after = memory()

latencies.sort((a, b) => a - b)
const at = (share: number) => Math.round(latencies[Math.floor(latencies.length * share)] ?? 0)
const total = [...statuses.values()].reduce((sum, count) => sum + count, 0)
console.log(
  `${total} requests of ${clients} clients in ${seconds} s, ${Math.round(total / seconds)} a second`,
)
console.log(`statuses: ${[...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`)
console.log(`small execute: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, of ${latencies.length}`)
console.log(`resident memory: ${before.rss} MiB after ${WARM_UP_MS / 1000} s, ${after.rss} MiB at the end`)
console.log(`JavaScript heap: ${before.heap} MiB, ${after.heap} MiB`)
agent.destroy()
await server.close()
await manager.close()
if (wrong.length > 0 || failures.length > 0) {
  console.error('wrong:', wrong.slice(0, 10), failures.slice(0, 3))
  process.exit(1)
}

async function client(i: number): Promise<void> {
  const isLimited = i % 20 === 0
  const who = isLimited ? LIMITED : FREE
  const path = isLimited ? '/v1/sessions/main' : `/v1/sessions/s${i % sessions}`
  for (let n = 0; performance.now() < endMs; n++) {
    const beganMs = performance.now()
    const status = await call(who, 'POST', `${path}/execute`, SMALL)
    if (beganMs >= measuredFromMs && status === 200) latencies.push(performance.now() - beganMs)
    if (status === 429) await new Promise((resolve) => setTimeout(resolve, 1000))
    if (n % 10 === 0)
      await call(who, 'PUT', `${path}/files?path=/tmp/f${i}`, 'x'.repeat(10_000), 'text/plain')
    // An upload that was over the quota has left no file.
    if (n % 10 === 1 && !isLimited) await call(who, 'GET', `${path}/files?path=/tmp/f${i}`)
    if (n % 10 === 2) await call(who, 'PUT', `${path}/variables/v${i}`, '{"value":[1,2,3]}')
    if (n % 10 === 3) await call(who, 'GET', path)
    if (n % 10 === 4) {
      const type = 'application/json'
      await call(who, 'POST', `${path}/execute`, '{"code":"print(1)"}', type, 'text/event-stream')
    }
  }
}

function call(
  who: Client,
  method: string,
  path: string,
  body?: string,
  type = 'application/json',
  accept = '*/*',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...{ authorization: `Bearer ${who.key}`, accept },
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    }
    const sent = request({ agent, hostname, port, method, path, headers }, (response) => {
      const status = response.statusCode ?? 0
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('error', reject)
      response.on('end', () => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const isRight = (status >= 200 && status < 300) || (status === 429 && who === LIMITED)
        if (!isRight) wrong.push(`${method} ${path}: ${status} ${text.slice(0, 300)}`)
        resolve(status)
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function memory() {
  const { rss, heapUsed } = process.memoryUsage()
  return { rss: Math.round(rss / 2 ** 20), heap: Math.round(heapUsed / 2 ** 20) }
}
