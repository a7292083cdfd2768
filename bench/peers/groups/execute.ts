// The cost of a minimal execution, back to back and with pauses, and of a megabyte of output. Sessions take no checkpoints except in the
// rows that say so.
import { type Group, warmUpsOf } from '../group.js'
import type { Purpose } from '../peer.js'
import { type Measured, repeated } from '../samples.js'

const WARM_UP = 1_500
const COUNT = 1_000
const PACED = 60
const PACE_MS = 10
const OUTPUT_WARM_UP = 24
const OUTPUTS = 8

export const execute: Group = {
  name: 'execute',
  title: 'Executing',
  rounds: 3,
  rows: [
    { id: 'back-to-back', title: '`x = 1`, back to back', unit: 'ms', state: 'warm' },
    { id: 'paced', title: `\`x = 1\`, one each ${PACE_MS} ms`, unit: 'ms', state: 'warm' },
    {
      id: 'paced-checkpoints',
      title: `\`x = 1\`, one each ${PACE_MS} ms, with checkpoints`,
      unit: 'ms',
      state: 'warm',
      note: 'what brumate does by default',
    },
    { id: 'output', title: '1 MB printed', unit: 'ms', state: 'warm' },
  ],
  async measure(peer, samples) {
    const outputWarmUps = warmUpsOf(peer, OUTPUT_WARM_UP)
    await samples.take(peer, [
      { do: 'create', session: 'busy' },
      ...repeated<Measured>(WARM_UP + COUNT, (n) => [
        {
          do: 'execute',
          session: 'busy',
          code: 'x = 1',
          ...(n < WARM_UP ? {} : { as: 'back-to-back' }),
        },
      ]),
      ...paced('busy', 'paced'),
      { do: 'close', session: 'busy' },
    ])
    await samples.take(peer, [
      created('safe', 'checkpoints'),
      ...paced('safe', 'paced-checkpoints'),
      { do: 'close', session: 'safe' },
    ])
    await samples.take(peer, [
      created('loud', 'output'),
      ...repeated<Measured>(outputWarmUps + OUTPUTS, (n) => [
        {
          do: 'execute',
          session: 'loud',
          code: 'print("x" * 1_000_000)',
          expect: `${'x'.repeat(1_000_000)}\n`,
          ...(n < outputWarmUps ? {} : { as: 'output' }),
        },
      ]),
    ])
  },
}

const created = (session: string, purpose: Purpose): Measured => ({ do: 'create', session, for: purpose })

function paced(session: string, row: string): Measured[] {
  return repeated<Measured>(PACED, () => [
    { do: 'sleep', forMs: PACE_MS },
    { do: 'execute', session, code: 'x = 1', as: row },
  ])
}
