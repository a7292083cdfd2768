// S1, from inside Python: many tenants use the same thread one after the other, and each leaves behind as much as it can. For the next
// tenant the slot must look exactly like a fresh one. Releases are checked with LEASES=2000.
import { type CallbackContext, type SessionManager, VfsStorage } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { CANARY, DEEDS, look, parts } from './support/tenants.js'

/** Each deed four times: with and without automatic checkpoints, in two time zones. */
const LEASES = Number(process.env.LEASES ?? 4 * DEEDS.length)
const LOOK = look()

describe('S1: nothing of one lease can be observed in the next', () => {
  let manager: SessionManager
  let storage: VfsStorage
  let expected: string

  beforeAll(async () => {
    // One slot, so that all leases use the same thread.
    manager = await openManager({ slots: 1 })
    storage = new VfsStorage({ maxBytes: 64 * 2 ** 20 })
    // The reference: what the probe sees in a slot that has just booted.
    const fresh = await openManager({ slots: 1, slotReuse: 'never' })
    const session = await fresh.createSession({ tenant: 'fresh' })
    expected = (await session.execute(LOOK)).value as string
    await fresh.close()
  })

  afterAll(async () => {
    await manager?.close()
    await storage?.close()
  })

  async function misbehave(lease: number): Promise<void> {
    const deed = DEEDS[lease % DEEDS.length] as (typeof DEEDS)[number]
    await using session = await manager.createSession({
      tenant: `tenant-${lease}`,
      vfs: storage,
      checkpoint: lease % 2 === 0 ? 'auto' : 'manual',
      // Enough time for an interrupt on a busy machine: code that does not stop would cost the thread.
      limits: { interruptGraceMs: 30_000 },
      env: { SECRET: `${CANARY}${lease}`, ...(lease % 3 === 0 ? { TZ: 'Asia/Tokyo' } : {}) },
      callbacks: {
        suspends: (_: unknown, { suspend }: CallbackContext) => suspend('later'),
        never: () => new Promise(() => {}),
      },
    })
    await deed({ session, secret: `${CANARY}${lease}-` })
  }

  test('control: the probe sees state left behind, and secrets in memory', async () => {
    await using session = await manager.createSession({ tenant: 'control' })
    await session.execute(`import os; kept = ['${CANARY}' + str(n) for n in range(100)]; os.umask(0)`)
    const { value } = await session.execute(LOOK)
    expect(value).not.toBe(expected)
    expect(Number(/'secrets': (\d+)/.exec(String(value))?.[1])).toBeGreaterThan(100)
    expect(expected).toMatch(/'secrets': 1\b/)
  })

  test(`${LEASES} leases of alternating tenants leave nothing that the next one can observe`, {
    timeout: 60_000 + 1500 * LEASES,
  }, async () => {
    const { boots } = manager.stats().counters
    const rss: number[] = []
    for (let lease = 0; lease < LEASES; lease++) {
      await misbehave(lease)
      await using session = await manager.createSession({ tenant: `probe-${lease}` })
      const { value } = await session.execute(LOOK)
      if (value !== expected) expect(parts(value), `after lease ${lease}`).toEqual(parts(expected))
      rss.push(process.memoryUsage.rss())
    }
    const { counters } = manager.stats()
    // No deed ends a thread.
    expect(counters.boots - boots).toBeLessThanOrEqual(1)
    expect(counters.crashes).toBe(0)
    expect(counters.renewals).toBeGreaterThanOrEqual(2 * LEASES - 2)
    const half = rss.length >> 1
    expect(Math.max(...rss.slice(half))).toBeLessThan(Math.max(...rss.slice(0, half)) + 48 * 2 ** 20)
  })
})
