// A bounded run of every fuzzer with a fixed seed, and the command line of `npm run fuzz`. Each run prints the outcomes of its cases.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'
import { findFuzzers } from './support/fuzzer.js'

const SEED = 16
const CASES = 25
/** More than enough time for the cases. On a busy machine fewer cases run, and the printed count shows it. */
const RUN_MS = 8000
/** Fuzzers whose cases take microseconds, or two milliseconds, run more of them. */
const MANY_CASES: Readonly<Record<string, number>> = { messages: 5_000, linker: 150 }
/** Fuzzers that another test runs, with more assertions. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  imports: 'test/security/stack.test.ts',
  values: 'test/values/main-thread.test.ts',
}

const root = new URL('../../', import.meta.url)
if (!existsSync(new URL('dist/test/fuzz/', root)))
  throw new Error('the fuzzers are not compiled: npm run build')

describe('fuzzers', async () => {
  const fuzzers = await findFuzzers(root)

  it('every module in test/fuzz is found', () => {
    const files = readdirSync(new URL('test/fuzz/', root))
    const modules = files.flatMap((file) => /^([\w-]+)\.(?:ts|mjs)$/.exec(file)?.[1] ?? [])
    const helpers = ['main', 'run', 'random']
    expect(fuzzers.map(({ name }) => name)).toEqual(
      modules.filter((name) => !helpers.includes(name)).toSorted(),
    )
  })

  it.each(Object.entries(RUN_ELSEWHERE))('%s is run by %s', (name, path) => {
    expect(fuzzers.map((fuzzer) => fuzzer.name)).toContain(name)
    expect(readFileSync(new URL(path, root), 'utf8')).toContain(`fuzz/${name}.mjs'`)
  })

  for (const { name, run } of fuzzers.filter((fuzzer) => !(fuzzer.name in RUN_ELSEWHERE))) {
    it(`${name} finds no fault`, async () => {
      const report = await run({
        seed: SEED,
        deadlineMs: performance.now() + RUN_MS,
        maxCases: MANY_CASES[name] ?? CASES,
        cacheDir: inject('cacheDir'),
        onProgress: () => {},
      })
      console.log(`${name}: ${report.cases} cases, ${JSON.stringify(report.counts)}`)
      expect(report.faults).toEqual([])
      expect(report.cases).toBeGreaterThan(0)
    })
  }
})

describe('npm run fuzz', () => {
  const fuzz = (...flags: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('test/fuzz/run.mjs', root)), ...flags], {
      encoding: 'utf8',
    })

  it('--help prints the usage and the fuzzers’ names', () => {
    const { status, stdout, stderr } = fuzz('--help')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^usage: npm run fuzz -- .+\nfuzzers: .*messages/)
  })

  it.each([[['--minutes', '-1']], [['--minutes']], [['--only', 'nothing']], [['--minuets', '1']]])(
    '%j prints one line and exits with 2',
    (flags) => {
      const { status, stdout, stderr } = fuzz(...flags)
      expect([status, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^fuzz: [^\n]+\n$/)
    },
  )

  it('a fuzzer that ran no case is reported as a fault', () => {
    const { status, stdout } = fuzz('--only', 'messages', '--minutes', '1e-9')
    expect([status, stdout]).toEqual([1, expect.stringContaining('messages: FAULT it ran no case')])
  })
})
