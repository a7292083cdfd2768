// A session as bytes, and another session created from them: how long each takes, and how large the snapshot is. A pause between two
// restores lets a peer get ready whatever it prepares ahead of need.
import { type Group, warmUpsOf } from '../group.js'
import { type Measured, repeated } from '../samples.js'

/** As many as V8 needs to have compiled what they run. A restore runs in a different slot each time. The other cases begin warm. */
const WARM_UP_OF_FIRST_CASE = { snapshots: 40, restores: 120 }
const WARM_UP = { snapshots: 6, restores: 6 }
const PAUSE_MS = 40
const LONG_PAUSE_MS = 150

interface Case {
  readonly id: string
  readonly title: string
  readonly code: string
  readonly check: string
  readonly expect: string
  readonly count: number
  readonly pauseMs: number
}

const SMALL = `x, name, primes = 1, 'Ada', [2, 3, 5, 7]
def area(a, b=2): return a * b`

const CASES: readonly Case[] = [
  {
    id: 'small',
    title: 'small: three variables, a function',
    code: SMALL,
    check: 'area(x) + sum(primes)',
    expect: '19',
    count: 12,
    pauseMs: PAUSE_MS,
  },
  {
    id: 'class',
    title: 'small, with a class and an instance',
    code: `${SMALL}
class Counter:
    def __init__(self): self.count = 40
    def more(self): self.count += 1
counter = Counter()
counter.more()`,
    check: 'counter.count + isinstance(counter, Counter)',
    expect: '42',
    count: 12,
    pauseMs: PAUSE_MS,
  },
  {
    id: 'objects',
    title: '1,000 records: dicts, lists and texts',
    code: "records = [{'id': i, 'name': f'name {i}', 'tags': [i, i + 1]} for i in range(1000)]",
    check: "records[999]['tags'][1] + len(records)",
    expect: '2000',
    count: 12,
    pauseMs: PAUSE_MS,
  },
  {
    id: '10-mb',
    title: '10 MB of random bytes',
    code: 'import os\ndata = os.urandom(10_000_000)',
    check: 'len(data)',
    expect: '10000000',
    count: 6,
    pauseMs: LONG_PAUSE_MS,
  },
]

export const snapshot: Group = {
  name: 'snapshot',
  title: 'Snapshots',
  rounds: 3,
  rows: CASES.flatMap(({ id, title }) => [
    {
      id: `${id}-first`,
      title: `${title}: first snapshot of the session`,
      unit: 'ms',
      state: 'cold',
    } as const,
    { id: `${id}-snapshot`, title: `${title}: snapshot`, unit: 'ms', state: 'warm' } as const,
    { id: `${id}-restore`, title: `${title}: restored`, unit: 'ms', state: 'warm' } as const,
    { id: `${id}-size`, title: `${title}: size`, unit: 'KB', state: 'warm', divide: 1000 } as const,
  ]),
  async measure(peer, samples) {
    for (const [i, { id, code, check, expect, count, pauseMs }] of CASES.entries()) {
      const warmUp = i === 0 ? WARM_UP_OF_FIRST_CASE : WARM_UP
      const snapshots = warmUpsOf(peer, warmUp.snapshots)
      const restores = warmUpsOf(peer, warmUp.restores)
      const [from, to] = [`${id}-from`, `${id}-to`]
      const reason = await samples.take(peer, [
        { do: 'create', session: from },
        { do: 'execute', session: from, code },
        ...repeated<Measured>(snapshots + count, (n) => [
          {
            do: 'snapshot',
            session: from,
            ...(n === 0 ? { as: `${id}-first` } : {}),
            ...(n < snapshots ? {} : { as: `${id}-snapshot`, bytesAs: `${id}-size` }),
          },
        ]),
        { do: 'create', session: to },
        ...repeated<Measured>(restores + count, (n) => [
          { do: 'sleep', forMs: n < restores ? 1 : pauseMs },
          { do: 'restore', session: to, ...(n < restores ? {} : { as: `${id}-restore` }) },
        ]),
      ])
      if (reason !== undefined) continue
      // A restore counts only if it brought the state back.
      const checked = { do: 'execute', session: to, code: check, value: true, expect } as const
      const lost = await samples.take(peer, [checked])
      if (lost !== undefined) samples.cannot(`${id}-restore`, lost)
      await peer.perform([
        { do: 'close', session: from },
        { do: 'close', session: to },
      ])
    }
  },
}
