// A histogram of durations with exponential buckets: its memory is fixed, and recording takes nanoseconds. Owns the buckets and the
// estimates made from them.

/** Durations in milliseconds. */
export interface Distribution {
  readonly count: number
  readonly sumMs: number
  /** This and the following numbers are 0 if `count` is 0. */
  readonly minMs: number
  readonly maxMs: number
  readonly meanMs: number
  /** Percentiles are estimates: at most 19 % off, because a bucket's upper bound is 1.19 times its lower one. */
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  /** The non-empty buckets, in order. Each counts the durations up to `upToMs` that are above the next lower bound. */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[]
}

const BUCKETS_PER_DOUBLING = 4
/** The first bucket ends at 2 ** -10 ms, a microsecond; the last bound is 2 ** 23 ms, two hours. */
const FIRST_EXPONENT = -10
const LAST_EXPONENT = 23
/** The last bucket counts durations above the last bound. */
const BUCKETS = (LAST_EXPONENT - FIRST_EXPONENT) * BUCKETS_PER_DOUBLING + 2

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #count = 0
  #sumMs = 0
  #minMs = Number.POSITIVE_INFINITY
  #maxMs = 0

  record(durationMs: number): void {
    this.#count += 1
    this.#sumMs += durationMs
    if (durationMs < this.#minMs) this.#minMs = durationMs
    if (durationMs > this.#maxMs) this.#maxMs = durationMs
    const index = bucketOf(durationMs)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  read(): Distribution {
    const count = this.#count
    const isEmpty = count === 0
    return {
      count,
      sumMs: this.#sumMs,
      minMs: isEmpty ? 0 : this.#minMs,
      maxMs: this.#maxMs,
      meanMs: isEmpty ? 0 : this.#sumMs / count,
      p50Ms: this.#quantile(0.5),
      p90Ms: this.#quantile(0.9),
      p99Ms: this.#quantile(0.99),
      buckets: this.#buckets(),
    }
  }

  #buckets(): Distribution['buckets'] {
    const buckets: Distribution['buckets'][number][] = []
    for (const [index, count] of this.#counts.entries())
      if (count > 0) buckets.push({ upToMs: upperBoundMs(index), count })
    return buckets
  }

  /** Estimates a quantile by linear interpolation within its bucket. */
  #quantile(share: number): number {
    if (this.#count === 0) return 0
    const rank = share * this.#count
    let below = 0
    for (const [index, count] of this.#counts.entries()) {
      if (count === 0 || below + count < rank) {
        below += count
        continue
      }
      const lowestMs = index === 0 ? 0 : upperBoundMs(index - 1)
      const highestMs = Math.min(upperBoundMs(index), this.#maxMs)
      const estimateMs = lowestMs + (highestMs - lowestMs) * ((rank - below) / count)
      return Math.min(Math.max(estimateMs, this.#minMs), this.#maxMs)
    }
    return this.#maxMs
  }
}

function bucketOf(durationMs: number): number {
  const index = Math.ceil((Math.log2(durationMs) - FIRST_EXPONENT) * BUCKETS_PER_DOUBLING)
  // Math.log2(0) is -Infinity.
  return Math.min(Math.max(index, 0), BUCKETS - 1)
}

function upperBoundMs(index: number): number {
  return index === BUCKETS - 1
    ? Number.POSITIVE_INFINITY
    : 2 ** (FIRST_EXPONENT + index / BUCKETS_PER_DOUBLING)
}
