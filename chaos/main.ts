// `npm run chaos`: keeps a pool under full load for some minutes, and ends its workers at every point of their work. Owns the
// course of a run and its report. The exit code is 0 only if no violation was found (see chaos/README.md).
import { parseArgs } from 'node:util'
import type * as Brumate from 'brumate'
import { ChaosCallbacks, type Frozen } from './callbacks.js'
import { type Counts, Driver } from './driver.js'
import { Faults } from './faults.js'
import { FaultyBuild } from './faulty-build.js'
import { Random } from './random.js'
import { Resources } from './resources.js'

const PROGRESS_MS = 5000
/** Sessions per slot. */
const CROWD = 2.5
const SESSIONS_PER_TENANT = 3
const PAUSE_MS = 60
const SPARE_BYTES = 300_000_000
/** Same as in src/session/placement.ts. */
const ATTACH_ATTEMPTS = 3
const MEMORY_BYTES = 128 * 2 ** 20

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    slots: { type: 'string', default: '6' },
    'cache-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
const slots = Number(values.slots)
const runMs = Number(values.minutes) * 60_000
if (![seed, slots, runMs].every((value) => Number.isFinite(value) && value >= 0) || slots < 2) {
  console.error('usage: npm run chaos -- [--minutes 5] [--seed N] [--slots 6] [--cache-dir PATH] [--json]')
  process.exit(2)
}

const violations: string[] = []
const wrong = (what: string) => {
  violations.push(what)
  progress(`wrong: ${what}`)
}
process.on('unhandledRejection', (error) => wrong(`an unhandled rejection: ${text(error)}`))
process.on('uncaughtException', (error) => wrong(`an uncaught exception: ${text(error)}`))

const random = new Random(seed)
const faults = new Faults(random.branch())
const copy = new FaultyBuild()
process.once('exit', () => copy.remove())
const startedMs = performance.now()
progress(`chaos: seed ${seed}, ${slots} slots, ${values.minutes} minutes`)
const report = await run()
const ok = violations.length === 0
if (values.json) process.stdout.write(`${JSON.stringify({ ok, seed, violations, ...report }, null, 2)}\n`)
else
  process.stdout.write(
    `${table(report)}\n${ok ? 'nothing was wrong' : `${violations.length} things were wrong`}\n`,
  )
// A call that has not settled would keep the process alive.
process.exit(ok ? 0 : 1)

async function run(): Promise<Record<string, unknown>> {
  const { SessionManager, Snapshot } = await copy.import<typeof Brumate>('src/index.js')
  await withoutBudget()
  const cacheDir = values['cache-dir']
  const cached = cacheDir === undefined ? {} : { cacheDir }
  // Building the image, if needed, and first uses must not count for the run.
  const first = await SessionManager.create({ slots: 1, ...cached })
  await (await first.createSession()).execute('1')
  await first.close()
  const resources = new Resources()
  const manager = await SessionManager.create({ slots, ...cached, acquireTimeoutMs: 60_000 })
  const counts: Counts = { calls: 0, sessions: 0, givenUp: 0, outcomes: {}, kinds: {} }
  const drivers: Driver[] = []
  const onFrozen = (frozen: Frozen) => {
    for (const driver of drivers) driver.froze(frozen)
  }
  const callbacks = new ChaosCallbacks(onFrozen)
  for (let n = 0; n < Math.round(slots * CROWD); n++) {
    const tenant = `tenant-${Math.floor(n / SESSIONS_PER_TENANT)}`
    const fromBytes = (bytes: Uint8Array) => Snapshot.fromBytes(bytes)
    drivers.push(new Driver({ manager, random: random.branch(), callbacks, tenant, counts, fromBytes }))
  }
  const running = drivers.map((driver) => driver.run().catch((error: unknown) => wrong(text(error))))
  faults.start(PAUSE_MS)
  const ticking = setInterval(() => {
    const { counters, slots: now } = manager.stats()
    const rss = Math.round(process.memoryUsage.rss() / 2 ** 20)
    progress(
      `${seconds()} s: ${counts.calls} calls, ${counters.crashes} crashes, ${total(faults.counts)} faults, ${now.leased} leased, ${rss} MiB`,
    )
  }, PROGRESS_MS)
  await new Promise((resolve) => setTimeout(resolve, runMs))
  for (const driver of drivers) driver.stop()
  await faults.stop()
  await Promise.all(running)
  clearInterval(ticking)
  violations.push(...resources.growth())
  if (resources.peakRssBytes > slots * MEMORY_BYTES + SPARE_BYTES)
    wrong(`resident memory came to ${Math.round(resources.peakRssBytes / 2 ** 20)} MiB`)
  if (counts.givenUp * ATTACH_ATTEMPTS > faults.inTakeOvers)
    wrong(
      `${counts.givenUp} sessions were given up, with ${faults.inTakeOvers} faults while they were taken over`,
    )
  const stats = manager.stats()
  if (violations.length === 0) await everySlot(manager)
  await manager.close()
  await settle(() => faults.workers === 0 && resources.leaks().length === 0)
  if (faults.workers > 0) wrong(`${faults.workers} workers are left`)
  for (const leak of resources.leaks()) wrong(leak)
  return {
    seconds: seconds(),
    calls: counts.calls,
    sessions: counts.sessions,
    givenUp: counts.givenUp,
    callbacks: callbacks.called,
    outcomes: sorted(counts.outcomes),
    kinds: sorted(counts.kinds),
    faults: sorted(faults.counts),
    counters: stats.counters,
    ...resources.summary,
  }
}

/** Checks that no slot is lost: tenants that never had one can lease all slots at once. */
async function everySlot(manager: Brumate.SessionManager): Promise<void> {
  const { slots: left, attached, dormant, queued } = manager.stats()
  if (left.leased + attached + dormant + queued > 0)
    wrong(`when all is closed there is still ${JSON.stringify({ left, attached, dormant, queued })}`)
  const sessions = await Promise.all(Array.from({ length: slots }, () => manager.createSession()))
  const values = await Promise.all(sessions.map((session) => session.execute('6 * 7')))
  const { leased } = manager.stats().slots
  if (leased !== slots || values.some(({ value }) => value !== 42))
    wrong(`of ${slots} slots ${leased} can be leased`)
  await Promise.all(sessions.map((session) => session.close()))
}

/**
 * Removes the budget for checkpoints. With it, a session spends at most a twentieth of its time on checkpoints, and beyond that resumes
 * from an older one; the model could then not say anything for certain.
 */
async function withoutBudget(): Promise<void> {
  const { CheckpointBudget } = await copy.import<{ CheckpointBudget: { prototype: { spend(): void } } }>(
    'src/session/budget.js',
  )
  CheckpointBudget.prototype.spend = () => {}
}

async function settle(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !condition(); turn++)
    await new Promise((resolve) => setTimeout(resolve, 50))
}

function seconds(): number {
  return Math.round((performance.now() - startedMs) / 100) / 10
}

function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function sorted(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a))
}

function table(report: Record<string, unknown>): string {
  const line = (value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(
            ([name, each]) =>
              `\n  ${String(typeof each === 'object' ? JSON.stringify(each) : each).padStart(8)}  ${name}`,
          )
          .join('')
      : String(value)
  return Object.entries(report)
    .map(([name, value]) => `${name}: ${line(value)}`)
    .join('\n')
}

function text(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no Error'
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}
