// What it costs to freeze a session and to thaw it. Times are the caller's, from the call to the promise; what a session does not
// notice (its old slot being made the image again) is waited for and not counted. Checkpoints that are taken by themselves
// are off but where they are measured. What it leaves out: writing a snapshot anywhere.
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
