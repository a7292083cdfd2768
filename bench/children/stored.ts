// A process with many dormant sessions in a directory and few slots: each call wakes a session that another call has evicted. Prints as
// JSON how long `n += 1; n` took, how long a wake took without other load, how many calls per second two callers made, and how much memory
// a dormant session takes.
// `node --expose-gc stored.js 10000 2000 uniform one`: sessions, calls, how calls are distributed, tenants
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, SessionManager } from 'brumate'
import { Random } from '../../chaos/random.js'
import { samplesMs } from '../measure.js'

const [sessions = 0, calls = 0] = process.argv.slice(2, 4).map(Number)
const [spread, tenants] = process.argv.slice(4)
const SLOTS = 8
/** Callers that each wait for a call before making the next. One caller measures a call, two measure the throughput of two cores. */
const MOST_CALLERS = 2
const WAKES = 50
const SEED = 1128

const directory = await mkdtemp(join(tmpdir(), 'brumate-stored-'))
try {
  const store = new DirectoryStore(directory)
  await using manager = await SessionManager.create({ store, slots: SLOTS, acquireTimeoutMs: 120_000 })
  const idOf = (n: number) => `session-${n}`
  const open = (n: number) =>
    manager.getOrCreate(idOf(n), { tenant: tenants === 'one' ? 'all' : `tenant-${n}` })

  const counters = new Uint32Array(sessions)
  let made = 0
  const make = (count: number) =>
    inParallel(async () => {
      while (made < count) {
        const session = await open(made++)
        await session.execute('n = 0')
        await session.hibernate()
        if (made % 500 === 0) console.error(`  stored: ${made} of ${sessions} sessions`)
      }
    })
  // The account contains snapshots that are still in memory, for a quick wake; leave them out.
  const uncounted = () => held() - manager.stats().memory.snapshotBytes
  // The first sessions also pay for compiled code, so they are not counted.
  const first = Math.ceil(sessions / 10)
  await make(first)
  const before = uncounted()
  await make(sessions)
  const perSessionBytes = (uncounted() - before) / (sessions - first)

  const single = await manager.createSession({ id: 'single' })
  await single.execute('n = 0')
  const random = new Random(SEED)
  const pick = spread === 'zipf' ? zipf(sessions, random) : () => random.integer(0, sessions - 1)
  let wrong = 0
  const callAtRandom = async (): Promise<number> => {
    const n = pick()
    const expected = (counters[n] ?? 0) + 1
    counters[n] = expected
    const startedMs = performance.now()
    const { value } = await (await open(n)).execute('n += 1; n')
    // With two callers of one session, either may get its count first.
    if (value !== expected && Math.abs(Number(value) - expected) > MOST_CALLERS) wrong++
    return performance.now() - startedMs
  }
  const wakesMs: number[] = []
  for (let round = 0; round < WAKES; round++) {
    await single.hibernate()
    wakesMs.push(...(await samplesMs(1, () => single.execute('n += 1; n'))))
  }
  await single.hibernate()
  const durationsMs: number[] = []
  for (let call = 0; call < calls; call++) durationsMs.push(await callAtRandom())
  let left = calls
  const startedMs = performance.now()
  await inParallel(async () => {
    while (left-- > 0) await callAtRandom()
  })
  const perSecond = (calls / (performance.now() - startedMs)) * 1000
  for (let n = 0; n < sessions; n += Math.ceil(sessions / 200))
    if ((await (await open(n)).get('n')) !== counters[n]) wrong++
  console.log(JSON.stringify({ durationsMs, wakesMs, perSecond, perSessionBytes, wrong }))
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function inParallel(task: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: MOST_CALLERS }, task))
}

/** Memory of this process's JavaScript. Slots have memory of their own, and their number does not change. */
function held(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Calls the n-th session 1/n as often as the first. */
function zipf(count: number, random: Random): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let n = 0; n < count; n++) {
    sum += 1 / (n + 1)
    sums[n] = sum
  }
  return () => {
    const wanted = random.next() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}
