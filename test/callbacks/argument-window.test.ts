// S2, R3: each session has a window, in bytes, for the arguments of its host calls. A session that sends more waits; others are
// not affected.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { deferred, py, pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import { scaled } from '../support/slowness.mjs'

const MIB = 2 ** 20
const TOO_LARGE = 'the arguments are too large: those of one session may take 64 MiB'
const FLOOD = fileURLToPath(new URL('support/flood.mjs', import.meta.url))
const DIST = new URL('../../dist/', import.meta.url).href

interface Flooded {
  readonly held: number
  readonly answered: unknown
  readonly after: unknown
}

test('Python that makes calls without waiting for answers cannot exhaust the process’s memory', async () => {
  const args = ['--max-old-space-size=700', FLOOD, DIST, inject('cacheDir'), String(scaled(1500))]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
  const { peakRssBytes, outcomes } = JSON.parse(stdout) as {
    readonly peakRssBytes: number
    readonly outcomes: Readonly<Record<string, Flooded>>
  }
  // Two interpreters grown to 256 MiB each, and the window.
  expect(peakRssBytes).toBeLessThan(1000 * MIB)
  expect(Object.keys(outcomes)).toHaveLength(4)
  for (const [name, { held, answered, after }] of Object.entries(outcomes)) {
    // The window holds two calls of 30 MB each, of the eight that were made.
    if (name !== 'tasks') expect(held, name).toBe(2)
    expect([answered, after], name).toEqual([42, [8_000_000, 42]])
  }
}, 150_000)

test('calls that exceed the window are sent as earlier ones are answered, with await and with call_sync', async () => {
  const manager = await sharedManager({ slots: 1 })
  let now = 0
  let most = 0
  await using session = await manager.createSession({
    limits: { callbackInvocations: null, memoryBytes: 512 * MIB },
    callbacks: {
      measure: async ({ x }: { x: string }) => {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setImmediate(resolve))
        now -= 1
        return x.length
      },
    },
  })
  const code = py`
    import asyncio, brumate
    together = sum(await asyncio.gather(*[measure(x='a' * 6_000_000) for _ in range(12)]))
    [together, brumate.call_sync('measure', x='c' * 30_000_000), brumate.call_sync('measure', x='d' * 40_000_000)]
  `
  const { value } = await session.execute(code)
  expect(value).toEqual([72_000_000, 30_000_000, 40_000_000])
  // The window of 64 MiB holds at most 11 calls.
  expect(most).toBeLessThanOrEqual(11)
})

test('arguments larger than the window raise ValueError, with await and with call_sync, and the session goes on', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    limits: { memoryBytes: 512 * MIB },
    callbacks: { measure: ({ x }) => x.length },
  })
  for (const call of ['await measure(x=x)', "brumate.call_sync('measure', x=x)"]) {
    const error = await pythonErrorOf(session.execute(`import brumate; x = bytes(68_000_000)\n${call}`))
    expect([error.type, error.detail], call).toEqual(['ValueError', TOO_LARGE])
  }
  const long = await pythonErrorOf(session.execute('await measure(x=[1 << 5_000_000])'))
  expect([long.type, long.detail]).toEqual(['ValueError', TOO_LARGE])
  expect((await session.execute('await measure(x=bytes(50_000_000))')).value).toBe(50_000_000)
})

test('the arguments of a timed-out call occupy the window until its callback has settled', async () => {
  const manager = await sharedManager({ slots: 1 })
  const all = deferred()
  await using session = await manager.createSession({
    limits: { callbackTimeoutMs: 20 },
    callbacks: { hold: () => all.promise, measure: ({ x }) => x.length },
  })
  const first = await session.execute(py`
    try: await hold(x='a' * 34_000_000)
    except TimeoutError as error: seen = type(error).__name__
    seen
  `)
  expect(first.value).toBe('TimeoutError')
  const second = "await measure(x='b' * 34_000_000)"
  await expect(session.execute(second, { timeoutMs: 500 })).rejects.toMatchObject({ name: 'TimeoutError' })
  all.resolve()
  expect((await session.execute(second)).value).toBe(34_000_000)
})

test('B1: an execution whose calls wait for room in the window stops at its time limit', async () => {
  const manager = await sharedManager({ slots: 1 })
  const all = deferred()
  await using session = await manager.createSession({
    limits: { callbackTimeoutMs: null, memoryBytes: 512 * MIB, interruptGraceMs: 10_000 },
    callbacks: { hold: () => all.promise, echo: ({ x }) => x },
  })
  const running = session.execute(
    "import asyncio\nawait asyncio.gather(*[hold(x='a' * 34_000_000) for _ in range(2)])",
    // Long enough for both calls to be made: a task that makes its call later would do so in the next execution.
    { timeoutMs: scaled(2000) },
  )
  await expect(running).rejects.toMatchObject({ name: 'TimeoutError', outcome: 'interrupted' })
  // The window still has room for small calls, and is empty after a reset.
  expect((await session.execute('await echo(x=1)')).value).toBe(1)
  await session.reset()
  expect((await session.execute("len(await echo(x='b' * 30_000_000))")).value).toBe(30_000_000)
})
