// `npm run fuzz`: every module of this folder for some minutes. Owns the course of a run and its report; the exit code is 0 only if no
// module found a fault.
import { parseArgs } from 'node:util'
import { findFuzzers } from './support/fuzzer.js'

const PROGRESS_MS = 5000
const USAGE = 'usage: npm run fuzz -- [--minutes 1] [--only NAME] [--seed N] [--cache-dir PATH] [--json]'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    only: { type: 'string' },
    seed: { type: 'string' },
    'cache-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
const runMs = Number(values.minutes) * 60_000
// This file is compiled, as most modules are; those that need the build's inner parts are plain modules of the source folder.
const all = await findFuzzers(new URL('.', import.meta.url), new URL('../../../test/fuzz/', import.meta.url))
const chosen = all.filter(({ name }) => values.only === undefined || name === values.only)
if (![seed, runMs].every((value) => Number.isFinite(value) && value >= 0) || chosen.length === 0) {
  console.error(`${USAGE}\nmodules: ${all.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const astray: string[] = []
process.on('unhandledRejection', (error) => astray.push(`an unhandled rejection: ${text(error)}`))
process.on('uncaughtException', (error) => astray.push(`an uncaught exception: ${text(error)}`))

const reports = []
for (const { name, run } of chosen) {
  progress(`${name}: seed ${seed}, ${Math.round(runMs / chosen.length / 1000)} s`)
  let shownMs = performance.now()
  const startedMs = shownMs
  const report = await run({
    seed,
    deadlineMs: startedMs + runMs / chosen.length,
    ...(values['cache-dir'] === undefined ? {} : { cacheDir: values['cache-dir'] }),
    onProgress: (cases) => {
      if (performance.now() - shownMs < PROGRESS_MS) return
      shownMs = performance.now()
      progress(`${name}: ${cases} cases`)
    },
  }).catch((error: unknown) => ({
    cases: 0,
    counts: {},
    faults: [`the module itself failed: ${text(error)}`],
  }))
  const faults = [...report.faults, ...astray.splice(0)]
  reports.push({ name, ...report, faults, seconds: (performance.now() - startedMs) / 1000 })
  const counts = Object.entries(report.counts).map(([outcome, count]) => `${outcome} ${count}`)
  progress(`${name}: ${report.cases} cases: ${counts.join(', ')}`)
  for (const fault of faults) progress(`${name}: FAULT ${fault}`)
  if (faults.length > 0) progress(`again: npm run fuzz -- --only ${name} --seed ${seed}`)
}

const ok = reports.every(({ faults }) => faults.length === 0)
if (values.json) process.stdout.write(`${JSON.stringify({ ok, seed, reports }, null, 2)}\n`)
// What a module left behind would keep the process.
process.exit(ok ? 0 : 1)

function progress(line: string): void {
  process[values.json ? 'stderr' : 'stdout'].write(`${line}\n`)
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
