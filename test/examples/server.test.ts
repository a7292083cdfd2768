// The server example prints events, and a call that the client answers.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test('a client using only fetch runs Python and answers a call from it', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'server'], { env })
  expect(stdout).toBe(
    'event: output, event: pending, event: result\nPython asks for price({"item":"tea"})\ncompleted: 42\n',
  )
})
