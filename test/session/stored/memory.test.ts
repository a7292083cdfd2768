// Dormant sessions that are stored release their memory, least recently used first, and wake from the store.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { StoreError } from 'brumate'
import { expect, test, vi } from 'vitest'
import { HotSnapshots } from '../../../src/memory/hot-snapshots.js'
import { managerForTest } from '../../support/manager.js'
import { ScriptedStore } from '../../support/scripted-store.js'
import { rejectionOf } from '../../support/session-code.js'

const MiB = 1024 * 1024

test('the least recently used snapshot is dropped when there are too many bytes, and all when memory is needed', () => {
  const hot = new HotSnapshots(800)
  const holders = [1, 2, 3].map(() => ({ dropSnapshot: vi.fn() }))
  const dropped = () => holders.map(({ dropSnapshot }) => dropSnapshot.mock.calls.length)
  const [first, second, third] = holders as [(typeof holders)[0], (typeof holders)[0], (typeof holders)[0]]
  hot.add(first, 40)
  hot.add(second, 40)
  hot.add(first, 40)
  hot.add(third, 60)
  expect(dropped()).toEqual([0, 1, 0])
  hot.remove(third)
  hot.add(second, 60)
  expect(dropped()).toEqual([0, 1, 0])
  hot.dropAll()
  expect(dropped()).toEqual([1, 2, 0])
})

test('snapshots of dormant sessions take at most an eighth of maxMemoryBytes, and dropped ones are read from the store', async () => {
  const store = new ScriptedStore()
  const manager = await managerForTest({ store, slots: 1, maxMemoryBytes: 384 * MiB })
  const sessions = []
  for (let n = 0; n < 4; n++) {
    const session = await manager.createSession({ id: `s-${n}` })
    await session.execute(`import os; big = os.urandom(13 * 2**20); n = ${n}`)
    await session.hibernate()
    sessions.push(session)
  }
  expect(manager.stats().memory.snapshotBytes).toBeLessThan(48 * MiB)
  const [coldest, , , hottest] = sessions
  const { get } = store.counts
  expect((await hottest?.execute('n'))?.value).toBe(3)
  expect(store.counts.get).toBe(get)
  store.isDown = true
  await rejectionOf(StoreError, coldest?.execute('n') as Promise<unknown>)
  store.isDown = false
  expect((await coldest?.execute('n, len(big)'))?.value).toEqual([0, 13 * MiB])
  await coldest?.hibernate()
  expect((await sessions[1]?.snapshotState())?.globals()).toMatchObject({ n: 1 })
  expect(sessions[1]?.state).toBe('dormant')
  for (const session of sessions) await session.delete()
  expect(manager.stats().memory.snapshotBytes).toBe(0)
})

test('a dormant session keeps no reference to its former slot', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heldBytes = async () => {
    for (let round = 0; round < 3; round++) {
      collect()
      await new Promise(setImmediate)
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const manager = await managerForTest({ slots: 1 })
  const make = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const session = await manager.createSession()
      await session.execute('n = 1')
      await session.hibernate()
    }
  }
  await make(10)
  const before = await heldBytes()
  await make(100)
  // The shared memory, ports and buffers of a slot take more than 150 KB. Those of the last slots are freed a little later.
  expect((await heldBytes()) - before).toBeLessThan(100 * 75_000)
})
