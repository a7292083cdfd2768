// Hibernates and wakes one session over and over: `node bench/freezing.mjs [cycles]`. Owns the program, and what must not change:
// its state, the size of its snapshot, resident memory. Exits with 1 if one of them does.
import { type Session, SessionManager } from 'brumate'

const cycles = Number(process.argv[2] ?? 10_000)
/** Size and memory are compared with those after this cycle. */
const SETTLED = Math.ceil(cycles / 10)
const MOST_GROWTH_BYTES = 32 * 2 ** 20

const SET_UP = `
import collections
class Point:
    def __init__(self, n): self.n = n
def numbers():
    n = 0
    while True:
        n += 1
        yield n
n, it, point, log = 0, numbers(), Point(0), collections.deque(maxlen=10)`
const STEP = `
n += 1; point.n += 1; log.append(n)
assert next(it) == n == point.n == log[-1]
n`

/** Hibernates the session; the next call wakes it. */
async function cycle(session: Session): Promise<number> {
  await session.hibernate()
  return Number((await session.execute(STEP)).value)
}

await using manager = await SessionManager.create({ slots: 2 })
// With a tenant of its own, so that slots are kept: this measures waking, not booting.
await using session = await manager.createSession({ tenant: 'freezing' })
await session.execute(SET_UP)
const startedMs = performance.now()
let isRight = true
let settled = { sizeBytes: 0, rssBytes: 0 }
for (let i = 1; i <= cycles; i++) {
  isRight &&= (await cycle(session)) === i
  if (i === SETTLED) settled = await measured()
  if (i % 1000 === 0) process.stderr.write(`${i} of ${cycles}\n`)
}
const report = {
  cycles,
  isRight,
  msPerCycle: (performance.now() - startedMs) / cycles,
  settled,
  end: await measured(),
}
console.log(JSON.stringify(report))
const isFlat =
  report.end.sizeBytes <= settled.sizeBytes * 1.05 &&
  report.end.rssBytes <= settled.rssBytes + MOST_GROWTH_BYTES
process.exitCode = isRight && isFlat ? 0 : 1

async function measured() {
  const { size } = await session.snapshotState()
  return { sizeBytes: size, rssBytes: process.memoryUsage.rss() }
}
