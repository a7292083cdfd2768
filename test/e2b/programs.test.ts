// Programs of E2B's own: those of the README of its package, with nothing changed but the import, as a user would run them.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(`${root}/node_modules/@e2b/code-interpreter/README.md`, 'utf8')
const programs = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)

/** With E2B's import changed. A program that does not kill its sandbox ends by itself. */
async function run(program: string): Promise<string> {
  const code = program.replace("'@e2b/code-interpreter'", "'brumate/e2b'")
  expect(code).not.toBe(program)
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    env: { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) },
  })
  return stdout
}

test("the first program of E2B's README runs as it is", async () => {
  const program = programs.find((code) => code.includes("runCode('x+=1; x')")) ?? ''
  expect(await run(program)).toBe('2\n')
})

test('a client of theirs is bound to its options, and its program ends by itself', async () => {
  // Their README goes on with volumes, templates and secrets of their cloud.
  const program = programs.find((code) => code.includes('new E2B(')) ?? ''
  const [sessions = ''] = program.split('// The core resources')
  expect(await run(`${sessions}\nconsole.log(execution.text)`)).toBe('2\n')
})
