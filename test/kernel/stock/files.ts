// A11: the expected output of file-script.py is that of stock Pyodide. test/session/files.test.ts runs the script in sessions.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Kernel } from '../kernel.js'

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')

test('A11: a script of 261 file operations prints what sessions are expected to print', async () => {
  const kernel = await Kernel.shared()
  kernel.output()
  expect(kernel.execute(fixture('file-script.py'))).toMatchObject({ ok: true })
  expect(kernel.output().stdout).toBe(fixture('file-script.stdout'))
})
