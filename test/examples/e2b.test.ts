// The E2B example prints the same as on E2B.
import { expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

test('a program written for E2B runs after only its import is changed, and exits by itself', async () => {
  const { stdout } = await runExample('e2b')
  expect(stdout.split('\n')).toEqual([
    ...['read north', 'read south', 'read north'],
    ...["totals: {'north': 160, 'south': 80}", "in another context: ('region,amount', False)"],
    ...['an error: ZeroDivisionError division by zero', "after a pause: [('north', 160)]", ''],
  ])
})
