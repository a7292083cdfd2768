// Invariant R1 when guest code has used up the native stack: no host code runs there, whoever calls it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, inject, it } from 'vitest'
import { run } from '../fuzz/imports.mjs'
import { DIST } from './support/child.js'

const execute = promisify(execFile)
const FUZZ_CASES = 3_000

/** Resolves to the lines that the program prints; rejects if it ends by a signal or another exit code. */
async function linesOf(program: string, args: readonly string[], flags: readonly string[] = []) {
  const path = fileURLToPath(new URL(`support/${program}.mjs`, import.meta.url))
  const { stdout } = await execute(process.execPath, [...flags, path, ...args])
  return stdout.trim().split('\n')
}

describe('an exhausted stack', () => {
  it('R1: Python code that exhausts it gets a typed error, and the session continues', {
    timeout: 120_000,
  }, async () => {
    const lines = await linesOf('exhausted-stack', [DIST, inject('cacheDir')])
    const results = new Set(lines.map((line) => line.replace(/^\d+ /, '')))
    const end = 'the interpreter crashed: the code used up the native stack'
    const goesOn = 'the session continues from its last checkpoint, then 2'
    expect([...results].sort()).toEqual([`InterpreterCrashedError restored ${end}; ${goesOn}`, 'returned'])
  })

  it('R1: no import runs with too little of it, whatever its arguments', {
    timeout: 120_000,
  }, async () => {
    const options = {
      seed: 16,
      deadlineMs: performance.now(),
      minCases: FUZZ_CASES,
      cacheDir: inject('cacheDir'),
    }
    const { cases, counts, faults } = await run(options)
    expect(faults).toEqual([])
    expect(cases).toBeGreaterThanOrEqual(FUZZ_CASES)
    expect(counts['no stack']).toBeGreaterThan(500)
    expect(counts.returned).toBeGreaterThan(500)
  })

  // By default V8 uses both compilers, depending on how often a function is called.
  it.each(['--liftoff-only', '--no-liftoff'])(
    'R1: 128 KB of it are reserved for an import (%s)',
    async (flag) => {
      const [line = ''] = await linesOf('stack-probe', [DIST], [flag])
      const { reserveBytes, wrong } = JSON.parse(line) as { reserveBytes: number; wrong: number }
      expect(reserveBytes).toBeGreaterThanOrEqual(128 * 1024)
      expect(reserveBytes).toBeLessThan(136 * 1024)
      expect(wrong).toBe(0)
    },
  )
})
