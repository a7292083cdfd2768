// How long a caller waits when a session hibernates, wakes, and is forked. Slots are ready beforehand, as they are unless calls
// all come at once; `at once` shows that case.
import { SessionManager } from 'brumate'
import { expectEqual, median, samplesMs, timeMs, until } from '../../measure.js'
import type { Row } from '../../report.js'
import { expectSmall, ROUNDS, SMALL } from './session.js'

const FORKS_AT_ONCE = 8
const FORK_ROUNDS = 5

export async function dormancyRows(): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: FORKS_AT_ONCE + 2 })
  const slotIsReady = () =>
    until(() => manager.stats().slots.booting === 0 && manager.stats().slots.ready > 0)
  const session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute(SMALL)
  const hibernateMs: number[] = []
  const wakeMs: number[] = []
  for (let i = 0; i < ROUNDS / 2; i++) {
    await session.execute('x = 1')
    hibernateMs.push(await timeMs(() => session.hibernate()))
    expectEqual(session.state, 'dormant', 'the session')
    await slotIsReady()
    wakeMs.push(await timeMs(() => session.execute('x')))
  }
  await expectSmall(session)
  const from = await session.snapshotState()
  await session.close()

  const forkMs: number[] = []
  for (let i = 0; i < ROUNDS / 2; i++) {
    await slotIsReady()
    const startedMs = performance.now()
    await using fork = await manager.createSession({ from, checkpoint: 'manual' })
    forkMs.push(performance.now() - startedMs)
    await expectSmall(fork)
  }
  const together = await samplesMs(FORK_ROUNDS, async () => {
    const forks = await Promise.all(
      Array.from({ length: FORKS_AT_ONCE }, () => manager.createSession({ from, checkpoint: 'manual' })),
    )
    await Promise.all(forks.map((fork) => expectSmall(fork)))
    await Promise.all(forks.map((fork) => fork.close()))
  })
  const unused = 'on a slot that no session has used: JavaScript there is compiled meanwhile'
  return [
    { metric: 'hibernate, after an execution', unit: 'ms', brumate: median(hibernateMs) },
    { metric: "execute('x') of a dormant session", unit: 'ms', brumate: median(wakeMs), note: unused },
    { metric: 'createSession from a snapshot, warm slot', unit: 'ms', brumate: median(forkMs), note: unused },
    {
      metric: `${FORKS_AT_ONCE} forks at once, used and closed`,
      unit: 'ms',
      brumate: median(together),
      note: 'most of it is booting slots',
    },
  ]
}
