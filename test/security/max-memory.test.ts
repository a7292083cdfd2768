// G: the resident memory of the process stays within `maxMemoryBytes` plus 250 MB, whatever four sessions do at once, and other sessions
// keep working. Without the option the same code takes more. `npm run bench -- memory` does this for longer.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

const CHILD = fileURLToPath(new URL('../../dist/bench/children/hostile-memory.js', import.meta.url))
const MAX_MB = 500
/** Allowance for Node itself and memory of ended threads that is not unmapped yet: the README's figure. */
const BESIDE_MB = 250
/** Duration of each piece of hostile code; four sessions use up the memory in less. */
const ATTACK_MS = '120'

test('G1, G9, G12, G14: hostile sessions keep the process within maxMemoryBytes, and other sessions are served', async () => {
  const args = [CHILD, String(MAX_MB), ATTACK_MS, 'memory', 'names', 'files', 'output']
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, BRUMATE_CACHE_DIR: inject('cacheDir') },
  })
  const { peakRssMb, peakUsedMb, answers, untyped } = JSON.parse(stdout)
  expect(untyped).toEqual([])
  expect(peakUsedMb).toBeLessThanOrEqual(MAX_MB)
  expect(peakRssMb).toBeLessThanOrEqual(MAX_MB + BESIDE_MB)
  expect(answers).toBeGreaterThan(20)
}, 120_000)
