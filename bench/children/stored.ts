// A process with many dormant sessions in a directory on few slots: each call wakes a session that another call has pushed out. Prints as
// JSON how long `n += 1; n` took, how long a wake took without any rush, how many calls a second two callers made, and what a dormant
// session holds in memory.
// `node --expose-gc stored.js 10000 2000 uniform one`: sessions, calls, how calls are spread, tenants
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, SessionManager } from 'brumate'
import { Random } from '../../chaos/random.js'
import { samplesMs } from '../measure.js'

const [sessions = 0, calls = 0] = process.argv.slice(2, 4).map(Number)
const [spread, tenants] = process.argv.slice(4)
const SLOTS = 8
/** Callers that each wait for their call before they make the next. One measures a call, two what two cores can do. */
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
  // What the account has is of snapshots that are still in memory, to wake quickly.
  const uncounted = () => held() - manager.stats().memory.snapshotBytes
  // Compiled code comes first, and is no session's.
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
    // Two callers of one session may be answered in either order of their counts.
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

/** What this process's JavaScript holds. Slots have memory of their own, and as many before as after. */
function held(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The n-th is called 1/n as often as the first. */
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
