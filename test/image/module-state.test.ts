// S1: running code can change nothing in the core module that a renewal cannot see and restore. Checked on the instructions themselves.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { INTERPRETER_EXPORTS, STATE_PREFIX } from '../../workers/interpreter/exports.js'
import { coreModuleBytes } from '../../workers/interpreter/wasm-binary.js'
import { changesOf } from './support/instructions.js'

/** The function table. */
const FUNCTIONS = 0
const STACK_POINTER = 280

test('S1: code changes only exported globals and tables, and never an entry of the function table', async () => {
  const file = createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm')
  const core = coreModuleBytes(await readFile(file), INTERPRETER_EXPORTS)
  const globals = new Set<number>()
  const tables = new Set<number>()
  for (const change of changesOf(core)) (change.what === 'global' ? globals : tables).add(change.index)
  expect(tables).not.toContain(FUNCTIONS)
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(core)).map(({ name }) => name)
  expect(exported).toContain('__stack_pointer')
  for (const index of globals)
    if (index !== STACK_POINTER) expect(exported).toContain(`${STATE_PREFIX}global ${index}`)
  for (const index of tables) expect(exported).toContain(`${STATE_PREFIX}table ${index}`)
  // Make sure that the reader saw changes: without any, the checks above would pass too.
  expect([globals.size, tables.size]).toEqual([4, 2])
})
