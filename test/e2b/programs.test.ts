// E2B's own programs, from its package's README, with only the import changed, run the way a user would run them.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runNode } from '../support/run-node.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(`${root}/node_modules/@e2b/code-interpreter/README.md`, 'utf8')
const programs = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)

/** Runs a program with E2B's import replaced. It must exit by itself, even if it does not kill its sandbox. */
async function run(program: string): Promise<string> {
  const code = program.replace("'@e2b/code-interpreter'", "'brumate/e2b'")
  expect(code).not.toBe(program)
  const { stdout } = await runNode(['--input-type=module', '--eval', code])
  return stdout
}

test('the first program of the README of E2B runs unchanged', async () => {
  const program = programs.find((code) => code.includes("runCode('x+=1; x')")) ?? ''
  expect(await run(program)).toBe('2\n')
})

test('a sandbox created by an E2B client works, and the program exits by itself', async () => {
  // The rest of E2B's program uses volumes, templates and secrets of its cloud.
  const program = programs.find((code) => code.includes('new E2B(')) ?? ''
  const [sessions = ''] = program.split('// The core resources')
  expect(await run(`${sessions}\nconsole.log(execution.text)`)).toBe('2\n')
})
