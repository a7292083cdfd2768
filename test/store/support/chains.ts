// How many deltas a store accepts before it asks for a whole snapshot.
import type { SnapshotStore } from '../../../src/store/store.js'

const RECORD = { tenant: 't', imageId: 'i', labels: {}, executionCount: 0 }
const WHOLE_BYTES = 100_000
const MOST = 1000

/** Counts accepted deltas of `newBytes` each after a whole snapshot of 100 KB, and again after the next one. */
export async function takenDeltas(
  store: Pick<Required<SnapshotStore>, 'put' | 'putDelta'>,
  newBytes: number,
): Promise<number[]> {
  const id = `chain-${newBytes}`
  let generation = 0
  const counts: number[] = []
  for (let round = 0; round < 2; round += 1) {
    generation = (await store.put(id, new Uint8Array(WHOLE_BYTES), RECORD, { generation })) ?? 0
    for (let count = 0; count < MOST; count += 1) {
      const parts = [new Uint8Array(newBytes).fill(count), { start: newBytes, end: WHOLE_BYTES }]
      const delta = { baseBytes: WHOLE_BYTES, sizeBytes: WHOLE_BYTES, parts }
      const written = await store.putDelta(id, delta, RECORD, { generation })
      if (written === 'whole') {
        counts.push(count)
        break
      }
      generation = written ?? 0
    }
  }
  return counts
}
