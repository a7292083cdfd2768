// From one live session to sixty-four in one process: the cost of creating each, one after another without a pause, and of an execution
// in each of them in turn.
import { type Group, LEFT_OUT, warmUpsOf } from '../group.js'
import { type Measured, repeated } from '../samples.js'

const COUNTS = [1, 8, 64] as const
const TURNS = 400
/** Executions before `x = 1` is measured: so many in each session's thread, and so many on the main thread. */
const WARM_UP = { each: 100, total: 1_500 }

export const growth: Group = {
  name: 'growth',
  title: 'From 1 to 64 live sessions',
  rounds: 2,
  sessions: 64,
  rows: COUNTS.flatMap((count) => [
    {
      id: `made-${count}`,
      title: `${count} made at once: each, with its first execution`,
      unit: 'ms',
      state: 'warm',
      divide: count,
    } as const,
    { id: `used-${count}`, title: `\`x = 1\` in turn over ${count}`, unit: 'ms', state: 'warm' } as const,
  ]),
  async measure(peer, samples) {
    // Makes sure that no count is the first in the process.
    await samples.take(peer, [
      { do: 'create', session: 'first' },
      { do: 'execute', session: 'first', code: 'x = 1' },
      { do: 'close', session: 'first' },
      { do: 'sleep', forMs: 200 },
    ])
    for (const count of COUNTS) {
      const ids = Array.from({ length: count }, (_, n) => `of-${count}-${n}`)
      if (count > peer.mostSessions) {
        samples.cannot(`made-${count}`, LEFT_OUT)
        samples.cannot(`used-${count}`, LEFT_OUT)
        continue
      }
      const sum = { sum: `made-${count}` }
      const warmUp = warmUpsOf(peer, Math.max(WARM_UP.total, WARM_UP.each * count))
      await samples.take(peer, [
        ...ids.flatMap((session): Measured[] => [
          { do: 'create', session, ...sum },
          { do: 'execute', session, code: 'x = 1', ...sum },
        ]),
        ...repeated<Measured>(warmUp + TURNS, (n) => [
          {
            do: 'execute',
            session: ids[n % count] ?? '',
            code: 'x = 1',
            ...(n < warmUp ? {} : { as: `used-${count}` }),
          },
        ]),
        ...ids.map((session): Measured => ({ do: 'close', session })),
        { do: 'sleep', forMs: 200 },
      ])
    }
  },
}
