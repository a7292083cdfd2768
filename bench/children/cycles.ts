// A process that creates, uses and closes sessions, each of a new tenant: prints its resident memory in bytes and the time
// in ms after every hundred. `node cycles.js 1000`.
import { SessionManager } from 'brumate'

const total = Number(process.argv[2])
const EVERY = 100
/** Two at a time: in practice, a slot boots while another one works. */
const AT_ONCE = 2

await using manager = await SessionManager.create({ slots: 4 })
const startedMs = performance.now()
let started = 0
let done = 0

async function cycle(): Promise<void> {
  while (started < total) {
    const n = started++
    await using session = await manager.createSession()
    const { value } = await session.execute(`data = list(range(1000))\nsum(data) + ${n}`)
    if (value !== 499_500 + n) throw new Error(`cycle ${n} gave ${String(value)}`)
    done++
    if (done % EVERY === 0)
      console.log(`${done} ${process.memoryUsage.rss()} ${performance.now() - startedMs}`)
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, cycle))
