export const name: string

export interface Tally {
  readonly cases: number
  readonly counts: Readonly<Record<string, number>>
  /** What must not happen, with the seed that makes it happen again. */
  readonly faults: readonly string[]
}

export function run(options: {
  readonly seed: number
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Also where that takes longer. Default: 1. */
  readonly minCases?: number
  readonly onProgress?: (cases: number) => void
  /** Every 16 bytes of the last of the stack instead of random cases, for all imports or these ("module.name"). */
  readonly sweep?: true | readonly string[]
  readonly dist?: string
  readonly cacheDir?: string
  readonly flags?: readonly string[]
}): Promise<Tally>
