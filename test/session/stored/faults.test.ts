// D1 to D3: acknowledged calls are stored, a failing store loses nothing, and a manager that lost a session never writes it again.
import {
  type ExecuteResult,
  NotStoredError,
  PythonError,
  SessionClosedError,
  type SessionManager,
  SessionMovedError,
  SessionOwnedError,
  StoreError,
} from 'brumate'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { managerForTest, openManager } from '../../support/manager.js'
import { ScriptedStore } from '../../support/scripted-store.js'
import { expectTyped, rejectionOf, sleep, start, until } from '../../support/session-code.js'

const store = new ScriptedStore()
let strict: SessionManager
let lax: SessionManager

beforeAll(async () => {
  ;[strict, lax] = await Promise.all([
    openManager({ store, slots: 3, durability: 'checkpoint' }),
    openManager({ store, slots: 3 }),
  ])
})
afterAll(async () => {
  store.isDown = false
  await Promise.all([strict.close(), lax.close()])
})

/** The session's stored state, as another manager sees it. Deletes the session. */
async function storedValue(id: string, code: string): Promise<unknown> {
  const session = await lax.openSession(id, { takeOver: true })
  try {
    return (await session.execute(code)).value
  } finally {
    await session.delete()
  }
}

describe("durability 'checkpoint'", () => {
  test.each([
    ['execute', 'x = 2', 'x'],
    ['execute that raises', 'x = 2; 1 / 0', 'x'],
    ['set', undefined, 'x'],
    ['file', undefined, 'open("f").read()'],
    ['reset', undefined, '"x" in globals()'],
    ['clearState', undefined, '"x" in globals()'],
  ])('D1: %s resolves once the store has its effect', async (call, code, shown) => {
    const id = call.replaceAll(' ', '-')
    const session = await strict.createSession({ id })
    await session.execute('x = 1')
    if (code) await session.execute(code).catch((error: unknown) => expect(error).toBeInstanceOf(PythonError))
    if (call === 'set') await session.set('x', 2)
    if (call === 'file') await session.files.writeFile('/home/pyodide/f', '2')
    if (call === 'reset') await session.reset()
    if (call === 'clearState') await session.clearState()
    const expected = { file: '2', reset: false, clearState: false }[call] ?? 2
    expect(await storedValue(id, shown)).toEqual(expected)
    await rejectionOf(SessionMovedError, session.execute('1'))
  })

  test('D1: restoreState, resume and suspended executions also resolve once stored', async () => {
    const callbacks = { ask: (_: unknown, { suspend }: { suspend(): never }) => suspend() }
    const session = await strict.createSession({ id: 'suspended', callbacks })
    await session.execute('x = 1')
    const snapshot = await session.snapshotState()
    await session.execute('x = await ask()')
    const taken = await lax.openSession('suspended', { takeOver: true, callbacks })
    expect(taken.pending.length).toBe(1)
    await taken.close()
    const again = await strict.openSession('suspended', { callbacks })
    await again.resume({ results: { [again.pending[0]?.id ?? '']: 5 } })
    await again.restoreState(snapshot)
    expect(await storedValue('suspended', 'x')).toBe(1)
  })

  test('get and a cancelled execution write nothing', async () => {
    const session = await strict.createSession({ id: 'reads' })
    await session.execute('x = 1')
    const { put } = store.counts
    expect(await session.get('x')).toBe(1)
    await expect(session.execute('x', { signal: AbortSignal.abort() })).rejects.toThrow('cancelled')
    expect(store.counts.put).toBe(put)
    await session.delete()
  })

  test('D3: if the store fails, the error contains the result, and the next checkpoint stores everything', async () => {
    const session = await strict.createSession({ id: 'failing' })
    store.script('put', 'fail', 'fail')
    const error = await rejectionOf(NotStoredError, session.execute('x = 1; x'))
    expectTyped(error, 'STORE')
    expect(error).toBeInstanceOf(StoreError)
    expect(error.message).toMatch(
      /the code has run, but the session failing could not be stored: .*the disk is full/,
    )
    expect((error.result as ExecuteResult).value).toBe(1)
    const facts = { reason: 'unavailable', sessionId: 'failing' }
    expect(error).toMatchObject({ ...facts, cause: { ...facts, cause: { message: 'the disk is full' } } })
    const raised = await rejectionOf(NotStoredError, session.execute('x += 1; 1 / 0'))
    expect(raised.error).toBeInstanceOf(PythonError)
    await session.execute('x += 1')
    expect(await storedValue('failing', 'x')).toBe(3)
  })

  test('D1: a write that succeeded but seemed to fail does not cost the session', async () => {
    const session = await strict.createSession({ id: 'late' })
    store.script('put', 'fail-late')
    await rejectionOf(NotStoredError, session.execute('x = 1'))
    await session.execute('x += 1')
    store.script('put', 'fail-late')
    await rejectionOf(NotStoredError, session.execute('x += 1'))
    await session.hibernate()
    expect((await session.execute('x')).value).toBe(3)
    expect(await storedValue('late', 'x')).toBe(3)
  })

  test('if a session cannot be captured, its call rejects with the result and the reason', async () => {
    const session = await strict.createSession({ id: 'large', limits: { snapshotBytes: 256 * 1024 } })
    const error = await rejectionOf(
      NotStoredError,
      session.execute('import os; big = os.urandom(1_000_000); 7'),
    )
    expect(error).toMatchObject({ result: { value: 7 }, cause: { code: 'SNAPSHOT', reason: 'too-large' } })
    await session.execute('del big')
    expect(await storedValue('large', '"big" in globals()')).toBe(false)
  })

  test('an execution that loses its worker keeps the stored state and still counts', async () => {
    const session = await strict.createSession({ id: 'killed' })
    await session.execute('x = 1')
    await expect(session.execute('x = 2; import os; os._exit(1)')).rejects.toMatchObject({
      outcome: 'restored',
    })
    expect(session.executionCount).toBe(2)
    const taken = await lax.openSession('killed', { takeOver: true })
    expect([await taken.get('x'), taken.executionCount]).toEqual([1, 2])
    await taken.delete()
  })
})

describe('other failures of the store', () => {
  test('the error names the session, or says that listing failed', async () => {
    store.script('get', 'fail')
    const opening = await rejectionOf(StoreError, lax.openSession('unread'))
    expect(opening).toMatchObject({
      reason: 'unavailable',
      sessionId: 'unread',
      message: 'the store could not read the session unread: the disk is full',
    })
    store.script('list', 'fail')
    const listing = await rejectionOf(StoreError, lax.list()[Symbol.asyncIterator]().next())
    expect(listing).toMatchObject({
      reason: 'unavailable',
      sessionId: undefined,
      message: 'the store could not list its sessions: the disk is full',
    })
  })

  test('a NotStoredError has the store’s own reason', async () => {
    const session = await lax.createSession({ id: 'unsuited' })
    await session.execute('x = 1')
    const put = vi.spyOn(store, 'put')
    put.mockRejectedValueOnce(new StoreError('no room for it', { reason: 'unsuitable' }))
    const error = await rejectionOf(NotStoredError, session.close())
    expect([error.reason, error.sessionId]).toEqual(['unsuitable', 'unsuited'])
    put.mockRestore()
  })

  test('D3: on close, the slot is freed and the error contains the snapshot', async () => {
    const session = await lax.createSession({ id: 'close-fails' })
    await session.execute('x = 1')
    store.script('put', 'fail')
    const error = await rejectionOf(NotStoredError, session.close())
    expect(error.message).toMatch(
      /is closed, but its last state could not be stored: .*the disk is full.*`snapshot` has it/,
    )
    expect(error.snapshot?.globals()).toEqual({ x: 1 })
    expect([error.reason, error.sessionId]).toEqual(['unavailable', 'close-fails'])
    expect([session.state, lax.get('close-fails')]).toEqual(['closed', undefined])
    await session.close()
    await using fork = await lax.createSession({ from: error.snapshot as never })
    expect(await fork.get('x')).toBe(1)
    await lax.delete('close-fails')
  })

  test('D3: on hibernation, the state stays in memory and is written when the lease is renewed', async () => {
    const manager = await managerForTest({ store, slots: 1, leaseMs: 300 })
    const session = await manager.createSession({ id: 'dormant-fails' })
    await session.execute('x = 1')
    store.isDown = true
    await rejectionOf(StoreError, session.hibernate())
    expect([session.state, manager.stats().attached]).toEqual(['dormant', 0])
    await until(() => manager.stats().counters.failedStores > 0)
    store.isDown = false
    await until(() => store.written.includes('dormant-fails'))
    expect((await session.execute('x + 1')).value).toBe(2)
    await session.delete()
  })

  test('on creating or opening a session, nothing is left behind in the manager', async () => {
    store.isDown = true
    await rejectionOf(StoreError, lax.createSession({ id: 'down' }))
    await rejectionOf(StoreError, lax.getOrCreate('down'))
    await rejectionOf(StoreError, lax.openSession('down'))
    await rejectionOf(StoreError, lax.delete('down'))
    store.isDown = false
    store.script('put', 'fail-late')
    await rejectionOf(StoreError, lax.getOrCreate('down'))
    const session = await lax.getOrCreate('down')
    expect((await session.execute('1')).value).toBe(1)
    store.script('delete', 'fail-late')
    await rejectionOf(StoreError, session.delete())
    expect(await lax.delete('down')).toBe(false)
  })

  test('manager.close stores the sessions it can, and rejects because of the rest', async () => {
    const manager = await openManager({ store, slots: 2 })
    for (const id of ['rest-1', 'rest-2', 'rest-3']) {
      const session = await manager.createSession({ id })
      await session.execute('x = 1')
    }
    store.isDown = true
    const error = await rejectionOf(StoreError, manager.close())
    store.isDown = false
    expect(error.message).toMatch(/^\d sessions could not be stored, the first because/)
    expect((error.cause as AggregateError).errors.length).toBeGreaterThan(1)
    await rejectionOf(SessionClosedError, manager.createSession())
    for (const id of ['rest-1', 'rest-2', 'rest-3'])
      await (await lax.openSession(id, { takeOver: true })).delete()
  })
})

describe('ownership', () => {
  test('another manager learns the owner and the expiry of the lease, and taking over ends the first handle', async () => {
    const first = await lax.createSession({ id: 'owned' })
    await first.execute('x = 1')
    await first.hibernate()
    const refused = await rejectionOf(SessionOwnedError, strict.openSession('owned'))
    expectTyped(refused, 'SESSION_OWNED')
    expect(refused.message).toContain('takeOver: true')
    expect(refused.expiresAt.getTime()).toBeGreaterThan(Date.now())
    await rejectionOf(SessionOwnedError, strict.delete('owned'))
    const second = await strict.openSession('owned', { takeOver: true })
    await second.execute('x += 1')
    // The first handle's lease has not expired yet, so it learns of the take-over only when it writes.
    expect((await first.execute('x')).value).toBe(1)
    expectTyped(await rejectionOf(SessionMovedError, first.hibernate()), 'SESSION_MOVED')
    for (const call of [first.execute('x'), first.get('x'), first.snapshotState(), first.delete()])
      await rejectionOf(SessionMovedError, call)
    await first.close()
    expect([first.state, lax.get('owned')]).toEqual(['closed', undefined])
    expect((await second.execute('x')).value).toBe(2)
    await second.delete()
  })

  test('a lease renewal that finds another owner ends the running execution', async () => {
    const manager = await managerForTest({ store, slots: 1, leaseMs: 300 })
    const first = await manager.createSession({ id: 'renewed' })
    const { result } = await start(first, 'time.sleep(60)')
    const second = await lax.openSession('renewed', { takeOver: true })
    await rejectionOf(SessionMovedError, result)
    await until(() => manager.stats().slots.leased === 0)
    await second.delete()
  })

  test('a lease is renewed while the session has a slot and expires after that, so others need no takeOver', async () => {
    const manager = await managerForTest({ store, slots: 1, leaseMs: 300 })
    const first = await manager.createSession({ id: 'lease' })
    await first.execute('x = 1')
    const { put } = store.counts
    await until(() => store.counts.put > put + 3)
    await rejectionOf(SessionOwnedError, lax.openSession('lease'))
    await first.hibernate()
    const isFree = async () => {
      for await (const { owner } of lax.list({ prefix: 'lease' })) return (owner?.remainingMs ?? 0) <= 0
      return false
    }
    while (!(await isFree())) await sleep(10)
    // No other manager took the session, so it continues.
    expect((await first.execute('x += 1; x')).value).toBe(2)
    await first.hibernate()
    while (!(await isFree())) await sleep(10)
    const second = await lax.openSession('lease')
    expect((await second.execute('x += 1; x')).value).toBe(3)
    await rejectionOf(SessionMovedError, first.execute('x'))
    expect((await second.execute('x')).value).toBe(3)
    await second.delete()
  })

  test.each(['execute', 'delete'] as const)(
    'after a session was deleted and created again elsewhere, %s by the old handle is rejected',
    async (call) => {
      const manager = await managerForTest({ store, slots: 1, leaseMs: 200 })
      const old = await manager.createSession({ id: 'again' })
      await old.hibernate()
      await (await lax.openSession('again', { takeOver: true })).delete()
      const made = await lax.createSession({ id: 'again' })
      await made.set('x', 'new')
      // The old lease expires by the clock, without any notification.
      const untilMs = performance.now() + 200
      await until(() => performance.now() > untilMs)
      await rejectionOf(SessionMovedError, call === 'delete' ? old.delete() : old.execute('x = "old"'))
      expect(await made.get('x')).toBe('new')
      await made.hibernate()
      await made.delete()
    },
  )

  test('D2: if the lease expires because the store is unreachable, nothing runs and nothing is acknowledged', async () => {
    const manager = await managerForTest({ store, slots: 1, leaseMs: 200 })
    const session = await manager.createSession({ id: 'cut-off' })
    const { result } = await start(session, 'import asyncio; await asyncio.sleep(0.6); x = 1; x')
    store.isDown = true
    const error = await rejectionOf(NotStoredError, result)
    expect((error.result as ExecuteResult).value).toBe(1)
    await rejectionOf(StoreError, session.execute('y = 1'))
    store.isDown = false
    expect((await session.execute('x, "y" in globals()')).value).toEqual([1, false])
    await session.delete()
  })
})
