// The LangChain example prints the text that its model reads.
import { expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

test('a LangChain agent calls tools from Python and computes with their results', async () => {
  const { stdout } = await runExample('langchain')
  expect(stdout).toMatch(
    /^>>> orders = await tools.get_orders\(region='north'\)\n\.\.\. len\(orders\)\n1000\n/,
  )
  expect(stdout).toMatch(/\nTypeError: unsupported operand type\(s\) for \/: 'list' and 'int'\n/)
  expect(stdout).toMatch(/\n\(50\.0, 100\)\nHalf of the orders are over 50\.\n$/)
})
