// Like a notebook: ten cells in a new session, without storing, and with each cell's effect synced to a disk before the next. A peer
// without durability writes its snapshot to a file after each cell.
import { type Group, warmUpsOf } from '../group.js'
import { type Measured, repeated } from '../samples.js'

const WARM_UP = 12
const SESSIONS = 6
const PAUSE_MS = 80

/** Uses only what every peer's Python has: no classes, no imports. */
const CELLS = [
  'prices = [19.5, 7, 42, 3.25]',
  'def spread(xs): return max(xs) - min(xs)',
  'total = sum(prices)',
  'names = [f"item {i}" for i in range(200)]',
  'index = {name: i for i, name in enumerate(names)}',
  'evens = [name for name in names if index[name] % 2 == 0]',
  'text = ", ".join(evens)',
  'lengths = sorted(len(name) for name in names)',
  'def label(i, prefix="row"): return f"{prefix}-{i:03}"',
  'answer = f"{spread(prices)} {len(text)} {label(lengths[-1])}"',
]
/** `38.75 878 row-008` */
const ANSWER_LENGTH = '17'

export const cells: Group = {
  name: 'cells',
  title: 'Ten cells in a new session',
  rounds: 3,
  rows: [
    { id: 'plain-cold', title: 'ten cells in the first session', unit: 'ms', state: 'cold' },
    { id: 'plain', title: 'ten cells, the session included', unit: 'ms', state: 'warm' },
    { id: 'durable', title: 'ten cells, each synced to a disk', unit: 'ms', state: 'warm' },
  ],
  async measure(peer, samples) {
    const few = peer.mostSessions < SESSIONS
    const warmUps = few ? 0 : warmUpsOf(peer, WARM_UP)
    const last = warmUps + (few ? 1 : SESSIONS)
    for (const row of ['plain', 'durable'] as const)
      for (let n = 0; n < last; n++) {
        const isFirst = n === 0 && row === 'plain' && !few
        const sum = isFirst ? { sum: 'plain-cold' } : n < warmUps ? {} : { sum: row }
        const session = `${row}-${n}`
        const purpose = row === 'durable' ? ({ for: 'durability' } as const) : {}
        const reason = await samples.take(peer, [
          { do: 'create', session, ...purpose, ...sum },
          ...repeated<Measured>(CELLS.length, (i) => [
            { do: row === 'durable' ? 'cell' : 'execute', session, code: CELLS[i] ?? '', ...sum },
          ]),
        ])
        if (reason !== undefined) break
        const checked = await samples.take(peer, [
          { do: 'execute', session, code: 'len(answer)', value: true, expect: ANSWER_LENGTH },
          { do: 'close', session },
          { do: 'sleep', forMs: PAUSE_MS },
        ])
        if (checked !== undefined && peer.name === 'brumate') throw new Error(checked)
      }
  },
}
