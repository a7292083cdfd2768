// D1, D2: short runs of chaos/stores/: killed processes, and two processes that take sessions from each other (chaos/README.md).
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { BRIEF } from '../support/brief-process.js'

interface Report {
  readonly violations: readonly string[]
  readonly acknowledged: number
}

async function run(program: string, ...args: string[]): Promise<Report> {
  const path = fileURLToPath(new URL(`../../chaos/${program}.mjs`, import.meta.url))
  const all = [...BRIEF, path, ...args, '--json', '--cache-dir', inject('cacheDir')]
  // A run that finds violations also prints its report, but exits with 1.
  const { stdout } = await promisify(execFile)(process.execPath, all, { timeout: 55_000 }).catch((error) => {
    if (!error.stdout) throw error
    return error as { stdout: string }
  })
  return JSON.parse(stdout) as Report
}

/** The seed differs in each run; a failure shows it. */
test('D2: everything that killed processes had acknowledged is in the store, with each execution once', async () => {
  const report = await run('kills', '--kills', '3', '--slots', '2', '--work-ms', '300')
  expect(report.violations, JSON.stringify(report)).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(0)
})

test('D1: two processes that take sessions from each other lose no update and never own a session at the same time', async () => {
  const report = await run('moves', '--seconds', '2', '--sessions', '10', '--slots', '2')
  expect(report.violations, JSON.stringify(report)).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(0)
})
