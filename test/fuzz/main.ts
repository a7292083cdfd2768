// `npm run fuzz`: runs every fuzzer of this folder for some minutes. Owns the command line, the run and its report. The exit code is 0
// only if every fuzzer ran cases and none found a fault.
import { parseArgs } from 'node:util'
import { type FuzzReport, findFuzzers } from './support/fuzzer.js'

const PROGRESS_MS = 5000
const USAGE = 'usage: npm run fuzz -- [--minutes 1] [--only NAME] [--seed N] [--cache-dir PATH] [--json]'

const values = parseFlags()
const runMs = Number(values.minutes) * 60_000
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
// Before the fuzzers are loaded, which takes longer.
if (!values.help) {
  if (!(runMs > 0 && Number.isFinite(runMs))) refuse(`--minutes ${values.minutes}: expected a number above 0`)
  if (!(Number.isSafeInteger(seed) && seed >= 0))
    refuse(`--seed ${values.seed}: expected a whole number of 0 or more`)
}
// This file is compiled to dist/test/fuzz/.
const all = await findFuzzers(new URL('../../../', import.meta.url))
const names = all.map(({ name }) => name).join(', ')
if (values.help) {
  console.log(`${USAGE}\nfuzzers: ${names} (the minutes are divided among them)`)
  process.exit(0)
}
const chosen = all.filter(({ name }) => values.only === undefined || name === values.only)
if (chosen.length === 0) refuse(`--only ${values.only}: expected one of ${names}`)

const astray: string[] = []
process.on('unhandledRejection', (error) => astray.push(`an unhandled rejection: ${text(error)}`))
process.on('uncaughtException', (error) => astray.push(`an uncaught exception: ${text(error)}`))

const reports = []
for (const { name, run } of chosen) {
  progress(`${name}: seed ${seed}, ${Math.round(runMs / chosen.length / 1000)} s`)
  let shownMs = performance.now()
  const startedMs = shownMs
  const report: FuzzReport = await run({
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
    faults: [`the fuzzer itself failed: ${text(error)}`],
  }))
  const faults = [...report.faults, ...astray.splice(0)]
  if (report.cases === 0 && faults.length === 0) faults.push('it ran no case: give it more --minutes')
  reports.push({ name, ...report, faults, seconds: (performance.now() - startedMs) / 1000 })
  const counts = Object.entries(report.counts).map(([outcome, count]) => `${outcome} ${count}`)
  progress(`${name}: ${report.cases} cases: ${counts.join(', ')}`)
  for (const fault of faults) progress(`${name}: FAULT ${fault}`)
  if (faults.length > 0) progress(`again: npm run fuzz -- --only ${name} --seed ${seed}`)
}

const ok = reports.every(({ faults }) => faults.length === 0)
if (values.json) process.stdout.write(`${JSON.stringify({ ok, seed, reports }, null, 2)}\n`)
// Exit explicitly: anything a fuzzer left behind would keep the process alive.
process.exit(ok ? 0 : 1)

function parseFlags() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        only: { type: 'string' },
        seed: { type: 'string' },
        'cache-dir': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    // For an unknown flag, Node's message continues with several sentences of advice. Keep only the first.
    return refuse(error instanceof Error ? (/^.+?(?=\. |$)/m.exec(error.message)?.[0] ?? '') : text(error))
  }
}

function refuse(what: string): never {
  console.error(`fuzz: ${what} (--help)`)
  process.exit(2)
}

function progress(line: string): void {
  process[values.json ? 'stderr' : 'stdout'].write(`${line}\n`)
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
