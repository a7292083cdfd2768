// The end of a process: `drain` and `close` store every session with an id, whatever it is doing.
import { SessionClosedError, type SessionManager, StoreError } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManager } from '../../support/manager.js'
import { ScriptedStore } from '../../support/scripted-store.js'
import { rejectionOf, start } from '../../support/session-code.js'

const store = new ScriptedStore()
let next: SessionManager

beforeAll(async () => {
  next = await openManager({ store, slots: 2 })
})
afterAll(() => next.close())

async function storedValue(id: string, name: string): Promise<unknown> {
  const session = await next.openSession(id)
  const value = await session.get(name)
  await session.delete()
  return value
}

test('drain: running calls finish, new ones are rejected, and every state is stored', async () => {
  const manager = await openManager({ store, slots: 3 })
  const busy = await manager.createSession({ id: 'busy' })
  const stuck = await manager.createSession({ id: 'stuck' })
  const dormant = await manager.createSession({ id: 'dormant' })
  const ephemeral = await manager.createSession()
  await dormant.execute('x = 1')
  await dormant.hibernate()
  await stuck.execute('x = 1')
  const finishes = await start(busy, 'import asyncio; await asyncio.sleep(0.3); x = 2; x')
  const hangs = await start(stuck, 'x += 1; time.sleep(60)')
  const queued = rejectionOf(SessionClosedError, busy.execute('x = 3'))
  const interrupted = rejectionOf(SessionClosedError, hangs.result)
  const drained = manager.drain({ timeoutMs: 2_000 })
  for (const call of [
    manager.createSession(),
    manager.getOrCreate('new'),
    manager.openSession('busy'),
    dormant.get('x'),
    ephemeral.get('x'),
  ])
    await rejectionOf(SessionClosedError, call)
  expect((await finishes.result).value).toBe(2)
  await queued
  expect((await interrupted).cause).toMatchObject({ type: 'KeyboardInterrupt' })
  expect(await drained).toEqual({ stored: 3, notStored: [] })
  expect(await manager.drain().catch((error: unknown) => error)).toBeInstanceOf(SessionClosedError)
  await manager.close()
  expect(await Promise.all([storedValue('busy', 'x'), storedValue('stuck', 'x')])).toEqual([2, 2])
  expect(await storedValue('dormant', 'x')).toBe(1)
})

test('drain: code that does not stop loses only its own effects', async () => {
  const manager = await openManager({ store, slots: 1, limits: { interruptGraceMs: 50 } })
  const session = await manager.createSession({ id: 'deaf' })
  await session.execute('x = 1')
  await session.snapshotState()
  const { result } = await start(
    session,
    'x = 2\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass',
  )
  const refused = rejectionOf(SessionClosedError, result)
  expect(await manager.drain({ timeoutMs: 0 })).toEqual({ stored: 1, notStored: [] })
  expect((await refused).stdout).toBe('started')
  expect(await storedValue('deaf', 'x')).toBe(1)
})

test('drain: the result lists sessions that could not be stored, with the reason and their snapshots', async () => {
  const manager = await openManager({ store, slots: 2 })
  const [lost, kept] = [
    await manager.createSession({ id: 'lost' }),
    await manager.createSession({ id: 'kept' }),
  ]
  await lost.execute('x = 1')
  await kept.execute('x = 1')
  await kept.hibernate()
  store.isDown = true
  const result = await manager.drain()
  store.isDown = false
  expect(result).toMatchObject({ stored: 1, notStored: [{ id: 'lost', error: { code: 'STORE' } }] })
  const { error } = result.notStored[0] ?? {}
  expect(error).toBeInstanceOf(StoreError)
  expect((error as { snapshot?: { globals(): unknown } }).snapshot?.globals()).toEqual({ x: 1 })
  for (const id of ['lost', 'kept']) await (await next.openSession(id, { takeOver: true })).delete()
})

test('close while code runs and a call waits for a slot settles both calls and stores the state', async () => {
  const manager = await openManager({ store, slots: 1 })
  const waiting = await manager.createSession({ id: 'waiting' })
  await waiting.execute('x = 1')
  await waiting.hibernate()
  const running = await manager.createSession({ id: 'running' })
  const { result } = await start(running, 'x = 5; time.sleep(60)')
  const calls = [result, waiting.execute('x = 2')].map((call) => rejectionOf(SessionClosedError, call))
  await manager.close()
  await Promise.all(calls)
  expect([await storedValue('running', 'x'), await storedValue('waiting', 'x')]).toEqual([5, 1])
})

test('a session that is being opened while the manager closes is not lost', async () => {
  const made = await next.createSession({ id: 'opening' })
  await made.execute('x = 1')
  await made.close()
  const manager = await openManager({ store, slots: 1 })
  const opening = rejectionOf(SessionClosedError, manager.openSession('opening'))
  await manager.close()
  await opening
  expect(await storedValue('opening', 'x')).toBe(1)
})

test('an ephemeral session is closed without being captured', async () => {
  const manager = await openManager({ store, slots: 1 })
  const session = await manager.createSession()
  await session.execute('x = 1')
  const { put } = store.counts
  await session.close()
  await manager.close()
  expect([manager.stats().counters.checkpoints, store.counts.put]).toEqual([0, put])
})
