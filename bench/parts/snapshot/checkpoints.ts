// The cost of automatic checkpoints to an execution: with pauses in which they can be taken, and without. One session at a time,
// because on few cores one session would wait for the captures of another.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Session, SessionManager } from 'brumate'
import { median, samplesMs, timeMs } from '../../measure.js'
import type { Row } from '../../report.js'
import { SMALL } from './session.js'

/** Five seconds at that pace: longer than the budget for checkpoints lasts before a session has to ration them. */
const PACED = 500
const PACE_MS = 10
const BURST = 80

export async function checkpointRows(): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 4 })
  const paced = {
    auto: await perExecutionMs(manager, 'auto', pacedMs),
    manual: await perExecutionMs(manager, 'manual', pacedMs),
  }
  const pacedCheckpoints = manager.stats().counters.checkpoints
  const burst = {
    auto: await perExecutionMs(manager, 'auto', burstMs),
    manual: await perExecutionMs(manager, 'manual', burstMs),
  }
  const burstCheckpoints = manager.stats().counters.checkpoints - pacedCheckpoints
  return [
    {
      metric: "execute('x = 1'), one each 10 ms, checkpoints",
      unit: 'ms',
      brumate: paced.auto,
      floor: { text: '≤ 1.2 × without', met: paced.auto <= 1.2 * paced.manual },
      note: `${PACED} executions, ${pacedCheckpoints} checkpoints`,
    },
    { metric: "execute('x = 1'), one each 10 ms, without", unit: 'ms', brumate: paced.manual },
    {
      metric: "execute('x = 1'), back to back, checkpoints",
      unit: 'ms',
      brumate: burst.auto,
      note: `a mean of the first ${BURST} of a session, some of which wait for one of ${burstCheckpoints} checkpoints`,
    },
    { metric: "execute('x = 1'), back to back, without", unit: 'ms', brumate: burst.manual, note: 'a mean' },
  ]
}

/** Uses a session of its own, whose budget for checkpoints is full. */
async function perExecutionMs(
  manager: SessionManager,
  checkpoint: 'auto' | 'manual',
  measure: (session: Session) => Promise<number>,
): Promise<number> {
  await using session = await manager.createSession({ checkpoint })
  await session.execute(SMALL)
  return await measure(session)
}

async function pacedMs(session: Session): Promise<number> {
  const samples: number[] = []
  for (let i = 0; i < PACED; i++) {
    const next = sleep(PACE_MS)
    samples.push(await timeMs(() => session.execute('x = 1')))
    await next
  }
  return median(samples)
}

/** The mean: the median of two very different durations would be one or the other. */
async function burstMs(session: Session): Promise<number> {
  const samples = await samplesMs(BURST, () => session.execute('x = 1'))
  return samples.reduce((sum, ms) => sum + ms, 0) / BURST
}
