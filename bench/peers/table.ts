// Results as a table for a terminal. Owns how figures and ratios are formatted.
import { NOT_MEASURED } from '../page/not-measured.js'
import { PEERS } from './peer.js'
import {
  behind,
  type Cell,
  type Figure,
  figure,
  geometricMean,
  type Results,
  timesBetter,
} from './results.js'

/** Three significant digits, with separators for thousands. */
export function shown(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return Number(value.toPrecision(3)).toString()
}

/** A ratio that says how many times better brumate is. */
export function times(value: number): string {
  return `×${value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)}`
}

/** Half of the interquartile range, in percent of the median. */
function spread({ median, low, high }: Figure): string {
  return median === 0 ? '' : `±${Math.round((50 * (high - low)) / Math.abs(median))}%`
}

export function resultsAsTable(results: Results): string {
  const peers = PEERS.filter((peer) => results.versions[peer] !== undefined)
  const head = ['', 'unit', ...peers.flatMap((peer) => (peer === 'brumate' ? [peer, ''] : [peer, '', '×']))]
  const lines: string[][] = [head]
  const reasons = new Map<string, string>()
  const note = (text: string): string => {
    const mark = reasons.get(text) ?? `(${reasons.size + 1})`
    reasons.set(text, mark)
    return mark
  }
  for (const { title } of results.groups) {
    const rows = results.rows.filter(({ group }) => group === title)
    lines.push([title])
    for (const row of rows)
      lines.push([
        `  ${row.title}${row.state === 'cold' ? ', cold' : ''}`,
        row.unit,
        ...peers.flatMap((peer) => {
          const ratio = timesBetter(row, peer)
          const [value, deviation] = cellTexts(row.cells[peer], note)
          return peer === 'brumate' ? [value, deviation] : [value, deviation, ratio ? times(ratio) : '']
        }),
      ])
  }
  const full = lines.filter(({ length }) => length > 1)
  const widths = head.map((_, i) => Math.max(...full.map((line) => line[i]?.length ?? 0)))
  const text = lines.map((line) =>
    line
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  const { machine } = results
  const worse = behind(results).slice(0, 12)
  return [
    '',
    ...text,
    '',
    '×: how many times better brumate is; below 1 it is behind. ±: half of the distance between the quartiles.',
    ...[...reasons].map(([reason, mark]) => `${mark} ${reason}`),
    '',
    ...peers
      .filter((peer) => peer !== 'brumate')
      .map((peer) => {
        const mean = geometricMean(results.rows, peer)
        return `Geometric mean of all rows that both have, against ${peer}: ${mean === undefined ? 'none' : times(mean)}`
      }),
    ...(worse.length > 0 ? ['', 'Where brumate is behind:'] : []),
    ...worse.map(({ row, peer, times: by }) => `  ${row.group}, ${row.title}: ${times(by)} ${peer}`),
    '',
    ...peers.map((peer) => `${peer} ${results.versions[peer]}`),
    ...Object.entries(results.missing).map(([peer, how]) => `${peer} is missing: ${how}`),
    `Medians of ${results.rounds} rounds. Node ${machine.node}, ${machine.platform}, ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB; ${results.durationSeconds} s.`,
    ...(machine.loadBefore > machine.cores / 4
      ? [`The machine was busy with other work (load ${machine.loadBefore}).`]
      : []),
    'Not measured:',
    ...NOT_MEASURED.map((text) => `  ${text}`),
    '',
  ].join('\n')
}

function cellTexts(cell: Cell | undefined, note: (text: string) => string): [string, string] {
  if (cell === undefined) return ['', '']
  if ('cannot' in cell) return [`no ${note(cell.cannot)}`, '']
  const found = figure(cell)
  return found ? [shown(found.median), spread(found)] : ['', '']
}
