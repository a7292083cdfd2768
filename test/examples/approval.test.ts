// The approval example (issue 4): a script saved by one process and resumed by another, also under another version of Node.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runNode } from '../support/run-node.js'

const run = promisify(execFile)

const other = process.version.startsWith('v24.') ? '20' : '24'

let directory: string
let file: string
let frozen: string[]
/** The path of the other version of Node, which npx is asked for once. */
let otherNode: Promise<string> | undefined

/** Runs the example in a process of its own and returns the lines it prints. */
async function example(node: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await runNode(['examples/run.mjs', 'approval', ...args], { node })
  return stdout.trim().split('\n')
}

async function pathOf(which: 'same' | 'other'): Promise<string> {
  if (which === 'same') return process.execPath
  const options = { shell: process.platform === 'win32' }
  otherNode ??= run('npx', ['-y', `node@${other}`, '-p', 'process.execPath'], options).then(({ stdout }) =>
    stdout.trim(),
  )
  return otherNode
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'brumate-approval-'))
  file = join(directory, 'frozen')
  frozen = await example(process.execPath, 'freeze', file)
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('D8: the first process calls each tool once and prints what it is waiting for', async () => {
  expect(frozen.slice(0, -1).sort()).toEqual([
    'suspended: may I refund order 1204?',
    'tool approve',
    'tool customer_of',
    'tool price_of',
  ])
  expect((await stat(file)).size).toBeLessThanOrEqual(100 * 1024)
})

describe.each([
  ['another process', 'same'],
  [`another version of Node (${other})`, 'other'],
] as const)('C8: %s answers', (_, which) => {
  test('yes: the script runs to its end, and no tool is called again', async () => {
    const lines = await example(await pathOf(which), 'answer', file, 'yes')
    expect(lines).toEqual(['Ada paid 75.25; refunded 75.25 to Ada'])
  }, 120_000)

  test('no: the same snapshot ends without the refund', async () => {
    const lines = await example(await pathOf(which), 'answer', file, 'no')
    expect(lines).toEqual(['Ada paid 75.25; nothing refunded'])
  }, 120_000)
})
