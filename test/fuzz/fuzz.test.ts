// A bounded run of every fuzzer, from one seed: what `npm run fuzz` does for minutes. Each prints what its cases came to.
import { existsSync } from 'node:fs'
import { describe, expect, inject, it } from 'vitest'
import { findFuzzers } from './support/fuzzer.js'

const SEED = 16
const CASES = 400
/** More than enough for the cases on a busy machine; fewer cases are run then, and the count tells. */
const RUN_MS = 8000

const compiled = new URL('../../dist/test/fuzz/', import.meta.url)
if (!existsSync(compiled)) throw new Error('the fuzzers are not compiled: npm run build')

describe('fuzzers', async () => {
  for (const { name, run } of await findFuzzers(compiled)) {
    it(`${name}: no fault`, async () => {
      const report = await run({
        seed: SEED,
        deadlineMs: performance.now() + RUN_MS,
        maxCases: CASES,
        cacheDir: inject('cacheDir'),
        onProgress: () => {},
      })
      console.log(`${name}: ${report.cases} cases, ${JSON.stringify(report.counts)}`)
      expect(report.faults).toEqual([])
      expect(report.cases).toBeGreaterThan(0)
    })
  }
})
