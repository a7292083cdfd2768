// The cost of calling a host function: one call after another, and a thousand at once. Warm rows come after as many calls as V8 needs to
// have compiled all that a call runs.
import { type Group, warmUpsOf } from '../group.js'
import { type Measured, repeated } from '../samples.js'

const CALLS = 100
const AT_ONCE = 1_000
const WARM_UP = 40
const COUNT = 10

export const callbacks: Group = {
  name: 'callbacks',
  title: 'Host functions',
  rounds: 3,
  rows: [
    { id: 'call-cold', title: `the first ${CALLS} calls, each`, unit: 'ms', state: 'cold', divide: CALLS },
    { id: 'call', title: 'one call, round trip', unit: 'ms', state: 'warm', divide: CALLS },
    { id: 'gather', title: `${AT_ONCE.toLocaleString('en')} calls in one gather`, unit: 'ms', state: 'warm' },
  ],
  async measure(peer, samples) {
    const warmUps = warmUpsOf(peer, WARM_UP)
    const sampleOf = (row: string, n: number) => {
      if (n === 0 && row === 'call') return { as: 'call-cold' }
      return n < warmUps ? {} : { as: row }
    }
    const times = (row: string, code: string) =>
      repeated<Measured>(warmUps + COUNT, (n) => [{ do: 'execute', session: row, code, ...sampleOf(row, n) }])
    await samples.take(peer, [
      { do: 'create', session: 'call', for: 'callbacks' },
      ...times('call', `for _ in range(${CALLS}):\n    ${peer.call}`),
    ])
    if (!peer.call.startsWith('await ')) {
      samples.cannot('gather', peer.call === '' ? 'has no host functions' : 'answers one call at a time')
      return
    }
    await samples.take(peer, [
      { do: 'create', session: 'gather', for: 'callbacks' },
      { do: 'execute', session: 'gather', code: 'import asyncio' },
      ...times(
        'gather',
        `sum_of = sum(await asyncio.gather(*[${peer.call.replace('await ', '')} for _ in range(${AT_ONCE})]))`,
      ),
      { do: 'execute', session: 'gather', code: 'sum_of', value: true, expect: String(2 * AT_ONCE) },
    ])
  },
}
