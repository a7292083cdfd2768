// The MCP example prints the text that a model would read.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test('a client with a token runs Python over HTTP', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'mcp'], { env })
  expect(stdout).toMatch(/^tools: run_python, .*\n>>> from statistics[\s\S]*\n>>> mean\(prices\)\n6\n/)
  expect(stdout).toMatch(/\nNameError: name 'costs' is not defined/)
})
