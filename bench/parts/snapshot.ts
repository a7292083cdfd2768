// The cost of capturing a session and of restoring it. Times are the caller's, from the call until the promise settles. What a session
// does not notice (renewing its old slot) is waited for, but not counted. Automatic checkpoints are off, except where they are
// measured. Not included: writing a snapshot to a store.
import type { Context } from '../context.js'
import type { Row } from '../report.js'
import { checkpointRows } from './snapshot/checkpoints.js'
import { dormancyRows } from './snapshot/dormancy.js'
import { largeRows } from './snapshot/large.js'
import { leftoverRows, smallRows } from './snapshot/small.js'

const STEPS = [
  { name: 'a small session', rows: smallRows },
  { name: 'what temporaries leave', rows: leftoverRows },
  { name: 'dormancy and forks', rows: dormancyRows },
  { name: '50 MB', rows: largeRows },
  { name: 'checkpoints beside executions', rows: checkpointRows },
]

export async function snapshot({ progress }: Context): Promise<Row[]> {
  const all: Row[] = []
  for (const { name, rows } of STEPS) {
    progress(`  snapshot: ${name}`)
    all.push(...(await rows()))
  }
  return all
}
