// The sub-path `brumate/stores/conformance`: what any store has to do, as test cases for any runner. Owns the list of cases; what they
// check is in the files beside it. Needs no test runner: a case throws an AssertionError.
import { randomUUID } from 'node:crypto'
import type { SnapshotStore } from '../../store/store.js'
import { deltaCases, sharedDeltaCases } from './deltas.js'
import { entryCases } from './entries.js'
import { listCases } from './listing.js'
import { Probe } from './probe.js'
import { sharedCases, writerCases } from './writers.js'

/** One test. `run` opens stores of its own, deletes the entries that it made, and closes the stores. */
export interface ConformanceCase {
  /** A claim, such as `one of fifty writers of a generation succeeds`. */
  readonly name: string
  /** @throws AssertionError, or what the store threw */
  run(): Promise<void>
}

export interface ConformanceOptions {
  /** Two stores that `open` returns see the same entries, as two processes would: writers then work in two at the same time. Default false. */
  readonly shared?: boolean
}

/**
 * The tests that a `SnapshotStore` has to pass. Runs with any test runner:
 *
 * ```ts
 * for (const { name, run } of storeConformance(() => new MyStore())) test(name, run)
 * ```
 *
 * @param open opens a store. It may hold entries of others; cases use ids that nobody else has.
 */
export function storeConformance(
  open: () => SnapshotStore | Promise<SnapshotStore>,
  { shared = false }: ConformanceOptions = {},
): ConformanceCase[] {
  // Two stores show all that one does.
  const cases = [...entryCases, ...deltaCases, ...listCases, ...(shared ? [] : writerCases)]
  return [
    ...cases.map(({ name, check }) => ({ name, run: () => withStores(open, 1, ([a]) => check(a as Probe)) })),
    ...(shared ? [...sharedCases, ...sharedDeltaCases] : []).map(({ name, check }) => ({
      name,
      run: () => withStores(open, 2, ([a, b]) => check(a as Probe, b as Probe)),
    })),
  ]
}

async function withStores(
  open: () => SnapshotStore | Promise<SnapshotStore>,
  count: number,
  check: (probes: Probe[]) => Promise<void>,
): Promise<void> {
  const namespace = `conformance-${randomUUID()}-`
  const probes: Probe[] = []
  try {
    for (let i = 0; i < count; i += 1) probes.push(new Probe(await open(), namespace))
    await check(probes)
    await probes[0]?.clear()
  } finally {
    for (const { store } of probes) await store.close?.()
  }
}
