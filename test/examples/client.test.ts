// The client example, which starts its own server.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test('the client example uses sessions of a server, with callbacks in the client', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'client'], { env })
  expect(stdout).toContain('async def price(order: int)')
  expect(stdout).toContain(`3 prices
sum: 6
suspended { what: 'refund', amount: 6 }
approved: true
[ 'a,b', '1,2' ]
ZeroDivisionError 1
`)
})
