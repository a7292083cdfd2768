// Compares two runs: what changed for each peer, row by row. Runs on different machines, or with different load, say little, so each
// peer's figure is also compared as a ratio to brumate's of the same run.
import { PEERS } from './peer.js'
import { figure, type Results, timesBetter } from './results.js'
import { shown, times } from './table.js'

/** A row is shown only if its medians differ by at least this factor, and its quartiles do not overlap. */
const LEAST_CHANGE = 1.1

export function comparedResults(before: Results, after: Results): string {
  const lines: string[] = []
  for (const row of after.rows) {
    const old = before.rows.find(({ id }) => id === row.id)
    if (old === undefined) {
      lines.push(`${row.id}: new`)
      continue
    }
    for (const peer of PEERS) {
      const [a, b] = [figure(old.cells[peer]), figure(row.cells[peer])]
      if (a === undefined || b === undefined) {
        if ((a === undefined) !== (b === undefined))
          lines.push(`${row.id}, ${peer}: ${a === undefined ? 'can now' : 'cannot any more'}`)
        continue
      }
      const change = b.median / a.median
      const apart = a.high < b.low || b.high < a.low
      if (!apart || Math.max(change, 1 / change) < LEAST_CHANGE) continue
      const [was, is] = [timesBetter(old, peer), timesBetter(row, peer)]
      const ratio = peer === 'brumate' || !was || !is ? '' : `; brumate ${times(was)} → ${times(is)}`
      const figures = `${shown(a.median)} → ${shown(b.median)} ${row.unit}`
      lines.push(`${row.id}, ${peer}: ${figures} (${change.toFixed(2)})${ratio}`)
    }
  }
  for (const { id } of before.rows) if (!after.rows.some((row) => row.id === id)) lines.push(`${id}: gone`)
  const head = `${before.date} (${before.machine.cpu}) → ${after.date} (${after.machine.cpu})`
  return `${[head, ...(lines.length > 0 ? lines : ['no change beyond noise']), ''].join('\n')}`
}
