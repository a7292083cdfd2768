// Python itself: the programs of `npm run bench -- compute`, in every peer that can run them.
import { PROGRAMS } from '../../parts/compute.js'
import type { Group } from '../group.js'
import { repeated } from '../samples.js'

const COUNT = 4
/** Time in which V8 compiles hot code on other threads. */
const COMPILED_MS = 300
/** Programs that take longer are measured once: durations of seconds vary little. */
const LONG_MS = 2_000

export const compute: Group = {
  name: 'compute',
  title: 'Python itself',
  rounds: 3,
  rows: PROGRAMS.map(({ metric }) => ({ id: metric, title: metric, unit: 'ms', state: 'warm' })),
  async measure(peer, samples) {
    for (const [i, { metric, setUp, code }] of PROGRAMS.entries()) {
      // A session for each program, if sessions are cheap, so that a program that fails does not affect the next.
      const session = peer.mostSessions < PROGRAMS.length ? 'all' : `program-${i}`
      const execution = { do: 'execute', session, code } as const
      const reason = await samples.take(peer, [
        ...(session !== 'all' || i === 0 ? [{ do: 'create', session } as const] : []),
        { do: 'execute', session, code: setUp },
      ])
      if (reason !== undefined) {
        samples.cannot(metric, reason)
        continue
      }
      const [first] = await peer.perform([execution])
      if (first?.error === undefined && (first?.ms ?? 0) > LONG_MS) samples.add(metric, first?.ms ?? 0)
      else
        await samples.take(peer, [
          ...[execution, { do: 'sleep', forMs: COMPILED_MS } as const, execution],
          ...repeated(COUNT, () => [{ ...execution, as: metric }]),
        ])
    }
  },
}
