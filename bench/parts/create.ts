// How long `createSession` takes with a warm slot, until the session can execute. Two cases: a slot that nobody has used, and
// a slot that another session of the same tenant has returned and that was renewed.
import { SessionManager } from 'brumate'
import type { Context } from '../context.js'
import { median, timeMs, until } from '../measure.js'
import type { Row } from '../report.js'

const ROUNDS = 60
const SLOTS = 3

export async function create({ progress }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: SLOTS })
  progress('  create: on fresh slots')
  const freshMs: number[] = []
  for (let i = 0; i < ROUNDS; i++) freshMs.push(await createOnWarmSlotMs(manager))
  progress('  create: on a slot of the same tenant')
  const sameTenantMs: number[] = []
  const closeMs: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const startedMs = performance.now()
    const session = await manager.createSession({ tenant: 'the-same' })
    sameTenantMs.push(performance.now() - startedMs)
    await session.execute('x = list(range(1000))')
    closeMs.push(await timeMs(() => session.close()))
  }
  const fresh = median(freshMs)
  return [
    {
      metric: 'createSession, warm slot',
      unit: 'ms',
      brumate: fresh,
      floor: { text: '≤ 2 ms', met: fresh <= 2 },
    },
    { metric: 'createSession, slot of the same tenant', unit: 'ms', brumate: median(sameTenantMs) },
    { metric: 'close, slot kept for its tenant', unit: 'ms', brumate: median(closeMs) },
  ]
}

export async function createOnWarmSlotMs(manager: SessionManager): Promise<number> {
  // Spare slots boot in the background. Wait for them before creating the session.
  await until(() => manager.stats().slots.booting === 0 && manager.stats().slots.ready > 0)
  const startedMs = performance.now()
  const session = await manager.createSession()
  const durationMs = performance.now() - startedMs
  await session.execute('x = 1')
  await session.close()
  return durationMs
}
