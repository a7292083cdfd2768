// Attacks by several sessions: many that spin share few slots, and many that crash leave nothing behind on the main thread.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openManager } from '../support/manager.js'
import { Child, type ProcessState } from './support/child.js'
import { expectContained, type SandboxCase, type SandboxOutput } from './support/contained.js'

const MIB = 2 ** 20

let sandbox: Child<SandboxCase, SandboxOutput>
beforeAll(() => {
  sandbox = new Child('sandbox', { flags: ['--max-old-space-size=256'] })
})
afterAll(() => sandbox?.close())

async function attacks(given: SandboxCase): Promise<void> {
  expectContained(await sandbox.run(given))
}

it('F18: six sessions that spin on two slots all get their turn, and so does a newcomer', async () => {
  const manager = await openManager({ slots: 2, limits: { interruptGraceMs: 50 } })
  try {
    const spinners = Array.from({ length: 6 }, async (_, index) => {
      await using session = await manager.createSession()
      await session.execute(`n = ${index}`)
      for (let round = 0; round < 2; round++) {
        const code = index % 3 === 0 ? 'n = -1; sum(range(10**12))' : 'while True: pass'
        const error = await session.execute(code, { timeoutMs: 50 }).catch((error: unknown) => error)
        expect(error).toMatchObject({ code: 'TIMEOUT' })
      }
      return await session.get('n')
    })
    const newcomer = (async () => {
      await using session = await manager.createSession()
      return (await session.execute('6 * 7')).value
    })()
    expect(await newcomer).toBe(42)
    expect(await Promise.all(spinners)).toEqual(Array.from({ length: 6 }, (_, index) => index))
  } finally {
    await manager.close()
  }
})

it('G23: sessions that crash one after the other leave nothing behind on the main thread', async () => {
  const crash = 'import os; os.abort()'
  const once: SandboxCase = { steps: Array.from({ length: 8 }, () => crash) }
  await attacks({ steps: [crash] })
  const result = await sandbox.run({ ...once, timeoutMs: 15_000 }, 60_000)
  expectContained(result)
  const { state } = result as { state: ProcessState }
  // Some resources belong to a slot that boots ahead of need.
  expect(state.newResources).toBeLessThan(6)
  expect(state.peakRssBytes).toBeLessThan(900 * MIB)
}, 90_000)
