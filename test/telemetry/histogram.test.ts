// The histogram behind `manager.stats().histograms`.
import { expect, test } from 'vitest'
import { Histogram } from '../../src/telemetry/histogram.js'

function histogramOf(durationsMs: readonly number[]): ReturnType<Histogram['read']> {
  const histogram = new Histogram()
  for (const durationMs of durationsMs) histogram.record(durationMs)
  return histogram.read()
}

test('an empty histogram is all zeros', () => {
  const zeros = { count: 0, sumMs: 0, minMs: 0, maxMs: 0, meanMs: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0 }
  expect(histogramOf([])).toEqual({ ...zeros, buckets: [] })
})

test('count, sum, minimum, maximum and mean are exact', () => {
  expect(histogramOf([4, 1, 7])).toMatchObject({ count: 3, sumMs: 12, minMs: 1, maxMs: 7, meanMs: 4 })
})

test.each([
  ['spread evenly', (i: number) => i + 1],
  ['growing exponentially', (i: number) => 1.01 ** i],
  ['all alike', () => 0.137],
  ['two far apart', (i: number) => (i % 2 === 0 ? 0.02 : 9_000)],
])('percentiles of durations that are %s are within 19 %% of an actual one', (_, durationMs) => {
  const durationsMs = Array.from({ length: 1_000 }, (_value, i) => durationMs(i)).sort((a, b) => a - b)
  const { p50Ms, p90Ms, p99Ms } = histogramOf(durationsMs)
  for (const [share, estimateMs] of [
    [0.5, p50Ms],
    [0.9, p90Ms],
    [0.99, p99Ms],
  ] as const) {
    const exactMs = durationsMs[share * 1_000 - 1] ?? 0
    expect(estimateMs / exactMs).toBeGreaterThan(1 / 1.19)
    expect(estimateMs / exactMs).toBeLessThan(1.19)
  }
})

test('each duration is counted in the first bucket whose bound is not smaller', () => {
  const { buckets } = histogramOf([1, 1, 2, 2.1])
  expect(buckets).toEqual([
    { upToMs: 1, count: 2 },
    { upToMs: 2, count: 1 },
    { upToMs: 2 ** 1.25, count: 1 },
  ])
})

test('durations of zero and of weeks are counted, and take no more memory', () => {
  const { count, buckets, minMs, maxMs, p99Ms } = histogramOf([0, 1e-9, 1e10, 1e10])
  expect({ count, minMs, maxMs, p99Ms }).toEqual({
    count: 4,
    minMs: 0,
    maxMs: 1e10,
    p99Ms: expect.any(Number),
  })
  expect(p99Ms).toBeLessThanOrEqual(1e10)
  expect(buckets).toEqual([
    { upToMs: 2 ** -10, count: 2 },
    { upToMs: Number.POSITIVE_INFINITY, count: 2 },
  ])
})
