// The events of `manager.on` for sessions, slots and checkpoints, and that `manager.stats()` counts the same.
import {
  type CheckpointEvent,
  InvalidOptionError,
  type ManagerEvents,
  MemoryStore,
  type SessionEvent,
  type SessionManager,
  SessionMovedError,
  type SlotEvent,
  StoreError,
} from 'brumate'
import { describe, expect, onTestFinished, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { ScriptedStore } from '../support/scripted-store.js'
import { py, until } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

/** Records a manager's events from now on, until the test ends. */
function listenTo(manager: SessionManager) {
  const heard = {
    session: [] as SessionEvent[],
    slot: [] as SlotEvent[],
    checkpoint: [] as CheckpointEvent[],
  }
  const removals = [
    manager.on('session', (event) => heard.session.push(event)),
    manager.on('slot', (event) => heard.slot.push(event)),
    manager.on('checkpoint', (event) => heard.checkpoint.push(event)),
  ]
  onTestFinished(() => {
    for (const remove of removals) remove()
  })
  return heard
}

const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type)

/** Code that catches interrupts and continues. */
const STUBBORN = py`
  while True:
      try:
          while True: pass
      except BaseException: pass
`

describe('sessions', () => {
  test('a session emits events when it is created, goes dormant, wakes and closes, in this order', async () => {
    const manager = await sharedManager({ slots: 2 })
    const { session: events } = listenTo(manager)
    const session = await manager.createSession({ tenant: 'acme' })
    await session.execute('x = 1')
    await session.hibernate()
    await session.execute('x')
    // The second of these needs the slot.
    const others = [
      await manager.createSession({ tenant: 'other' }),
      await manager.createSession({ tenant: 'other' }),
    ]
    for (const other of others) await other.close()
    await session.close()
    const own = events.filter(({ tenant }) => tenant === 'acme')
    expect(typesOf(own)).toEqual(['created', 'dormant', 'woke', 'dormant', 'closed'])
    expect(own).toMatchObject([
      { durationMs: expect.any(Number) },
      { reason: 'hibernated' },
      { durationMs: expect.any(Number) },
      { reason: 'evicted' },
      {},
    ])
    expect(own.every(({ sessionId }) => sessionId === session.id)).toBe(true)
    expect(own.at(-1)).not.toHaveProperty('error')
    expect(events.filter(({ type }) => type === 'created')).toHaveLength(3)
  })

  test('a session that loses its worker goes dormant with the reason "lost", and the slot ends', async () => {
    const manager = await sharedManager({ slots: 2 })
    const heard = listenTo(manager)
    await using session = await manager.createSession({ limits: { interruptGraceMs: 20 } })
    await session.execute(STUBBORN, { timeoutMs: 50 }).catch(() => {})
    await session.execute('1')
    expect(heard.session).toMatchObject([
      { type: 'created' },
      { type: 'dormant', reason: 'lost' },
      { type: 'woke' },
    ])
    expect(heard.slot).toContainEqual(expect.objectContaining({ type: 'ended', state: 'leased' }))
  })

  test('a stored session emits events when it is opened, taken over by another manager, and deleted there', async () => {
    const store = new MemoryStore()
    const here = await managerForTest({ slots: 1, store, durability: 'checkpoint' })
    const there = await managerForTest({ slots: 1, store })
    const [first, second] = [listenTo(here).session, listenTo(there).session]
    const session = await here.createSession({ id: 'chat', tenant: 'acme' })
    const taken = await there.openSession('chat', { takeOver: true })
    await expect(session.execute('1')).rejects.toThrow(SessionMovedError)
    await taken.close()
    await there.delete('chat')
    expect(typesOf(first)).toEqual(['created', 'moved', 'closed'])
    expect(first.at(-1)).toMatchObject({ sessionId: 'chat', error: expect.any(SessionMovedError) })
    expect(typesOf(second)).toEqual(['opened', 'closed', 'deleted'])
    expect(second.at(-1)).toEqual({ type: 'deleted', sessionId: 'chat', tenant: 'acme' })
  })

  test('the last event of a session deleted while open is "closed"', async () => {
    const manager = await sharedManager({ slots: 2 })
    const { session: events } = listenTo(manager)
    await (await manager.createSession({ id: 'chat' })).delete()
    expect(typesOf(events)).toEqual(['created', 'deleted', 'closed'])
  })

  test('a session that could not be created emits no event', async () => {
    const manager = await managerForTest({ slots: 1, maxQueued: 0 })
    const { session: events } = listenTo(manager)
    const first = await manager.createSession({ callbacks: { wait: () => new Promise(() => {}) } })
    const running = first.execute('await wait()')
    running.catch(() => {})
    await expect(manager.createSession({ id: 'late' })).rejects.toThrow('maxQueued')
    await manager.close()
    expect(typesOf(events)).toEqual(['created', 'closed'])
  })
})

test('a slot emits events when it is booted, leased, released, renewed, leased again, and ended', async () => {
  const manager = await managerForTest({ slots: 1 })
  const { slot: events } = listenTo(manager)
  for (const tenant of ['first', 'second']) await (await manager.createSession({ tenant })).close()
  await manager.close()
  const [booted] = events
  expect(events.map(({ type, ...rest }) => ('tenant' in rest ? `${type} ${rest.tenant}` : type))).toEqual([
    ...['booted', 'leased first', 'released first', 'renewed'],
    ...['leased second', 'released second', 'ended'],
  ])
  expect(booted).toMatchObject({
    slotId: 1,
    imageId: expect.stringMatching(/^[0-9a-f]{64}$/),
    durationMs: expect.any(Number),
  })
  expect(new Set(events.map(({ slotId }) => slotId))).toEqual(new Set([1]))
  expect(events.at(-1)).toMatchObject({ reason: 'the manager closed', state: 'renewing' })
})

describe('checkpoints', () => {
  test('a checkpoint is reported as made and stored, with its size, before the call is acknowledged', async () => {
    const manager = await managerForTest({ slots: 1, store: new MemoryStore(), durability: 'checkpoint' })
    const { checkpoint: events } = listenTo(manager)
    const session = await manager.createSession({ id: 'chat' })
    await session.execute('x = 1')
    expect(typesOf(events)).toEqual(['made', 'stored'])
    const [made, stored] = events.map((event) => (event.type === 'failed' ? undefined : event.bytes))
    expect(made).toBeGreaterThan(1_000)
    expect(stored).toBe(made)
  })

  test('a checkpoint that is too large or cannot be stored is reported with the failed step and the reason', async () => {
    const store = new ScriptedStore()
    const manager = await managerForTest({ slots: 1, store })
    const { checkpoint: events } = listenTo(manager)
    const session = await manager.createSession({
      id: 'chat',
      checkpoint: 'manual',
      limits: { snapshotBytes: 300_000 },
    })
    await session.execute('import random; noise = random.randbytes(1_000_000)')
    await expect(session.snapshotState()).rejects.toThrow('snapshotBytes')
    await session.execute('del noise')
    store.isDown = true
    await expect(session.hibernate()).rejects.toThrow(StoreError)
    store.isDown = false
    const failed = events.filter(({ type }) => type === 'failed')
    expect(failed).toMatchObject([
      { sessionId: 'chat', step: 'capture', error: { reason: 'too-large' } },
      { sessionId: 'chat', step: 'store', error: expect.any(StoreError) },
    ])
  })
})

test('histograms count each operation once', async () => {
  const manager = await managerForTest({ slots: 1, store: new MemoryStore() })
  const session = await manager.createSession({
    id: 'chat',
    callbacks: { now: () => 1, later: async () => 2 },
  })
  await session.execute('await now(); await later(); await now()')
  await session.execute('1/0').catch(() => {})
  await session.hibernate()
  await session.execute('1')
  await session.close()
  const { counters, usage, histograms } = manager.stats()
  const counts = Object.fromEntries(Object.entries(histograms).map(([name, { count }]) => [name, count]))
  expect(counts).toMatchObject({
    acquire: 2,
    boot: counters.boots,
    thaw: counters.thaws,
    execute: counters.executions,
    callback: usage.callbackInvocations,
  })
  expect([counters.executions, counters.thaws, usage.callbackInvocations]).toEqual([3, 1, 3])
  // The numbers of checkpoints and writes depend on how fast the session becomes idle.
  expect(counts.checkpoint).toBeGreaterThanOrEqual(1)
  expect(counts.store).toBeGreaterThanOrEqual(3)
  for (const { count, sumMs, minMs, p50Ms, p99Ms, maxMs, buckets } of Object.values(histograms)) {
    expect([minMs, p50Ms, p99Ms]).toEqual([minMs, p50Ms, p99Ms].sort((a, b) => a - b))
    expect(p99Ms).toBeLessThanOrEqual(maxMs)
    expect(sumMs).toBeGreaterThanOrEqual(maxMs)
    expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count)
  }
  await until(() => manager.stats().slots.renewing === 0)
})

test('on() rejects an unknown event, a wrong listener or signal, and returns a function that removes the listener', async () => {
  const manager = await sharedManager({ slots: 2 })
  const on = manager.on.bind(manager) as (...args: unknown[]) => () => void
  expect(() => on('sessions', () => {})).toThrow(InvalidOptionError)
  expect(() => on(undefined, () => {})).toThrow('event: expected "session" or "slot" or "checkpoint"')
  expect(() => on('slot')).toThrow('listener: expected a function')
  expect(() => on('slot', () => {}, { once: true })).toThrow(InvalidOptionError)
  expect(() => on('slot', () => {}, { signal: 1 })).toThrow('signal: expected an AbortSignal')
  const heard: ManagerEvents['session'][] = []
  const controller = new AbortController()
  const remove = manager.on('session', (event) => heard.push(event))
  manager.on('session', (event) => heard.push(event), { signal: controller.signal })
  remove()
  controller.abort()
  await using _ = await manager.createSession()
  expect(heard).toEqual([])
})
