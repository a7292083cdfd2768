// Code that does not stop: how late after its deadline the call settles, whether the session still exists with its state, and how long it
// takes, from the deadline on, until a session with the earlier state answers. Peers without deadlines cannot be compared: ending them
// loses everything.
import type { Group } from '../group.js'
import type { Measured } from '../samples.js'

const DEADLINE_MS = 300
const ROUNDS = 3
const SWALLOWS = 'while True:\n    try:\n        while True: pass\n    except BaseException: pass'
const KINDS = [
  { id: 'loop', title: '`while True: pass`', code: 'while True: pass' },
  { id: 'swallows', title: 'a loop that catches everything', code: SWALLOWS },
  { id: 'power', title: '`10 ** 10 ** 8`', code: '10 ** 10 ** 8' },
]

export const stopping: Group = {
  name: 'stopping',
  title: 'Deadlines',
  rounds: 2,
  // A session takes part in one deadline of each kind, and a restart. Code that does not stop is ended with its process.
  mostSeconds: 60,
  rows: [
    ...KINDS.flatMap(({ id, title }) => [
      {
        id: `${id}-late`,
        title: `${title}: late by`,
        unit: 'ms',
        state: 'warm',
        minus: DEADLINE_MS,
      } as const,
      {
        id: `${id}-again`,
        title: `${title}: until it answers again`,
        unit: 'ms',
        state: 'warm',
        minus: DEADLINE_MS,
      } as const,
    ]),
    { id: 'left', title: 'of these, the session goes on with its state', unit: 'of 3', state: 'warm' },
  ],
  async measure(peer, samples) {
    let left = 0
    for (const { id, code } of KINDS) {
      const session = id
      const answer = { do: 'execute', session, code: 'kept', value: true, expect: '41' } as const
      let reason: string | undefined
      for (let round = 0; round < ROUNDS && reason === undefined; round++) {
        const sum = { sum: `${id}-again` }
        const steps: Measured[] = [
          { do: 'create', session, for: 'deadline' },
          { do: 'execute', session, code: 'kept = 41' },
          { do: 'snapshot', session },
          { do: 'execute', session, code, fails: true, as: `${id}-late`, ...sum },
        ]
        reason = await samples.take(peer, [
          ...steps,
          { do: 'recover', session, ...sum },
          { ...answer, ...sum },
        ])
        if (reason !== undefined || round > 0) continue
        await peer.perform([{ do: 'close', session }])
        // Once more, without doing anything to recover the session.
        const [answered] = (await peer.perform([...steps, answer])).slice(-1)
        if (answered?.value === '41') left++
        await peer.perform([{ do: 'close', session }])
      }
    }
    if (samples.rows['loop-late']?.samples) samples.add('left', left)
    else samples.cannot('left', samples.rows['loop-late']?.cannot ?? 'no answer')
  },
}
