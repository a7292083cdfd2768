// Sends the most expensive values that a session can, and reports for each how long the main thread worked between two turns of its event
// loop.
// `node bench/dearest-values.mjs [NAME,...]`, one line of JSON for each value and way. Linux only.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const { SessionManager } = await import(new URL('../dist/src/index.js', import.meta.url).href)

/** Python expressions. Each is the largest value of its kind that the kernel converts. */
const VALUES = {
  none: '[None] * 1_000_000',
  ints: '[7] * 1_000_000',
  floats: '[0.5] * 1_000_000',
  'two-digit ints': '[2**60] * 1_000_000',
  'a large int': '1 << 4_194_000',
  'an int of many digits, often': '[1 << 40_000] * 3000',
  'short text': '["ab"] * 1_000_000',
  surrogates: '["\\ud800"] * 1_000_000',
  'longer surrogates': '["\\ud800" * 30] * 300_000',
  emoji: '["a😀" * 5] * 500_000',
  'one text': '"a" * 30_000_000',
  'one text of three-byte characters': '"漢" * 10_000_000',
  'one text of surrogates': '"\\ud800" * 5_000_000',
  bytes: 'bytes(60_000_000)',
  'two byte arrays': '[bytes(20_000_000)] * 2',
  'small bytes': '[b"x"] * 200_000',
  'empty lists': '[[]] * 490_000',
  'empty tuples': '[()] * 490_000',
  'empty dicts': '[{}] * 490_000',
  'small dicts': '[{"a": 1, "b": 2}] * 400_000',
  'dicts of many keys': '[{f"k{i}": i for i in range(100_000)}] * 5',
  'dicts of many numbers': '[{str(i * 40_009): i for i in range(100_000)}] * 5',
  'empty sets': '[set()] * 490_000',
  'large sets': '[set(range(100_000))] * 5',
  'sets of text': '[{f"k{i}" for i in range(100_000)}] * 5',
  dates: '[__import__("datetime").datetime(2020, 1, 1, tzinfo=__import__("datetime").UTC)] * 200_000',
  arrays:
    '[__import__("array").array("d", bytes(8))] * 100_000 + [__import__("array").array("d", bytes(40_000_000))]',
  'deep lists': '__import__("functools").reduce(lambda inner, _: [inner, inner], range(17), [])',
}

/** Values that a callback returns, too. V8 lists an object's keys in one step, which takes 20 ms for 100,000 numbers. */
const RESULTS = [
  'control',
  'ints',
  'a large int',
  'surrogates',
  'one text of surrogates',
  'bytes',
  'dates',
  'arrays',
]

const manager = await SessionManager.create({ slots: 2 })
const callbacks = { take: { fn: () => 1 }, idle: () => 1, echo: ({ x }) => x }
const limits = {
  callbackInvocations: null,
  memoryBytes: 512 * 2 ** 20,
  executionTimeoutMs: null,
  callbackTimeoutMs: null,
}
const session = await manager.createSession({ callbacks, limits, checkpoint: 'manual' })
const sibling = await manager.createSession({ checkpoint: 'manual' })
const delay = monitorEventLoopDelay({ resolution: 1 })

/** CPU time of this thread alone, in ms, so that other programs on the machine do not count. */
function threadMs() {
  return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6
}

/** Longest interval between two turns of the event loop during `work`: on the clock, and in CPU time of this thread. */
async function measured(work) {
  let longestMs = 0
  let done = false
  const turns = (async () => {
    for (let sinceMs = threadMs(); !done; ) {
      await new Promise((resolve) => setImmediate(resolve))
      const nowMs = threadMs()
      longestMs = Math.max(longestMs, nowMs - sinceMs)
      sinceMs = nowMs
    }
  })()
  delay.reset()
  delay.enable()
  let outcome
  try {
    outcome = await work()
  } catch (error) {
    outcome = `${error.name}: ${error.message}`.slice(0, 200)
  }
  done = true
  await turns
  delay.disable()
  return { outcome, threadMs: longestMs, clockMs: delay.max / 1e6 }
}

const ways = {
  value: () => session.execute('value').then(({ value, repr }) => typeof (value ?? repr)),
  argument: () => session.execute('_ = await take(x=value)').then(() => 'taken'),
  // A callback that returns its argument.
  result: () => session.execute('_ = await echo(x=value)').then(() => 'returned'),
  door: () =>
    session
      .execute(
        'import os, marshal, time\nos.write(0x3FFFFFFF, marshal.dumps((77, "take", {"x": value}), 2))\ntime.sleep(0.05)',
      )
      .then(() => 'written'),
}

for (let round = 0; round < 3; round++) {
  await session.execute('1 + 1')
  await session.execute('_ = await take(x=1)')
}
const wanted = process.argv[2]?.split(',')
for (const [name, code] of [['control', '1'], ...Object.entries(VALUES)]) {
  if (wanted && !wanted.includes(name)) continue
  await session.execute(`value = ${code}`)
  for (const [way, act] of Object.entries(ways)) {
    if (way === 'result' && !RESULTS.includes(name)) continue
    // The best of several runs, because a garbage collection may happen in any of them.
    let best
    for (let round = 0; round < 3 && !(best?.threadMs <= 20); round++) {
      const now = await measured(act)
      if (best === undefined || now.threadMs < best.threadMs) best = now
    }
    const answered = (await sibling.execute('6 * 7')).value
    process.stdout.write(`${JSON.stringify({ name, way, ...best, sibling: answered })}\n`)
  }
}
await manager.close()
