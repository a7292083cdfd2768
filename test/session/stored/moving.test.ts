// S1, D1: sessions move between managers at random. None ever has two owners, and no acknowledged execution is lost or repeated.
import { type Session, type SessionManager, SessionMovedError, SessionOwnedError } from 'brumate'
import { expect, test } from 'vitest'
import { managerForTest } from '../../support/manager.js'
import { ScriptedStore } from '../../support/scripted-store.js'

const SESSIONS = 20
const ROUNDS = 90
const AT_ONCE = 8

/** Random numbers from 0 to 1, the same in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

test('S1, D1: twenty sessions, opened and taken over by two managers at random, lose and repeat no execution', async () => {
  const store = new ScriptedStore()
  const options = { store, slots: 2, durability: 'checkpoint', leaseMs: 2_000 } as const
  const managers = await Promise.all([managerForTest(options), managerForTest(options)])
  const acknowledged = new Map<string, number[]>()
  const refusals = { moved: 0, owned: 0 }
  const next = random(7)
  let number = 0

  async function open(manager: SessionManager, id: string): Promise<Session> {
    return manager.getOrCreate(id, { takeOver: next() < 0.5 })
  }

  async function once(): Promise<void> {
    const id = `s-${Math.floor(next() * SESSIONS)}`
    const manager = managers[next() < 0.5 ? 0 : 1] as SessionManager
    const mine = number++
    try {
      const session = await open(manager, id)
      const code = `seen = [*globals().get('seen', []), ${mine}]; len(seen)`
      await session.execute(code)
      acknowledged.set(id, [...(acknowledged.get(id) ?? []), mine])
      if (next() < 0.2) await session.close()
    } catch (error) {
      if (error instanceof SessionMovedError) refusals.moved++
      else if (error instanceof SessionOwnedError) refusals.owned++
      // Another call of this test has closed the session.
      else if ((error as { code?: string }).code !== 'SESSION_CLOSED') throw error
    }
  }

  const work = Array.from({ length: AT_ONCE }, async () => {
    while (number < ROUNDS) await once()
  })
  await Promise.all(work)
  expect(refusals.moved + refusals.owned).toBeGreaterThan(0)
  expect(acknowledged.size).toBeGreaterThan(SESSIONS / 2)
  const [manager] = managers
  for (const [id, numbers] of acknowledged) {
    const session = await manager.getOrCreate(id, { takeOver: true })
    const seen = (await session.get('seen')) as number[]
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(expect.arrayContaining(numbers))
    await session.delete()
  }
})
