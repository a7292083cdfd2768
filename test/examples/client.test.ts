// The client example, which starts its own server.
import { expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

test('the client example uses sessions of a server, with callbacks in the client', async () => {
  const { stdout } = await runExample('client')
  expect(stdout).toContain('async def price(order: int)')
  expect(stdout).toContain(`3 prices
sum: 6
suspended { what: 'refund', amount: 6 }
approved: true
[ 'a,b', '1,2' ]
ZeroDivisionError 1
`)
})
