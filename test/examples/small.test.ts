// The small examples, run the way a user runs them.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { realImage, realImageOptions } from '../packages/support/real-image.js'
import { runNode } from '../support/run-node.js'

const lines = (...example: string[]) => node('examples/run.mjs', ...example)

async function node(...args: string[]): Promise<string[]> {
  const { stdout } = await runNode(args)
  return stdout.trim().split('\n')
}

test('files can be copied into and out of a session, and two sessions share a storage', async () => {
  expect(await lines('files')).toEqual([
    'created /home/pyodide/total.txt',
    'total.txt: 26.50',
    'the other session read [ 2, 2650 ]',
    'the host lists shop.db',
  ])
})

test('forty tenants share four slots, and a tenant’s infinite loop costs only that tenant’s cell', async () => {
  expect(await lines('tenants')).toEqual([
    'A2 of all: 8200',
    'a mistake: #ZeroDivisionError',
    'a runaway: #TIMEOUT',
    'its other cells: 22',
    '40 sessions, of which 4 have a slot now',
  ])
})

// The first test that needs the image builds it.
const withPackages = { timeout: 240_000 }
test.runIf(process.env.BRUMATE_WHEELS)('pandas pivots a CSV file and plots it', withPackages, async () => {
  // Use the image that tests share instead of building one with the newest versions.
  await realImage()
  const code = await readFile('dist/examples/analysis.js', 'utf8')
  const options = JSON.stringify(realImageOptions()).slice(1, -1)
  const printed = await node('--input-type=module', '--eval', code.replace(/packages: \[.*?\]/, options))
  expect(printed[0]).toMatch(/^region +north +south$/)
  expect(printed).toContainEqual(expect.stringMatching(/^2026-02 +42\.0 +11\.0$/))
  expect(printed.at(-1)).toMatch(/^a figure of \d+ KB$/)
})
