// Servers that share a store: one server owns a session at a time, and an upgrade keeps as much of a session as possible.
import { MemoryStore } from 'brumate'
import { expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { storeOld } from '../support/other-image.js'
import { connected, structured, textOf } from './support/clients.js'

/** Long enough to be renewed in time on a busy machine. */
const leaseMs = 800

test('a session open in another server cannot be used until it is dormant there or that server closes', async () => {
  const store = new MemoryStore()
  const options = { store, durability: 'checkpoint', slots: 4, leaseMs } as const
  const [first, second] = await Promise.all([managerForTest(options), managerForTest(options)])
  const one = await connected({ manager: first })
  const two = await connected({ manager: second })
  await one.call('run_python', { code: 'x = 1' })
  const refused = await two.call('run_python', { code: 'x' })
  expect(refused.isError).toBe(true)
  expect(textOf(refused)).toMatch(/another server has this session open/)
  expect(structured(await one.call('run_python', { code: 'x += 1; x' })).value).toBe(2)
  // Hibernate it, as an idle session would be: nothing renews a dormant session's lease.
  let id = ''
  for await (const session of first.list()) id = session.id
  await first.get(id)?.hibernate()
  expect(structured(await two.call('run_python', { code: 'x += 1; x' })).value).toBe(3)
  const moved = await one.call('run_python', { code: 'x += 10' })
  expect(structured(moved)).toMatchObject({ error: { type: 'SessionMovedError' } })
  expect(textOf(moved)).toMatch(/another server has taken this session/)
  await second.close()
  expect(structured(await one.call('run_python', { code: 'x += 1; x' })).value).toBe(4)
})

test('a session of another image keeps its plain values, and the result names the variables that were lost', async () => {
  const store = new MemoryStore()
  const manager = await managerForTest({ store, slots: 1, leaseMs })
  const { call } = await connected({ manager, tenant: 'upgrade' })
  await call('run_python', { code: '1' })
  let id = ''
  for await (const session of manager.list({ tenant: 'upgrade' })) id = session.id
  await manager.delete(id)
  await storeOld(manager, store, id, { tenant: 'upgrade', code: 'x = 41\nf = lambda: 1' })
  const result = await call('run_python', { code: 'x + 1' })
  expect(structured(result).value).toBe(42)
  expect(textOf(result)).toMatch(/\[note\] after an upgrade, these variables of the session are lost: f/)
  expect(structured(await call('run_python', { code: 'x' })).notes).toEqual([])
})
