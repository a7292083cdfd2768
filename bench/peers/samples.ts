// Performs a group's steps, and sorts the results by row. Owns what a failed step means: the row that needed it gets a reason instead of
// figures.
import type { Done, Peer, Step } from './peer.js'

/** A step, with the row that it is measured for. */
export type Measured = Step & {
  /** Its milliseconds are a sample of this row. */
  readonly as?: string
  /** Its milliseconds are added to those of other steps, for one sample of this row. */
  readonly sum?: string
  /** Its bytes are a sample of this row. */
  readonly bytesAs?: string
  /** The value that it must have. */
  readonly expect?: string
  /** Whether it must fail, as code whose deadline passes does. */
  readonly fails?: true
}

export type RowResult =
  | { readonly samples: number[]; readonly cannot?: undefined }
  | { readonly cannot: string; readonly samples?: undefined }

export class Samples {
  readonly rows: Record<string, RowResult> = {}
  /** What happened to each kind of object, for the group that records it. */
  readonly details: Record<string, string> = {}
  readonly #changed: () => void

  /** @param changed - called whenever there are more samples */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed
  }

  add(row: string, ...values: number[]): void {
    const before = this.rows[row]?.samples ?? []
    this.rows[row] = { samples: [...before, ...values] }
  }

  cannot(row: string, reason: string): void {
    this.rows[row] = { cannot: reason }
  }

  /** Reports the samples so far, because the next step may never end. */
  flush(): void {
    this.#changed()
  }

  /** @returns why the rows got no samples; undefined if they did */
  async take(peer: Peer, steps: readonly Measured[]): Promise<string | undefined> {
    const done = await peer.perform(steps)
    const reason = failure(steps, done)
    const sums = new Map<string, number>()
    steps.forEach((step, i) => {
      const { ms = 0, bytes = Number.NaN } = done[i] ?? {}
      for (const row of [step.as, step.sum, step.bytesAs])
        if (row !== undefined && reason !== undefined) this.cannot(row, reason)
      if (reason !== undefined) return
      if (step.as !== undefined) this.add(step.as, ms)
      if (step.bytesAs !== undefined) this.add(step.bytesAs, bytes)
      if (step.sum !== undefined) sums.set(step.sum, (sums.get(step.sum) ?? 0) + ms)
    })
    for (const [row, ms] of sums) this.add(row, ms)
    this.flush()
    return reason
  }
}

function failure(steps: readonly Measured[], done: readonly Done[]): string | undefined {
  for (const [i, step] of steps.entries()) {
    const { cannot, error, value } = done[i] ?? { error: 'no answer' }
    if (cannot !== undefined) return cannot
    if (step.fails === true && error === undefined) return 'the code ended by itself'
    if (step.fails !== true && error !== undefined) return `fails: ${lastLine(error)}`
    if (step.expect !== undefined && value !== step.expect) return `gave ${value} for ${step.expect}`
  }
  return undefined
}

/** The line of a traceback that says what went wrong. */
function lastLine(text: string): string {
  const lines = text.trim().split('\n')
  return (lines.findLast((line) => /^\w*(Error|Exception)\b/.test(line)) ?? lines[0] ?? '').slice(0, 120)
}

export function repeated<Item>(count: number, make: (n: number) => readonly Item[]): Item[] {
  return Array.from({ length: count }, (_, n) => make(n)).flat()
}
