// The just-bash example prints a shell session.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test('Python and shell commands work on the same files', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) }
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/run.mjs', 'just-bash'], { env })
  expect(stdout).toMatch(/\n\$ python3 totals.py < sales.csv && jq .north totals.json\n2 regions\n160\n/)
  expect(stdout).toMatch(/\nKeyError: 'west' \(exit code 1\)\n/)
  expect(stdout).toMatch(/sales.csv\ntotals.json\ntotals.py\n$/)
})
