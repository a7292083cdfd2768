// The sub-path `brumate/stores/conformance`: the contract of a store, as test cases for any test runner. Owns the list of cases; the files
// beside it have the checks. A failing case throws an AssertionError, so no particular runner is needed.
import { randomUUID } from 'node:crypto'
import type { SnapshotStore } from '../../store/store.js'
import { deltaCases, sharedDeltaCases } from './deltas.js'
import { entryCases } from './entries.js'
import { listCases } from './listing.js'
import { Probe } from './probe.js'
import { sharedCases, writerCases } from './writers.js'

/** One test. `run` opens its own stores, deletes the entries it made, and closes the stores. */
export interface ConformanceCase {
  /** The claim that the case tests, such as `one of fifty writers of a generation succeeds`. */
  readonly name: string
  /** @throws AssertionError, or the store's error */
  run(): Promise<void>
}

export interface ConformanceOptions {
  /**
   * Whether two stores that `open` returns share their entries, like two processes. If so, cases with concurrent writers use two stores.
   * Default false.
   */
  readonly shared?: boolean
}

/**
 * The tests that a `SnapshotStore` has to pass. They work with any test runner:
 *
 * ```ts
 * for (const { name, run } of storeConformance(() => new MyStore())) test(name, run)
 * ```
 *
 * @param open opens a store. It may contain other entries, because the cases use unique ids.
 */
export function storeConformance(
  open: () => SnapshotStore | Promise<SnapshotStore>,
  { shared = false }: ConformanceOptions = {},
): ConformanceCase[] {
  // With shared stores, the cases with two stores cover those with one.
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
