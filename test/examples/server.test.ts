// The server example prints events, and a call that the client answers.
import { expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

test('a client using only fetch runs Python and answers a call from it', async () => {
  const { stdout } = await runExample('server')
  expect(stdout).toBe(
    'event: output, event: pending, event: result\nPython asks for price({"item":"tea"})\ncompleted: 42\n',
  )
})
