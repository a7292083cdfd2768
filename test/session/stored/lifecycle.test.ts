// Sessions with an id: they are created, closed, found and opened again, in this manager and in another one with the same store.
import {
  InvalidOptionError,
  MemoryStore,
  type SessionManager,
  SnapshotError,
  type StoredSession,
} from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openManager } from '../../support/manager.js'
import { ScriptedStore } from '../../support/scripted-store.js'
import { expectTyped, rejectionOf } from '../../support/session-code.js'

const store = new ScriptedStore()
let one: SessionManager
let other: SessionManager

beforeAll(async () => {
  ;[one, other] = await Promise.all([openManager({ store, slots: 3 }), openManager({ store, slots: 3 })])
})
afterAll(async () => {
  await Promise.all([one.close(), other.close()])
})

async function listed(filter?: Parameters<SessionManager['list']>[0]): Promise<StoredSession[]> {
  const found: StoredSession[] = []
  for await (const session of one.list(filter)) found.push(session)
  return found
}

describe('a session with an id', () => {
  test('continues exactly in another manager: variables, generators, files, count, labels, tenant', async () => {
    const first = await one.createSession({ id: 'exact', tenant: 'acme', labels: { plan: 'pro' } })
    await first.execute('import itertools; c = itertools.count(5); next(c); open("f.txt", "w").write("kept")')
    await first.execute('next(c)')
    await first.close()
    const second = await other.openSession('exact')
    expect((await second.execute('next(c), open("f.txt").read()')).value).toEqual([7, 'kept'])
    expect([second.executionCount, second.tenant, second.labels]).toEqual([3, 'acme', { plan: 'pro' }])
    await second.delete()
    expect(await listed({ prefix: 'exact' })).toEqual([])
  })

  test('continues in the middle of a suspended execution, with its pending calls', async () => {
    const approve = (_: unknown, { suspend }: { suspend(reason?: string): never }) => suspend('asks a human')
    const first = await one.createSession({ id: 'pending', callbacks: { approve } })
    const suspended = await first.execute('"yes" if await approve(amount=5) else "no"')
    expect(suspended.status).toBe('suspended')
    await first.close()
    const second = await other.openSession('pending', { callbacks: { approve } })
    const [call] = second.pending
    expect(second.pending).toMatchObject([{ name: 'approve', reason: 'asks a human' }])
    expect((await second.resume({ results: { [call?.id ?? '']: true } })).value).toBe('yes')
    await second.delete()
  })

  test('that never ran opens empty, with its environment variables', async () => {
    const first = await one.createSession({ id: 'empty' })
    await first.close()
    expect(store.written).not.toContain('empty')
    const second = await other.openSession('empty')
    expect([
      (await second.execute('sorted(k for k in globals() if k == "x")')).value,
      second.executionCount,
    ]).toEqual([[], 1])
    await second.delete()
    const third = await one.createSession({ id: 'env', env: { WHO: 'me' } })
    await third.close()
    const fourth = await other.openSession('env')
    expect((await fourth.execute('import os; os.environ["WHO"]')).value).toBe('me')
    await fourth.delete()
  })

  test('that has not changed since it was stored is not written again', async () => {
    const session = await one.createSession({ id: 'unchanged' })
    await session.execute('x = 1')
    await session.hibernate()
    const writes = () => store.written.filter((id) => id === 'unchanged').length
    expect(writes()).toBe(1)
    expect(await session.get('x')).toBe(1)
    await session.hibernate()
    await session.get('x')
    await session.snapshotState()
    await session.close()
    expect(writes()).toBe(1)
    await one.delete('unchanged')
  })

  test('can be reset, and opens reset', async () => {
    const session = await one.createSession({ id: 'reset' })
    await session.execute('x = 1')
    await session.hibernate()
    await session.reset()
    await session.close()
    const again = await one.openSession('reset')
    expect([(await again.execute('"x" in globals()')).value, again.executionCount]).toEqual([false, 1])
    await again.delete()
  })

  test('that is forked from a snapshot is stored at once', async () => {
    await using source = await one.createSession()
    await source.execute('x = 41')
    const from = await source.snapshotState()
    const fork = await one.createSession({ id: 'fork', from })
    const [entry] = await listed({ prefix: 'fork' })
    expect(entry).toMatchObject({ executionCount: 1, sizeBytes: from.size })
    expect((await fork.execute('x + 1')).value).toBe(42)
    await fork.delete()
  })

  test('that could not be created leaves nothing in the store', async () => {
    const from = await (await one.createSession()).snapshotState()
    const broken = from.toBytes()
    await rejectionOf(SnapshotError, one.createSession({ id: 'broken', from: broken.fill(7, 400, 600) }))
    expect([one.get('broken'), await listed({ prefix: 'broken' })]).toEqual([undefined, []])
  })
})

describe('getOrCreate', () => {
  test('creates a session, returns the open one, or opens the stored one', async () => {
    const created = await one.getOrCreate('goc')
    await created.execute('x = 1')
    expect([await one.getOrCreate('goc'), one.get('goc')]).toEqual([created, created])
    await created.close()
    expect(one.get('goc')).toBeUndefined()
    const opened = await one.getOrCreate('goc')
    expect(opened).not.toBe(created)
    expect(await opened.get('x')).toBe(1)
    await opened.delete()
  })

  test('called many times at once returns one session', async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => one.getOrCreate('at-once')))
    expect(new Set(sessions).size).toBe(1)
    const [session] = sessions
    const closing = session?.close()
    const again = await one.getOrCreate('at-once')
    await closing
    expect(again.state).toBe('attached')
    await again.delete()
  })

  test('for one id in two managers at once succeeds in one, and the other learns the owner', async () => {
    const both = await Promise.allSettled([one.getOrCreate('race'), other.getOrCreate('race')])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const made of both) {
      if (made.status === 'fulfilled') await made.value.delete()
      else expectTyped(made.reason, 'SESSION_OWNED')
    }
  })
})

describe('errors say what to do', () => {
  test('for an id that is stored, unknown, already open, invalid, or of another tenant', async () => {
    const session = await one.createSession({ id: 'taken', tenant: 'acme' })
    const messages = []
    for (const call of [
      () => one.createSession({ id: 'taken' }),
      () => one.openSession('taken'),
      () => one.getOrCreate('taken', { tenant: 'globex' }),
      () => one.openSession('unknown'),
      () => one.openSession('unknown', { from: new Uint8Array() } as never),
      () => one.getOrCreate('not an id'),
    ])
      messages.push((await rejectionOf(InvalidOptionError, call())).message)
    await session.close()
    for (const call of [
      () => one.createSession({ id: 'taken' }),
      () => one.openSession('taken', { tenant: 'globex' }),
    ])
      messages.push((await rejectionOf(InvalidOptionError, call())).message)
    expect(messages).toEqual([
      expect.stringContaining('expected an id that is not in use'),
      expect.stringContaining('is open in this manager; use get or getOrCreate'),
      expect.stringContaining('belongs to another tenant'),
      expect.stringContaining('the store has no session unknown; use createSession or getOrCreate'),
      expect.stringContaining('use createSession or getOrCreate'),
      expect.stringContaining('1 to 128 letters'),
      expect.stringContaining('open it with openSession or getOrCreate, or delete it'),
      expect.stringContaining('belongs to another tenant'),
    ])
    await one.delete('taken')
  })

  test.each([
    ['store', { store: {} }],
    ['durability', { durability: 'disk' }],
    ['leaseMs', { leaseMs: 5 }],
  ])('for a wrong %s option of a manager', async (option, options) => {
    expect(await rejectionOf(InvalidOptionError, openManager(options as never))).toMatchObject({ option })
  })

  test.each([
    ['labels', { labels: 'x' }],
    ['labels', { labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, ''])) }],
    ['labels', { labels: { '': 'x' } }],
    ['labels.a', { labels: { a: 'x'.repeat(257) } }],
  ])('for a wrong %s option of a session', async (option, options) => {
    expect(await rejectionOf(InvalidOptionError, one.createSession(options as never))).toMatchObject({
      option,
    })
  })
})

describe('list and sweep', () => {
  test('list filters sessions by tenant, prefix and labels, and skips those without an id', async () => {
    await using _ephemeral = await one.createSession()
    for (const [id, tenant, plan] of [
      ['l-1', 'a', 'pro'],
      ['l-2', 'a', 'free'],
      ['l-3', 'b', 'pro'],
    ] as const)
      await (await one.createSession({ id, tenant, labels: { plan } })).close()
    const ids = async (filter: Parameters<SessionManager['list']>[0]) =>
      (await listed(filter)).map(({ id }) => id)
    expect(await ids({})).toEqual(['l-1', 'l-2', 'l-3'])
    expect(await ids({ tenant: 'a' })).toEqual(['l-1', 'l-2'])
    expect(await ids({ prefix: 'l-', labels: { plan: 'pro' } })).toEqual(['l-1', 'l-3'])
    expect(await ids({ after: 'l-1' })).toEqual(['l-2', 'l-3'])
    expect(await ids({ after: 'l-10', limit: 1 })).toEqual(['l-2'])
    expect(await ids({ tenant: 'b', limit: 1 })).toEqual(['l-3'])
    for (const wrong of [{ tenants: 'a' }, { after: 7 }, { limit: 0 }])
      expect(() => one.list(wrong as never)).toThrow(InvalidOptionError)
    expect((await listed({ prefix: 'l-1' }))[0]).toMatchObject({
      tenant: 'a',
      executionCount: 0,
      sizeBytes: 0,
    })
  })

  test('sweep removes sessions that match a rule and have no owner, and a dry run reports them', async () => {
    const busy = await one.openSession('l-1')
    const would = await other.sweep({ ttlMs: 0, prefix: 'l-', dryRun: true })
    expect(would.removed.map(({ id, reason }) => [id, reason])).toEqual([
      ['l-2', 'ttl'],
      ['l-3', 'ttl'],
    ])
    expect((await listed()).length).toBe(3)
    expect((await one.sweep({ idleMs: 0, tenant: 'b' })).removed).toMatchObject([
      { id: 'l-3', reason: 'idle' },
    ])
    await busy.close()
    for (const id of ['q-1', 'q-2']) {
      const session = await one.createSession({ id, tenant: 'q' })
      await session.execute('x = 1')
      await session.close()
    }
    const [{ sizeBytes } = { sizeBytes: 0 }] = await listed({ prefix: 'q-1' })
    const swept = await one.sweep({ maxBytesPerTenant: 1.5 * sizeBytes })
    expect(swept).toMatchObject({ removed: [{ id: 'q-1', reason: 'tenant-bytes' }], failed: [] })
    expect((await one.sweep({ ttlMs: 0 })).removed.length).toBe(3)
    await expect(one.sweep({})).rejects.toThrow('ttlMs, idleMs or maxBytesPerTenant')
  })
})

test('without a configured store, a manager keeps closed sessions until it closes, and their ids can be reused', async () => {
  const manager = await openManager({ slots: 1 })
  const first = await manager.createSession({ id: 'a' })
  await first.execute('x = 1')
  await first.close()
  const second = await manager.openSession('a')
  expect(await second.get('x')).toBe(1)
  await second.close()
  const third = await manager.createSession({ id: 'a' })
  expect((await third.execute('"x" in globals()')).value).toBe(false)
  await manager.close()
  expect(new MemoryStore()).toBeInstanceOf(MemoryStore)
})
