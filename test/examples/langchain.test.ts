// The LangChain example prints the text that its model reads.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test('a LangChain agent calls tools from Python and computes with their results', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'langchain'], { env })
  expect(stdout).toMatch(
    /^>>> orders = await tools.get_orders\(region='north'\)\n\.\.\. len\(orders\)\n1000\n/,
  )
  expect(stdout).toMatch(/\nTypeError: unsupported operand type\(s\) for \/: 'list' and 'int'\n/)
  expect(stdout).toMatch(/\n\(50\.0, 100\)\nHalf of the orders are over 50\.\n$/)
})
