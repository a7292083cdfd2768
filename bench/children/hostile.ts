// One kind of hostility in a process of its own: two sessions repeat it, a neighbour executes, and the delay of the event loop is measured
// meanwhile. Argument: the name of the kind. Prints one line of JSON.
import { SessionManager } from 'brumate'
import { hostilities } from '../hostilities.js'
import { LoopDelayMeter } from '../loop-delay.js'

const HOSTILE = 2
const DURATION_MS = 2_000

const name = process.argv[2]
const hostility = hostilities().find((kind) => kind.name === name)
if (hostility === undefined) throw new Error(`there is no hostility named ${name}`)
const { options, setUp, act } = hostility

await using manager = await SessionManager.create({ slots: HOSTILE + 3 })
const neighbour = await manager.createSession()
const sessions = await Promise.all(Array.from({ length: HOSTILE }, () => manager.createSession(options)))
for (const session of sessions) await session.execute(setUp ?? 'x = 1')
for (let i = 0; i < 300; i++) await neighbour.execute('x = 1')

const meter = new LoopDelayMeter()
const untilMs = performance.now() + DURATION_MS
let acts = 0
let errors = 0
let calls = 0
const acting = sessions.map(async (session) => {
  while (performance.now() < untilMs) {
    acts++
    await act(session, manager).catch(() => errors++)
    // An act that rejects immediately would otherwise starve everything else.
    await new Promise((resolve) => setImmediate(resolve))
  }
})
const executing = (async () => {
  for (; performance.now() < untilMs; calls++) await neighbour.execute('x = 1')
})()
await Promise.all([...acting, executing])
const delay = meter.stop()
const rssMB = process.resourceUsage().maxRSS / 1000
process.stdout.write(`${JSON.stringify({ ...delay, acts, errors, calls, rssMB })}\n`)
