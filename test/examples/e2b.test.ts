// The E2B example prints the same as on E2B.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test('a program written for E2B runs after only its import is changed, and exits by itself', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'e2b'], { env })
  expect(stdout.split('\n')).toEqual([
    ...['read north', 'read south', 'read north'],
    ...["totals: {'north': 160, 'south': 80}", "in another context: ('region,amount', False)"],
    ...['an error: ZeroDivisionError division by zero', "after a pause: [('north', 160)]", ''],
  ])
})
