export const name: string

export interface Tally {
  readonly cases: number
  readonly counts: Readonly<Record<string, number>>
  /** Descriptions of faults, each with the seed that reproduces it. */
  readonly faults: readonly string[]
}

export function run(options: {
  readonly seed: number
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Run this many cases even if that takes longer than the deadline. Default: 1. */
  readonly minCases?: number
  readonly onProgress?: (cases: number) => void
  /** Instead of random cases, try every 16th byte of the last of the stack, for all imports or these ("module.name"). */
  readonly sweep?: true | readonly string[]
  readonly dist?: string
  readonly cacheDir?: string
  readonly flags?: readonly string[]
}): Promise<Tally>
