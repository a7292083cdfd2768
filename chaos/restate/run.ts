// `node chaos/restate.mjs`: sessions on Restate, whose service processes are killed at random moments. Owns the course of a run; client.ts
// has the checks. See chaos/README.md.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cluster, findServer } from '../../examples/restate/cluster.js'
import { Random } from '../random.js'
import { pause } from '../stores/say.js'
import { Client } from './client.js'
import { Shop } from './shop.js'

const SERVICES = 2
const SHORTEST_LIFE_MS = 100
const LONGEST_LIFE_MS = 4000
/** Probability that all processes are killed, and none is left for a while. */
const ALL_AT_ONCE = 0.15
/** Probability that a process may end by itself: it drains its manager. */
const TERMINATED = 0.2
/** Probability that a process is only cut off, and continues later. */
const FROZEN = 0.25
/** An execution that has not returned this long after the last kill hangs. */
const HANGING_MS = 90_000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    sessions: { type: 'string', default: '8' },
    seed: { type: 'string' },
    'cache-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
const [seconds, sessions] = [Number(values.seconds), Number(values.sessions)]
const server = findServer()
if (!Number.isInteger(seed) || !(seconds > 0) || !Number.isInteger(sessions) || sessions < 1) {
  console.error(
    'usage: node chaos/restate.mjs [--seconds 120] [--sessions 8] [--seed N] [--cache-dir PATH] [--json]',
  )
  process.exit(2)
}
if (server === undefined) {
  console.error(
    'no Restate server: run `npm install --prefix examples/restate`, or set BRUMATE_RESTATE_SERVER',
  )
  process.exit(2)
}

const random = new Random(seed)
const violations: string[] = []
const violate = (what: string) => {
  if (violations.push(what) <= 20) console.error(what)
}
const figures = {
  kills: 0,
  terminations: 0,
  freezes: 0,
  executions: 0,
  refunds: 0,
  repeatedRefunds: 0,
  approvals: 0,
}
const startedMs = performance.now()
const directory = await mkdtemp(join(tmpdir(), 'brumate-restate-'))
const shop = await Shop.start()
const cacheDir = values['cache-dir']
const env = { SHOP_URL: shop.url, ...(cacheDir === undefined ? {} : { CACHE_DIR: cacheDir }) }
let cluster: Cluster | undefined
try {
  cluster = await Cluster.start({ server, directory, env }, SERVICES)
  await run(cluster)
} catch (error) {
  violate(String(error))
} finally {
  await cluster?.stop()
  shop.close()
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}
const ok = violations.length === 0
const report = {
  ok,
  seed,
  seconds,
  tookSeconds: Math.round((performance.now() - startedMs) / 1000),
  violations,
  ...figures,
}
console.log(values.json ? JSON.stringify(report, null, 2) : report)
process.exit(ok ? 0 : 1)

async function run(running: Cluster): Promise<void> {
  const clients = Array.from({ length: sessions }, (_, i) => new Client(i + 1, running, violate))
  const approving = new AbortController()
  const approvals = clients.map((client) => client.approve(approving.signal))
  const executions = Promise.all(clients.map((client) => client.run()))
  try {
    await killAtRandom(running)
    for (const client of clients) client.end()
    await inTime(executions)
  } finally {
    approving.abort()
  }
  await Promise.all(approvals)
  for (const client of clients) await client.check(shop.refunds)
  figures.executions = clients.reduce((total, { count }) => total + count, 0)
  figures.approvals = clients.reduce((total, client) => total + client.approvals.size, 0)
  figures.refunds = [...shop.refunds.values()].reduce((total, times) => total + times, 0)
  figures.repeatedRefunds = shop.repeated
  if (figures.refunds !== 2 * figures.executions)
    violate(`${figures.refunds} refunds of ${figures.executions} executions`)
}

/** Kills processes at random moments until the time is over. Each is replaced by another one. */
async function killAtRandom(running: Cluster): Promise<void> {
  const untilMs = performance.now() + seconds * 1000
  for (;;) {
    await pause(random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS))
    if (performance.now() > untilMs) return
    if (random.chance(FROZEN)) {
      figures.freezes += 1
      await running.freeze(random.pick(running.services), random.integer(SHORTEST_LIFE_MS, LONGEST_LIFE_MS))
      continue
    }
    const victims = random.chance(ALL_AT_ONCE) ? [...running.services] : [random.pick(running.services)]
    const signal = random.chance(TERMINATED) ? 'SIGTERM' : 'SIGKILL'
    await Promise.all(victims.map((service) => running.kill(service, signal)))
    figures[signal === 'SIGTERM' ? 'terminations' : 'kills'] += victims.length
    await Promise.all(victims.map(() => running.startService()))
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('an execution hangs')), HANGING_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
