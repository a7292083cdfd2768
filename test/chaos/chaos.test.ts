// S2, S3: a short run of the chaos suite (chaos/README.md), in a process of its own whose workers are killed all the time.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { scaled } from '../support/slowness.mjs'

/** Longer on a slow or busy machine, so that as much happens there. */
const MINUTES = scaled(3000) / 60_000
const RUN = fileURLToPath(new URL('../../chaos/run.mjs', import.meta.url))

interface Report {
  readonly violations: readonly string[]
  readonly calls: number
  readonly faults: Readonly<Record<string, number>>
}

/** The seed differs in each run; a failure names it. `npm run chaos` runs for minutes. */
test.each([Math.floor(Math.random() * 2 ** 32)])(
  'S2, S3: after some seconds of chaos with seed %s, every call is settled, every state is right and nothing is left behind',
  async (seed) => {
    const args = ['--minutes', `${MINUTES}`, '--slots', '4', '--seed', `${seed}`, '--json']
    const child = spawn(process.execPath, [RUN, ...args, '--cache-dir', inject('cacheDir')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(stdout, stderr).not.toBe('')
    const { violations, calls, faults } = JSON.parse(stdout) as Report
    expect(violations).toEqual([])
    expect(code, stderr).toBe(0)
    // The run really did something.
    expect(calls).toBeGreaterThan(10)
    expect(Object.keys(faults).length).toBeGreaterThan(1)
  },
  120_000,
)
