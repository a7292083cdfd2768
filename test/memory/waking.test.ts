// `maxMemoryBytes` and waking sessions: unused slots and idle sessions make room for them; if that is not enough, the call rejects.
import { LimitError, type Session, type SessionManager } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { until } from '../support/session-code.js'

const MiB = 2 ** 20
/** From Node 24 on, another 96 MiB are reserved for V8. */
const MAX_BYTES = (Number(process.versions.node.split('.')[0]) >= 24 ? 576 : 480) * MiB
const LARGE = 'x = bytearray(110_000_000); x[-1] = 7'

let manager: SessionManager
beforeAll(async () => {
  manager = await openManager({
    slots: 5,
    maxMemoryBytes: MAX_BYTES,
    acquireTimeoutMs: 20_000,
    limits: { memoryBytes: 400 * MiB },
  })
})
afterAll(() => manager?.close())

const open = (options = {}): Promise<Session> => manager.createSession({ checkpoint: 'manual', ...options })

test('a session can grow into the memory of unused slots, whether booted or booting', async () => {
  for (let round = 0; round < 2; round++) {
    await using session = await open()
    expect((await session.execute(`${LARGE}; x[-1]`)).value).toBe(7)
  }
})

test('a dormant session can wake with the memory of spare slots', async () => {
  await using session = await open()
  await session.execute(LARGE)
  for (let round = 0; round < 2; round++) {
    await session.hibernate()
    await until(() => manager.stats().slots.ready > 1)
    expect((await session.execute('x[-1]')).value).toBe(7)
  }
})

test('a dormant session can wake with the memory of idle sessions', async () => {
  await using session = await open()
  await session.execute(LARGE)
  await session.hibernate()
  const others = [await open(), await open(), await open(), await open()]
  for (const other of others) await other.execute('y = bytearray(6_000_000)')
  expect((await session.execute('x[-1]')).value).toBe(7)
  for (const other of others) expect((await other.execute('len(y)')).value).toBe(6_000_000)
  await Promise.all(others.map((other) => other.close()))
})

test('if running sessions hold the memory, the error says how much is needed, and no state is lost', async () => {
  const small = await openManager({
    slots: 2,
    maxMemoryBytes: MAX_BYTES,
    acquireTimeoutMs: 3_000,
    limits: { memoryBytes: 400 * MiB },
  })
  try {
    const session = await small.createSession({ checkpoint: 'manual' })
    await session.execute(LARGE)
    await session.hibernate()
    const busy = await small.createSession({ checkpoint: 'manual' })
    const started = new Promise<void>((onStdout) => {
      const code = `${LARGE}\nprint('there')\nimport time\ntime.sleep(60)`
      busy.execute(code, { timeoutMs: null, onStdout: () => onStdout() }).catch(() => {})
    })
    await started
    const error = await session.execute('x').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(LimitError)
    expect(error).toMatchObject({ limit: 'maxMemoryBytes', max: MAX_BYTES, outcome: 'not-started' })
    expect((error as Error).message).toMatch(
      /^waking the session needs \d+ MB and maxMemoryBytes \((504|604) MB\) has \d+ MB free; close or hibernate/,
    )
    expect(session.state).toBe('dormant')
    await busy.close()
    expect((await session.execute('x[-1]')).value).toBe(7)
  } finally {
    await small.close()
    const { usedBytes, imageBytes, slotBytes } = small.stats().memory
    expect([usedBytes, slotBytes]).toEqual([imageBytes, 0])
  }
})

test('when hibernate() resolves, the account no longer counts the slot', async () => {
  const one = await openManager({ slots: 1, maxMemoryBytes: MAX_BYTES, limits: { memoryBytes: 400 * MiB } })
  const session = await one.createSession({ checkpoint: 'manual' })
  await session.execute(LARGE)
  await session.hibernate()
  // At most a spare slot is left.
  expect(one.stats().memory.slotBytes).toBeLessThanOrEqual(56 * MiB)
  await one.close()
})
