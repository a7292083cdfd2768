// `node bench/run.mjs peers`: compares brumate with other ways to run Python, in the same run. Owns the command line and the order of
// rounds: in each, every group of rows is measured in a fresh process for every peer, and the order of the peers changes from round to
// round.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { PeerReport } from '../children/peer.js'
import { makeContext } from '../context.js'
import { comparedResults } from './compare.js'
import { GROUPS } from './groups.js'
import { HOW_TO_GET, installPeers } from './packages.js'
import { PEERS, type PeerName } from './peer.js'
import { Collected, type Results } from './results.js'
import { resultsAsTable } from './table.js'

const RESULTS = fileURLToPath(new URL('../../../bench/results/latest.json', import.meta.url))
const CHILD = fileURLToPath(new URL('../children/peer.js', import.meta.url))
/** Time limit for one peer in one group. */
const MOST_SECONDS = 240
const DEFAULT_ROUNDS = 3
/** After the first round, a group gets another one only if it should end within this time. */
const DEFAULT_MINUTES = 9

const { values, positionals } = parseArgs({
  args: process.argv.slice(3),
  options: {
    install: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
    compare: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
    minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
    only: { type: 'string' },
    peers: { type: 'string' },
  },
  allowPositionals: true,
})
const progress = (text: string) => void process.stderr.write(`${text}\n`)
const chosen = listed(
  values.only,
  GROUPS.map(({ name }) => name),
  'group',
)
const names = listed(values.peers, PEERS, 'peer')
const rounds = Number(values.rounds)
if (!(Number(values.minutes) > 0)) fail(`--minutes: expected a positive number, got ${values.minutes}`)
if (!(Number.isInteger(rounds) && rounds > 0))
  fail(`--rounds: expected a positive integer, got ${values.rounds}`)

if (values.install) {
  for (const problem of installPeers(progress)) fail(problem, 1)
} else if (values.compare) {
  const [before, after] = positionals
  if (before === undefined || after === undefined) fail('--compare takes two files: A.json B.json')
  else process.stdout.write(comparedResults(resultsOf(before), resultsOf(after)))
} else if (values.page) await writePages(resultsOf(positionals[0] ?? RESULTS))
else {
  const results = await measured()
  process.stdout.write(values.json ? `${JSON.stringify(results, null, 2)}\n` : resultsAsTable(results))
  if (values.save) {
    mkdirSync(dirname(RESULTS), { recursive: true })
    writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
    await writePages(results)
  }
}

async function measured(): Promise<Results> {
  const startedMs = performance.now()
  const { machine } = await makeContext(progress)
  const versions: Partial<Record<PeerName, string>> = {}
  const missing: Partial<Record<PeerName, string>> = {}
  for (const peer of names) {
    const { version } = await child(peer, 'version')
    if (version === undefined) {
      missing[peer] = HOW_TO_GET[peer]
      progress(`${peer} is left out. To get it: ${HOW_TO_GET[peer]}`)
    } else versions[peer] = version
  }
  const peers = names.filter((peer) => versions[peer] !== undefined)
  const groups = GROUPS.filter(
    ({ name, packages }) =>
      chosen.includes(name) && (packages !== true || process.env.BRUMATE_WHEELS !== undefined),
  )
  if (groups.length < chosen.length)
    progress('packages is left out: BRUMATE_WHEELS does not name a directory of wheels')
  const collected = new Collected()
  const kinds: Partial<Record<PeerName, Readonly<Record<string, string>>>> = {}
  const took = new Map<string, number>()
  for (let round = 0; round < rounds; round++)
    for (const { name, rounds: most } of groups) {
      if (round >= most) continue
      const endsMs = performance.now() - startedMs + (took.get(name) ?? 0)
      if (round > 0 && endsMs > Number(values.minutes) * 60_000) {
        progress(`round ${round + 1}: ${name} is left out, for time`)
        continue
      }
      const groupMs = performance.now()
      // Each round starts with another peer.
      const order = peers.map((_, i) => peers[(i + round) % peers.length] ?? 'brumate')
      for (const peer of order) {
        // Each of its sessions takes two seconds to boot, and its figures vary little, so one round is enough.
        if (peer === 'pyodide' && round > 0) continue
        const { rows = {}, details = {} } = await child(peer, name)
        collected.add(name, peer, rows)
        if (Object.keys(details).length > 0) kinds[peer] = details
      }
      took.set(name, performance.now() - groupMs)
      progress(`round ${round + 1} of ${rounds}: ${name}, ${seconds(groupMs)} s`)
    }
  return {
    machine,
    date: new Date().toISOString().slice(0, 10),
    rounds,
    durationSeconds: Math.round(Number(seconds(startedMs))),
    versions,
    missing,
    groups: groups.map(({ name, title }) => ({ name, title })),
    rows: groups.flatMap((group) => group.rows.map((row) => collected.row(group, row, peers))),
    kinds,
  }
}

async function child(peer: PeerName, group: string): Promise<PeerReport> {
  const wheels = process.env.BRUMATE_WHEELS
  const forked = fork(CHILD, [peer, group, ...(wheels === undefined ? [] : [resolve(wheels)])], {
    execArgv: ['--expose-gc'],
    // The output of a peer is not part of the results.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A process group of its own, because the peer's own processes must end with it.
    detached: true,
  })
  const end = () => {
    if (forked.pid !== undefined && forked.exitCode === null) process.kill(-forked.pid, 'SIGKILL')
  }
  process.on('SIGINT', end)
  const mostSeconds = GROUPS.find(({ name }) => name === group)?.mostSeconds ?? MOST_SECONDS
  const timer = setTimeout(end, mostSeconds * 1000)
  try {
    let report: PeerReport = {}
    forked.on('message', (message) => {
      report = message as PeerReport
    })
    const [code, signal] = await once(forked, 'close')
    if (report.complete) return report
    const how = signal === 'SIGKILL' ? `did not end within ${mostSeconds} s` : `ended with ${signal ?? code}`
    progress(`${peer}, ${group}: its process ${how}`)
    if (signal !== 'SIGKILL') process.exitCode = 1
    const specs = GROUPS.find(({ name }) => name === group)?.rows ?? []
    const lost = specs.filter(({ id }) => report.rows?.[id] === undefined)
    const cannot = `its process ${how}`
    return { rows: { ...report.rows, ...Object.fromEntries(lost.map(({ id }) => [id, { cannot }])) } }
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', end)
  }
}

async function writePages(results: Results): Promise<void> {
  // Loaded only here, because nothing else needs the drawing library.
  const { pages } = await import('../page/pages.js')
  const root = new URL('../../../', import.meta.url)
  for (const [path, text] of pages(results, (path) => readFileSync(new URL(path, root), 'utf8'))) {
    const file = fileURLToPath(new URL(path, root))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    progress(path)
  }
}

function resultsOf(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}

function listed<Name extends string>(text: string | undefined, all: readonly Name[], what: string): Name[] {
  if (text === undefined) return [...all]
  const wanted = text.split(',').map((name) => name.trim())
  const unknown = wanted.filter((name) => !all.some((one) => one === name))
  if (unknown.length > 0) fail(`no ${what} named ${unknown.join(', ')}; there are: ${all.join(', ')}`)
  return all.filter((name) => wanted.includes(name))
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1)
}

function fail(problem: string, code = 2): void {
  console.error(problem)
  process.exitCode = code
  if (code === 2) process.exit(code)
}
