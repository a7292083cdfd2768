// `node bench/run.mjs compare --before DIR`: compares this build with the one in DIR, in one run. Owns the order of the turns, the ratios
// and the table; comparisons.ts defines what is measured. Each round has two fresh processes, one for each build
// (children/compare.ts), which take turns at each comparison.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { COMPARISONS, MOST_RATIOS } from './comparisons.js'
import { median } from './measure.js'

const ROUNDS = 5
/** Highest ratio that is acceptable for an honest session. */
const MOST_RATIO = 1.03
/** Per build and comparison, in a round. */
const TURNS = 4
const PROCESS_MS = 300_000

const MARKS = { met: '✓', noisy: '?', missed: '✗' } as const

type Build = 'before' | 'after'

interface Comparison {
  readonly name: string
  /** Medians over all rounds, in milliseconds. */
  readonly beforeMs: number
  readonly afterMs: number
  /** Median of the turns' ratios, after ÷ before. */
  readonly ratio: number
  readonly quartiles: readonly [low: number, high: number]
  readonly most: number
  /** Noisy: the ratio is too large, but a quarter of the turns were within the limit, or no slower than before. */
  readonly verdict: 'met' | 'noisy' | 'missed'
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(3),
  options: {
    before: { type: 'string' },
    rounds: { type: 'string', default: String(ROUNDS) },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const here = fileURLToPath(new URL('../../', import.meta.url))
const rounds = Number(values.rounds)
const names = positionals.length > 0 ? positionals : Object.keys(COMPARISONS)
const builds: Readonly<Record<Build, string>> = { before: resolve(values.before ?? ''), after: here }
check()

/** Samples by comparison, in the order of the turns: those at the same index are a pair. */
const samples: Record<Build, Map<string, number[]>> = { before: new Map(), after: new Map() }
const loadBefore = loadavg()[0] ?? 0
for (let round = 0; round < rounds; round++) {
  process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  await measureRound()
}
const comparisons = names.map(compared)
process.stdout.write(values.json ? `${JSON.stringify({ rounds, comparisons }, null, 2)}\n` : table())
if (comparisons.some(({ verdict }) => verdict === 'missed')) process.exitCode = 1

function check(): void {
  const unknown = names.filter((name) => !Object.hasOwn(COMPARISONS, name))
  const problem =
    values.before === undefined
      ? '--before DIR is missing: a checkout of the code before, with node_modules and dist'
      : !existsSync(join(builds.before, 'dist/src/index.js'))
        ? `--before ${values.before}: there is no dist/src/index.js; run npm ci and npm run build there`
        : !(Number.isInteger(rounds) && rounds > 0)
          ? `--rounds: expected a positive integer, got ${values.rounds}`
          : unknown.length > 0
            ? `no comparison named ${unknown.join(', ')}; there are: ${Object.keys(COMPARISONS).join(', ')}`
            : undefined
  if (problem === undefined) return
  console.error(problem)
  process.exit(2)
}

async function measureRound(): Promise<void> {
  // One after the other, because the first builds its image if there is none.
  const before = await start('before')
  const after = await start('after')
  try {
    for (const name of names)
      for (let turn = 0; turn < TURNS; turn++) {
        // ABBA order, so that slow changes affect both builds equally.
        const order: readonly Build[] = turn % 2 === 0 ? ['before', 'after'] : ['after', 'before']
        for (const build of order) {
          const ms = await measured(build === 'before' ? before : after, build, name)
          samples[build].set(name, [...(samples[build].get(name) ?? []), ms])
        }
      }
  } finally {
    before.kill('SIGKILL')
    after.kill('SIGKILL')
  }
}

async function start(build: Build): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('children/compare.js', import.meta.url)), [
    join(builds[build], 'dist/src/index.js'),
  ])
  await answer(child, build)
  return child
}

function measured(child: ChildProcess, build: Build, name: string): Promise<number> {
  child.send(name)
  return answer(child, `${build}: ${name}`)
}

/** Waits for the process's answer. @throws if it ends, or takes too long */
async function answer(child: ChildProcess, what: string): Promise<number> {
  const settled = new AbortController()
  const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(PROCESS_MS)])
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${what}: its process ended with ${code}`)
  })
  // Ignores its rejection when the answer came first and aborts it.
  ended.catch(() => {})
  try {
    const [ms] = await Promise.race([once(child, 'message', { signal }), ended])
    return Number(ms)
  } finally {
    settled.abort()
  }
}

function compared(name: string): Comparison {
  const before = samples.before.get(name) ?? []
  const after = samples.after.get(name) ?? []
  const ratios = after.map((ms, turn) => ms / (before[turn] ?? Number.NaN)).sort((a, b) => a - b)
  const at = (share: number) => ratios[Math.round((ratios.length - 1) * share)] ?? Number.NaN
  const ratio = median(ratios)
  const most = MOST_RATIOS[name] ?? MOST_RATIO
  return {
    name,
    beforeMs: median(before),
    afterMs: median(after),
    ratio,
    quartiles: [at(0.25), at(0.75)],
    most,
    verdict: ratio <= most ? 'met' : at(0.25) <= Math.min(1, most) ? 'noisy' : 'missed',
  }
}

function table(): string {
  const rows = comparisons.map(
    ({ name, beforeMs, afterMs, ratio, quartiles: [low, high], most, verdict }) => [
      name,
      figure(beforeMs),
      figure(afterMs),
      ratio.toFixed(3),
      `${low.toFixed(3)} … ${high.toFixed(3)}`,
      `≤ ${Number(most.toFixed(2))}`,
      MARKS[verdict],
    ],
  )
  const head = ['', 'before, ms', 'after, ms', 'ratio', 'quartiles', 'floor', '']
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((line) => line[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  const mean = Math.exp(comparisons.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / comparisons.length)
  const busy = loadBefore > availableParallelism() / 4
  return [
    '',
    line(head),
    ...rows.map(line),
    '',
    `${rounds} rounds of ${TURNS} turns, Node ${process.version}; geometric mean of all ratios ${mean.toFixed(3)}.`,
    ...(busy
      ? [`The machine was busy with other work (load ${loadBefore.toFixed(1)}): use more rounds.`]
      : []),
    '',
  ].join('\n')
}

function figure(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)
}
