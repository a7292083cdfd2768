// Generates pages from results: docs/benchmarks.md, its charts, and the headline rows of README.md between two marks. Owns the text around
// the figures, and which rows are headlines. No figure is written by hand.
import { PEERS, type PeerName } from '../peers/peer.js'
import {
  type Behind,
  behind,
  type Cell,
  figure,
  geometricMean,
  type ResultRow,
  type Results,
  timesBetter,
} from '../peers/results.js'
import { shown, times } from '../peers/table.js'
import { charts } from './charts.js'
import { NOT_MEASURED } from './not-measured.js'
import { WALLS, type Wall } from './walls.js'

const PAGE = 'docs/benchmarks.md'
const README = 'README.md'
const BEGIN = '<!-- benchmarks: written by `node bench/run.mjs peers --page` -->'
const END = '<!-- end of benchmarks -->'
/** More than the load of other programs could explain. */
const FAR_BEHIND = 1.5

const HEADLINES = [
  ...['start/process', 'start/tenants', 'execute/back-to-back', 'cells/durable', 'callbacks/call'],
  ...['snapshot/small-snapshot', 'snapshot/small-restore', 'snapshot/small-size', 'survival/kept'],
  ...['stopping/loop-again', 'memory/live'],
]
const TITLES: Readonly<Record<PeerName, string>> = {
  brumate: 'brumate',
  eryx: 'eryx',
  monty: 'Monty',
  pyodide: 'plain Pyodide',
  python3: '`python3` over a pipe',
}

/**
 * Returns the files by their path from the root of the repository.
 *
 * @param read - reads the text of an existing file
 */
export function pages(results: Results, read: (path: string) => string): [path: string, text: string][] {
  const drawn = charts(results)
  const readme = read(README)
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin === -1 || end < begin) throw new Error(`${README} has no lines "${BEGIN}" and "${END}"`)
  const page = pageOf(
    results,
    new Map(drawn.map(({ file, alt }) => [file, `![${alt}](benchmarks/${file}.svg)`])),
  )
  return [
    [PAGE, page],
    ...drawn.map(({ file, svg }): [string, string] => [`docs/benchmarks/${file}.svg`, svg]),
    [README, `${readme.slice(0, begin)}${BEGIN}\n${headlines(results)}\n${readme.slice(end)}`],
  ]
}

function pageOf(results: Results, images: ReadonlyMap<string, string>): string {
  const { machine, versions, missing, rounds, date, durationSeconds } = results
  const peers = PEERS.filter((peer) => versions[peer] !== undefined)
  const worse = behind(results)
  const known = WALLS.filter(({ rows }) => worse.some(({ row }) => rows.test(row.id)))
  const image = (name: string) => (images.has(name) ? ['', images.get(name) ?? ''] : [])
  const chartOf: Record<string, string> = {
    'Python itself': 'compute',
    'What a snapshot keeps': 'survival',
    Memory: 'memory',
    'From 1 to 64 live sessions': 'growth',
  }
  const text = [
    '# Benchmarks',
    '',
    '<!-- Written by `node bench/run.mjs peers --page` from bench/results/latest.json. Do not edit. -->',
    '',
    `brumate beside other ways to run Python, measured in one run on one machine. \`npm run build && node bench/run.mjs peers\` makes the`,
    'same table on yours; [bench/README.md](../bench/README.md#peers) says how each row is measured.',
    '',
    '## What is not measured',
    '',
    ...NOT_MEASURED.map((line) => `- ${line}`),
    '',
    '## Where brumate is behind',
    '',
    ...(worse.length === 0
      ? ['In no row, beyond noise.']
      : [
          'Every row in which eryx, Monty or plain Pyodide is ahead by a tenth or more, the furthest first; by more than half in bold. Against',
          '`python3`, which isolates nothing, see the tables.',
          ...(['eryx', 'pyodide', 'monty'] as const).flatMap((peer) =>
            behindOf(
              peer,
              worse.filter((one) => one.peer === peer),
              known,
            ),
          ),
          '',
          ...known.map(({ text }, i) => `${i + 1}. ${text}`),
        ]),
    '',
    '## All rows',
    '',
    'Medians; ± is half of the distance between the quartiles. **×** is how many times better brumate is: above 1 it is ahead. "No" is a',
    'result: the peer cannot do that. Cold rows are the first of a process.',
    '',
    '| against | geometric mean of all rows that both have |',
    '|---|---|',
    ...peers
      .filter((peer) => peer !== 'brumate')
      .map((peer) => `| ${TITLES[peer]} | ${mean(results.rows, peer)} |`),
    ...image('times'),
    ...results.groups.flatMap(({ title }) => [
      '',
      `### ${title}`,
      '',
      ...tableOf(
        results.rows.filter(({ group }) => group === title),
        peers,
      ),
      ...image(chartOf[title] ?? ''),
    ]),
    ...kindsOf(results),
    '',
    '## The run',
    '',
    '| | |',
    '|---|---|',
    ...peers.map((peer) => `| ${TITLES[peer]} | ${versions[peer]} |`),
    ...Object.entries(missing).map(([peer, how]) => `| ${peer} | not there: ${how} |`),
    `| Node | ${machine.node} |`,
    `| machine | ${machine.platform}, ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB |`,
    `| taken | ${date}, ${rounds} rounds in ${durationSeconds} s; load before: ${machine.loadBefore} |`,
  ]
  return `${text.join('\n')}\n`
}

function tableOf(rows: readonly ResultRow[], peers: readonly PeerName[]): string[] {
  const reasons: string[] = []
  const note = (reason: string): string => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return `${reasons.indexOf(reason) + 1}`
  }
  const lines = rows.map((row) => {
    const mark = row.note === undefined ? '' : ` (${note(row.note)})`
    const title = `${row.title}${row.state === 'cold' ? ', cold' : ''}, ${row.unit}${mark}`
    return `| ${title} | ${peers.map((peer) => cellText(row, peer, note)).join(' | ')} |`
  })
  return [
    `| | ${peers.map((peer) => TITLES[peer]).join(' | ')} |`,
    `|---|${peers.map(() => '---').join('|')}|`,
    ...lines,
    ...(reasons.length > 0
      ? ['', reasons.map((reason, i) => `(${i + 1}) ${escaped(reason)}`).join('<br>')]
      : []),
  ]
}

function cellText(row: ResultRow, peer: PeerName, note: (reason: string) => string): string {
  const cell: Cell | undefined = row.cells[peer]
  if (cell === undefined) return ''
  if ('cannot' in cell) return `no (${note(cell.cannot)})`
  const { median, low, high } = cell
  const spread = median === 0 ? 0 : Math.round((50 * (high - low)) / Math.abs(median))
  const ratio = peer === 'brumate' ? undefined : timesBetter(row, peer)
  return `${shown(median)}${spread > 0 ? ` ±${spread}%` : ''}${ratio === undefined ? '' : ` **${times(ratio)}**`}`
}

function kindsOf({ kinds }: Results): string[] {
  const peers = PEERS.filter((peer) => kinds[peer] !== undefined)
  const names = Object.keys(kinds.brumate ?? {})
  if (names.length === 0) return []
  const marks: Readonly<Record<string, string>> = { kept: '✓', lost: 'lost' }
  return [
    '',
    '<details><summary>Each kind of object</summary>',
    '',
    'Whether another session has it after a snapshot and a restore. A dash: it cannot be made there in the first place.',
    '',
    `| | ${peers.map((peer) => TITLES[peer]).join(' | ')} |`,
    `|---|${peers.map(() => '---').join('|')}|`,
    ...names.map(
      (name) =>
        `| ${escaped(name)} | ${peers.map((peer) => marks[kinds[peer]?.[name] ?? ''] ?? '–').join(' | ')} |`,
    ),
    '',
    '</details>',
  ]
}

function headlines(results: Results): string {
  const peers = PEERS.filter((peer) => peer !== 'python3' && results.versions[peer] !== undefined)
  const rows = HEADLINES.flatMap((id) => results.rows.filter((row) => row.id === id))
  const compute = results.rows.filter(({ id }) => id.startsWith('compute/'))
  const short = (row: ResultRow, peer: PeerName) => {
    const found = figure(row.cells[peer])
    return found ? shown(found.median) : 'no'
  }
  const ratio = (peer: PeerName) => {
    const found = geometricMean(compute, peer)
    return peer === 'brumate' ? '1' : found === undefined ? 'no' : shown(found)
  }
  return [
    `| | ${peers.map((peer) => TITLES[peer]).join(' | ')} |`,
    `|---|${peers.map(() => '---').join('|')}|`,
    ...rows.map(
      (row) => `| ${headline(row)}, ${row.unit} | ${peers.map((peer) => short(row, peer)).join(' | ')} |`,
    ),
    ...(compute.length > 0
      ? [`| Python itself: time ÷ time in brumate | ${peers.map(ratio).join(' | ')} |`]
      : []),
  ].join('\n')
}

function headline({ id, title, group }: ResultRow): string {
  return /^(snapshot|callbacks|memory)\//.test(id) ? `${group}: ${title}` : title
}

function behindOf(peer: PeerName, worse: readonly Behind[], known: readonly Wall[]): string[] {
  if (worse.length === 0) return []
  return [
    '',
    `| | brumate | ${TITLES[peer]} | behind by | why |`,
    '|---|---|---|---|---|',
    ...worse.map(({ row, times: by }) => {
      const [own, other] = [figure(row.cells.brumate), figure(row.cells[peer])]
      const bold = by > FAR_BEHIND ? '**' : ''
      const title = `${row.group}: ${row.title}${row.state === 'cold' ? ', cold' : ''}`
      const figures = [own, other].map((found) => (found ? `${shown(found.median)} ${row.unit}` : ''))
      return `| ${title} | ${figures.join(' | ')} | ${bold}${times(by)}${bold} | ${whyOf(row, known)} |`
    }),
  ]
}

/** Numbers of the reasons that apply to the row. They are listed below the table. */
function whyOf(row: ResultRow, known: readonly Wall[]): string {
  const numbers = known.flatMap(({ rows }, i) => (rows.test(row.id) ? [`(${i + 1})`] : []))
  return numbers.join(' ')
}

function mean(rows: readonly ResultRow[], peer: PeerName): string {
  const found = geometricMean(rows, peer)
  return found === undefined ? 'no row' : times(found)
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
