// The tour as `npm run tour` runs it: in its own process, with the built package.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { runExample } from '../support/run-node.js'

interface Told {
  readonly chapters: readonly { readonly title: string; readonly steps: readonly unknown[] }[]
  readonly facts: Readonly<Record<string, unknown>>
}

test('the error for a missing example lists the examples, and a missing build is explained', async () => {
  const run = async (file: string) => {
    const failed = promisify(execFile)(process.execPath, [file, 'nope']).catch((error) => error)
    const { code, stderr } = await failed
    return [code, stderr]
  }
  const names = readdirSync('examples')
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3))
    .join(', ')
  expect(await run('examples/run.mjs')).toEqual([
    2,
    `there is no example "nope"\nusage: node examples/run.mjs NAME [options]   (NAME: ${names})\n`,
  ])
  const code = "import { runBuilt } from './scripts/run-built.mjs'; await runBuilt('examples/nope.js')"
  const args = ['--input-type=module', '--eval', code]
  const { stderr } = await promisify(execFile)(process.execPath, args).catch((error) => error)
  expect(stderr).toBe(
    'dist/examples/nope.js is not there: run `npm run build` first, in a clone of the repository\n',
  )
})

describe('the tour', () => {
  let told: Told
  let stderr: string

  beforeAll(async () => {
    const { stdout, ...rest } = await runExample('tour', '--json')
    told = JSON.parse(stdout)
    stderr = rest.stderr
  })

  test('exits by itself and writes nothing to stderr', () => {
    expect(stderr).toBe('')
    expect(told.chapters.every(({ steps, title }) => steps.length > 0 || title.match(/end|Four/))).toBe(true)
  })

  test('A1: variables, classes and the execution count persist between calls', () => {
    expect(told.facts.account).toBe("Account(owner='Ada', balance=Decimal('20.00'))")
    expect(told.facts.executionCount).toBe(5)
  })

  test('A5: an error has its type and a traceback of the user’s code', () => {
    expect(told.facts.errorType).toBe('TypeError')
    expect(told.facts.errorTraceback).toContain("after('ten')")
  })

  test('A7, A8: clearState removes variables, and reset gives a fresh interpreter', () => {
    expect(told.facts.accountAfterClear).toBe(false)
    expect(told.facts.piIsBack).toBe(true)
    expect(told.facts.executionCountAfterReset).toBe(1)
  })

  test('A10: values convert in both directions', () => {
    expect(told.facts.best).toEqual({ ada: 10, grace: 9 })
  })

  test('B1: a loop that times out leaves the session’s state intact', () => {
    expect(told.facts.loopOutcome).toBe('interrupted')
    expect(told.facts.roundsKept).toBe(true)
  })

  test('B2: a session whose worker was ended continues from its last completed call', () => {
    expect(told.facts.deafOutcome).toBe('restored')
    expect(told.facts.roundsAfterKill).toBe(true)
    expect(told.facts.timeouts).toBe(2)
  })

  test('C1, C7: a snapshot lists its contents and can be restored in another session', () => {
    expect(told.facts.snapshotBytes).toBeLessThan(32_000)
    expect(told.facts.snapshotGlobals).toEqual([
      'Queue: type',
      'queue: Queue',
      'coming: generator',
      'book: TextIOWrapper',
    ])
    expect(told.facts.snapshotFiles).toEqual(['/home/pyodide/guests.txt'])
    expect(told.facts.thawedBook).toBe('Ada, Grace, Barbara')
    expect(told.facts.guestsOfTheFirst).toEqual(['Grace', 'Barbara'])
  })

  test('A9: four sessions of two tenants compute at the same time, each with its own variables', () => {
    const sums = Object.fromEntries(
      ['red-1', 'red-2', 'blue-3', 'blue-4'].map((id, i) => {
        let total = 0
        for (let n = 0; n < 300_000; n++) total += n % (i + 3)
        return [id, `('${id}', ${total})`]
      }),
    )
    expect(told.facts.tenants).toEqual(sums)
  })

  test('the analysis finds the same revenue that JavaScript computed', () => {
    expect(told.facts.revenueAgrees).toBe(true)
    expect(told.facts.report).toMatchObject({ orders: 4_000, quartiles: expect.any(Array) })
  })

  test('without --json it prints code and results as text', async () => {
    const { stdout } = await runExample('tour')
    expect(stdout).toContain('│ after(10)')
    expect(stdout).toContain('→ 1628.89')
    expect(stdout).toContain('✗ PythonError:')
    expect(stdout).toContain('JavaScript counted the same revenue while making the rows: yes.')
  })
})
