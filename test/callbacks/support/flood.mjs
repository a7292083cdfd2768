// Runs Python that sends host calls faster than they are answered, in a process of its own: `node flood.mjs DIST CACHE_DIR TIMEOUT_MS`. Prints the
// outcome of each attack and of a neighbouring session, and the peak memory of this process.
const [dist, cacheDir, timeoutMs] = process.argv.slice(2)
const { SessionManager } = await import(new URL('src/index.js', dist).href)

/** The process exits before it exhausts the machine's memory. */
const MAX_RSS_BYTES = 1.5e9

const FLOODS = {
  tell: `
from _brumate.calls import CALLS
import asyncio
for _ in range(8):
    CALLS.tell('hold', {'x': 'a' * 30_000_000})
    await asyncio.sleep(0)`,
  door: `
import marshal, os
for n in range(8):
    os.write(0x3FFFFFFF, marshal.dumps((n, 'hold', {'x': 'a' * 30_000_000}), 2))`,
  tasks: `
import asyncio
await asyncio.gather(*[hold(x='a' * 1_000_000) for _ in range(70)], return_exceptions=True)
for _ in range(2):
    tasks = [asyncio.create_task(hold(x='a' * 20_000_000)) for _ in range(4)]
    await asyncio.sleep(0.02)`,
  'empty dicts': `
from _brumate.calls import CALLS
import asyncio
for _ in range(8):
    CALLS.tell('hold', {'x': [{}] * 400_000})
    await asyncio.sleep(0)`,
}

/** `waiting` collects functions that release held arguments. Each session has its own, so late calls of an earlier one do not count. */
const callbacksWith = (waiting) => ({
  hold: (args) => new Promise((resolve) => waiting.add(() => resolve(args.x.length))),
  measure: ({ x }) => x.length,
})
const limits = { callbackInvocations: null, callbackTimeoutMs: 300, executionTimeoutMs: Number(timeoutMs) }

const manager = await SessionManager.create({ cacheDir, slots: 2 })
const sibling = await manager.createSession({ checkpoint: 'manual' })
let peakRssBytes = 0
const timer = setInterval(() => {
  peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
  if (peakRssBytes <= MAX_RSS_BYTES) return
  process.stdout.write(`${JSON.stringify({ peakRssBytes })}\n`, () => process.exit(1))
}, 10)

const outcomes = {}
for (const [name, code] of Object.entries(FLOODS)) {
  const waiting = new Set()
  const session = await manager.createSession({
    callbacks: callbacksWith(waiting),
    limits,
    checkpoint: 'manual',
  })
  const flood = await session.execute(code).then(
    () => 'completed',
    (error) => `${error.code} ${error.type ?? error.outcome} ${error.message}`.slice(0, 100),
  )
  const answered = (await sibling.execute('6 * 7')).value
  const held = waiting.size
  for (const release of waiting) release()
  waiting.clear()
  const after = await session
    .execute(
      'import asyncio\n[sum(await asyncio.gather(*[measure(x="a" * 2_000_000) for _ in range(4)])), 6 * 7]',
    )
    .then(
      ({ value }) => value,
      (error) => String(error),
    )
  outcomes[name] = { flood, held, answered, after }
  await session.close()
}
clearInterval(timer)
await manager.close()
process.stdout.write(`${JSON.stringify({ peakRssBytes, outcomes })}\n`)
