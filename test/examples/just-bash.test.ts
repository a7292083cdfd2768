// The just-bash example prints a shell session.
import { expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

test('Python and shell commands work on the same files', async () => {
  const { stdout } = await runExample('just-bash')
  expect(stdout).toMatch(/\n\$ python3 totals.py < sales.csv && jq .north totals.json\n2 regions\n160\n/)
  expect(stdout).toMatch(/\nKeyError: 'west' \(exit code 1\)\n/)
  expect(stdout).toMatch(/sales.csv\ntotals.json\ntotals.py\n$/)
})
