// The MCP example prints the text that a model would read.
import { expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

test('a client with a token runs Python over HTTP', async () => {
  const { stdout } = await runExample('mcp')
  expect(stdout).toMatch(/^tools: run_python, .*\n>>> from statistics[\s\S]*\n>>> mean\(prices\)\n6\n/)
  expect(stdout).toMatch(/\nNameError: name 'costs' is not defined/)
})
