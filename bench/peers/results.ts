// The result of a run, as stored in bench/results/latest.json: for each row and peer a median with its quartiles, or why there is none.
// Owns that format, the conversion from samples, and ratios.
import type { Machine } from '../context.js'
import { median } from '../measure.js'
import { type Group, moreIsBetter, type RowSpec } from './group.js'
import type { PeerName } from './peer.js'
import type { RowResult } from './samples.js'

export interface Figure {
  readonly median: number
  /** Quartiles. */
  readonly low: number
  readonly high: number
  readonly samples: number
}
export type Cell = Figure | { readonly cannot: string }

export interface ResultRow {
  /** `group/row`. */
  readonly id: string
  readonly group: string
  readonly title: string
  readonly unit: RowSpec['unit']
  readonly state: RowSpec['state']
  readonly note?: string
  readonly cells: Partial<Record<PeerName, Cell>>
}

export interface Results {
  readonly machine: Machine
  readonly date: string
  readonly rounds: number
  readonly durationSeconds: number
  readonly versions: Partial<Record<PeerName, string>>
  /** How to install the missing peers. */
  readonly missing: Partial<Record<PeerName, string>>
  readonly groups: readonly { readonly name: string; readonly title: string }[]
  readonly rows: readonly ResultRow[]
  /** What happened to each kind of object, by peer. */
  readonly kinds: Partial<Record<PeerName, Readonly<Record<string, string>>>>
}

/** Collects the samples of each row over all rounds. */
export class Collected {
  readonly #cells = new Map<string, RowResult>()

  add(group: string, peer: PeerName, rows: Readonly<Record<string, RowResult>>): void {
    for (const [row, result] of Object.entries(rows)) {
      const key = `${group}/${row} ${peer}`
      const before = this.#cells.get(key)
      // A reason in any round is kept: otherwise the figure would only cover the rounds that worked.
      if (before?.cannot !== undefined) continue
      const samples = [...(before?.samples ?? []), ...(result.samples ?? [])]
      this.#cells.set(key, result.cannot === undefined ? { samples } : result)
    }
  }

  row({ name, title: groupTitle }: Group, spec: RowSpec, peers: readonly PeerName[]): ResultRow {
    const { id, title, unit, state, note, divide = 1, minus = 0 } = spec
    const cells: Partial<Record<PeerName, Cell>> = {}
    for (const peer of peers) {
      const result = this.#cells.get(`${name}/${id} ${peer}`)
      if (result?.cannot !== undefined) cells[peer] = { cannot: result.cannot }
      else if (result?.samples.length)
        cells[peer] = figureOf(result.samples.map((sample) => (sample - minus) / divide))
    }
    return { id: `${name}/${id}`, group: groupTitle, title, unit, state, ...(note ? { note } : {}), cells }
  }
}

function figureOf(samples: readonly number[]): Figure {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number) => rounded(sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN)
  return { median: rounded(median(sorted)), low: at(0.25), high: at(0.75), samples: sorted.length }
}

/** Rounds to four digits: more would be noise, and cause a diff in every run. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

export function figure(cell: Cell | undefined): Figure | undefined {
  return cell !== undefined && 'median' in cell ? cell : undefined
}

/** How many times better brumate is than the peer: below 1 it is behind. */
export function timesBetter(row: ResultRow, peer: PeerName): number | undefined {
  const [own, other] = [figure(row.cells.brumate), figure(row.cells[peer])]
  if (own === undefined || other === undefined || own.median <= 0 || other.median <= 0) return undefined
  return moreIsBetter(row) ? own.median / other.median : other.median / own.median
}

/** Geometric mean of `timesBetter` over the rows that both have. */
export function geometricMean(rows: readonly ResultRow[], peer: PeerName): number | undefined {
  const times = rows.map((row) => timesBetter(row, peer)).filter((value) => value !== undefined)
  if (times.length === 0) return undefined
  return Math.exp(times.reduce((sum, value) => sum + Math.log(value), 0) / times.length)
}

export interface Behind {
  readonly row: ResultRow
  readonly peer: PeerName
  /** How many times worse brumate is. */
  readonly times: number
}

/** Rows in which brumate is behind a peer by more than noise, the furthest first. `python3` does not count, because it isolates nothing. */
export function behind({ rows }: Pick<Results, 'rows'>, least = 1.1): Behind[] {
  const found: Behind[] = []
  for (const row of rows)
    for (const peer of ['eryx', 'monty', 'pyodide'] as const) {
      const times = timesBetter(row, peer)
      if (times !== undefined && 1 / times >= least) found.push({ row, peer, times: 1 / times })
    }
  return found.sort((a, b) => b.times - a.times)
}
