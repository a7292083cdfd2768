// The report of a run: rows with units, ratios and limits, as a table for people. Owns the format of `--json`, too.
import type { Machine } from './context.js'

export interface Row {
  readonly part?: string
  readonly metric: string
  /** KB and MB are 10³ and 10⁶ bytes. */
  readonly unit: 'ms' | 's' | 'KB' | 'MB' | 'MiB' | 'per s' | 'MB per s'
  readonly brumate: number
  /** The same with plain `loadPyodide()` in a worker, if it was measured. */
  readonly pyodide?: number
  /** The same with a native Python process. */
  readonly python?: number
  /** The project's own requirement, and whether this run met it. */
  readonly floor?: { readonly text: string; readonly met: boolean }
  readonly note?: string
}

export interface Report extends Machine {
  readonly durationSeconds: number
  readonly rows: readonly Row[]
}

/** brumate ÷ plain Pyodide: below 1 is faster or smaller, unless the unit ends with "per s". */
export function ratio({ brumate, pyodide }: Row): number | undefined {
  return pyodide === undefined ? undefined : brumate / pyodide
}

export const NOT_MEASURED = [
  'building the image (once per machine and version)',
  'other machines, more cores, Windows and macOS',
  'sessions under memory pressure, or with large heaps',
  'the network, for there is none',
]

export function reportAsTable(report: Report): string {
  const head = ['', 'unit', 'brumate', 'plain Pyodide', 'ratio', 'python3', 'floor']
  const cells = report.rows.map((row) => [
    row.metric,
    row.unit,
    figure(row.brumate),
    figure(row.pyodide),
    figure(ratio(row), 3),
    figure(row.python),
    row.floor ? `${row.floor.met ? '✓' : '✗'} ${row.floor.text}` : '',
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((line) => line[i]?.length ?? 0)))
  const line = (line: readonly string[]) =>
    line
      .map((cell, i) => (i >= 2 && i <= 5 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  const notes = report.rows.filter(({ note }) => note).map(({ metric, note }) => `  ${metric}: ${note}`)
  return [
    '',
    line(head),
    line(widths.map((width) => '─'.repeat(width))),
    ...cells.map(line),
    '',
    ...(notes.length > 0 ? ['Notes:', ...notes, ''] : []),
    `Medians. Node ${report.node}, ${report.platform}, ${report.cores} cores (${report.cpu}), ${report.memoryGiB} GiB; ` +
      `native Python: ${report.python ?? 'none'}; ${report.durationSeconds} s.`,
    ...(report.loadBefore > report.cores / 4
      ? [
          `The machine was busy with other work (load ${report.loadBefore}): these figures are worse than its own.`,
        ]
      : []),
    `Not measured: ${NOT_MEASURED.join('; ')}.`,
    '',
  ].join('\n')
}

/** Three significant digits, with separators for thousands. */
function figure(value: number | undefined, digits = 3): string {
  if (value === undefined) return ''
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(digits)
}
