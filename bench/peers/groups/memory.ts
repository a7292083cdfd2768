// Resident memory: what one more live session adds to the process, and what an idle one takes. Compares a process with many of them to one
// with few.
import type { Group } from '../group.js'
import { LEFT_OUT } from '../group.js'
import type { Peer, Step } from '../peer.js'
import { repeated, type Samples } from '../samples.js'

const LIVE = 8
const FEW_LIVE = 3
/** More sessions mean less noise: uses as many as take about this long, within limits. */
const RESTING_MS = 15_000
const [LEAST_RESTING, MOST_RESTING] = [30, 400]
/** Share of the sessions that is not counted. After them, all code is compiled and every buffer has its full size. */
const FIRST_SHARE = 0.25
const SETTLE_MS = 800
const MiB = 2 ** 20
const KB = 1000
const CODE = 'x, name, primes = 1, "Ada", [2, 3, 5, 7]\ndef area(a, b=2): return a * b'

export const memory: Group = {
  name: 'memory',
  title: 'Memory',
  rounds: 1,
  sessions: LIVE + 1,
  rows: [
    { id: 'live', title: 'one more live session', unit: 'MiB', state: 'warm', divide: MiB },
    { id: 'resting', title: 'one more session at rest', unit: 'KB', state: 'warm', divide: KB },
  ],
  async measure(peer, samples) {
    const live = peer.mostSessions < LIVE ? FEW_LIVE : LIVE
    const ids = Array.from({ length: live }, (_, n) => `live-${n}`)
    const growth = await growthOf(peer, samples, 'live', ids, live - 1, (session) => [
      { do: 'create', session },
      { do: 'execute', session, code: 'x = 1' },
    ])
    if (growth !== undefined) samples.add('live', growth)
    samples.flush()
    await peer.perform(ids.map((session) => ({ do: 'close', session })))
    if (peer.mostSessions < LIVE) return samples.cannot('resting', LEFT_OUT)
    const make = (session: string): Step[] => [
      { do: 'create', session },
      { do: 'execute', session, code: CODE },
      { do: 'rest', session },
    ]
    const tried = await peer.perform([...make('first'), ...make('second')])
    const reason = tried.find(({ cannot }) => cannot !== undefined)?.cannot
    if (reason !== undefined) return samples.cannot('resting', reason)
    const oneMs = tried.slice(3).reduce((sum, { ms }) => sum + ms, 0)
    const count = Math.round(Math.min(MOST_RESTING, Math.max(LEAST_RESTING, RESTING_MS / oneMs)))
    const many = Array.from({ length: count }, (_, n) => `resting-${n}`)
    const counted = Math.round(count * (1 - FIRST_SHARE))
    const resting = await growthOf(peer, samples, 'resting', many, counted, make)
    if (resting !== undefined) samples.add('resting', resting)
  },
}

type Steps = Parameters<Samples['take']>[1]

/** Bytes by which each of the last `counted` sessions made the process larger. */
async function growthOf(
  peer: Peer,
  samples: Samples,
  row: string,
  sessions: readonly string[],
  counted: number,
  make: (session: string) => Steps,
): Promise<number | undefined> {
  const first = sessions.slice(0, sessions.length - counted)
  const steps: Steps = [
    ...first.flatMap(make),
    { do: 'sleep', forMs: SETTLE_MS },
    { do: 'rss' },
    ...repeated(counted, (n) => make(sessions[first.length + n] ?? '')),
    { do: 'sleep', forMs: SETTLE_MS },
    { do: 'rss' },
  ]
  const done = await peer.perform(steps)
  const failed = done.find(({ error, cannot }) => error !== undefined || cannot !== undefined)
  const [before, after] = done.filter(({ bytes }, i) => bytes !== undefined && steps[i]?.do === 'rss')
  if (failed !== undefined || before?.bytes === undefined || after?.bytes === undefined) {
    samples.cannot(row, failed?.cannot ?? `fails: ${failed?.error ?? 'resident memory is not known'}`)
    return undefined
  }
  return (after.bytes - before.bytes) / counted
}
