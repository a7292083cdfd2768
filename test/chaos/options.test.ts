// How the programs of chaos/ answer options that they do not have.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const PROGRAMS = ['run', 'kills', 'moves', 'restate', 'server']

test.each(PROGRAMS)(
  'chaos/%s.mjs says in one line which option is unknown and where the options are',
  (name) => {
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [`chaos/${name}.mjs`, ...args], { encoding: 'utf8' })
    const unknown = run('--nope')
    expect([unknown.status, unknown.stdout]).toEqual([2, ''])
    expect(unknown.stderr).toMatch(/^[^\n]*'--nope'[^\n]*The options are in chaos\/README\.md\.\n$/)
    const help = run('--help')
    expect([help.status, help.stdout]).toEqual([0, 'The options are in chaos/README.md.\n'])
  },
)

test('chaos/server.mjs rejects a value that is not a number', () => {
  const args = ['chaos/server.mjs', '--clients', 'many']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringMatching(/^usage: node chaos\/server\.mjs [^\n]*\n$/)])
})
