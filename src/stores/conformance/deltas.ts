// Conformance cases for deltas, for stores with `putDelta`: what `get` returns afterwards, generations, limits, and concurrent readers and
// writers. A store without the method passes.
import assert from 'node:assert/strict'
import type { SnapshotDelta } from '../../store/store.js'
import { assertSameBytes, bytesOf, type Check, LONG_LEASE_MS, type Probe, recordOf } from './probe.js'
import { readsWhileWriting } from './writers.js'

const WHOLE_BYTES = 100_000
const WRITERS = 20
/** A store that keeps chains of deltas asks for a whole snapshot sooner. One that applies each delta at once never has to. */
const MOST_DELTAS = 100

export const deltaCases: Check[] = [
  {
    name: 'a delta makes the bytes, the record and the owner that a put would',
    check: async (probe) => {
      const { store } = probe
      if (!store.putDelta) return
      const before = noise(WHOLE_BYTES, 1)
      const first = await probe.create('a', before)
      const record = { tenant: 'ü', imageId: 'i', labels: { k: 'v' }, executionCount: 7 }
      const options = { generation: first, owner: { id: 'manager', leaseMs: LONG_LEASE_MS } }
      // Ranges may overlap, come in any order, and be empty.
      const parts = [
        bytesOf('new'),
        range(500, 90_000),
        range(0, 1000),
        bytesOf(''),
        range(7, 7),
        bytesOf('end'),
      ]
      const after = Buffer.concat([
        bytesOf('new'),
        before.subarray(500, 90_000),
        before.subarray(0, 1000),
        bytesOf('end'),
      ])
      const delta = { baseBytes: WHOLE_BYTES, sizeBytes: after.length, parts }
      const second = await store.putDelta(probe.id('a'), delta, record, options)
      assert.equal(second, first + 1)
      const { bytes, owner, ...entry } = await probe.read('a')
      assertSameBytes(bytes, after)
      assert.deepEqual([entry.generation, entry.sizeBytes, owner?.id], [second, after.length, 'manager'])
      assert.deepEqual(
        [entry.tenant, entry.executionCount, { ...entry.labels }],
        [record.tenant, 7, record.labels],
      )
      const [listed] = await probe.listAll(10)
      assert.deepEqual(
        [listed?.generation, listed?.sizeBytes, listed?.executionCount],
        [second, after.length, 7],
      )
    },
  },
  {
    name: 'a chain of deltas is read whole, with renewals between, until the store asks for a whole snapshot',
    check: async (probe) => {
      if (!probe.store.putDelta) return
      let bytes: Uint8Array = noise(WHOLE_BYTES, 2)
      let generation = await probe.create('a', bytes)
      for (let round = 0; round < 2; round += 1) {
        let deltas = 0
        for (; deltas < MOST_DELTAS; deltas += 1) {
          const [delta, after] = change(bytes, deltas)
          const written: number | 'whole' | undefined = await probe.store.putDelta(
            probe.id('a'),
            delta,
            recordOf(deltas),
            { generation },
          )
          if (written === 'whole') break
          assert.equal(written, generation + 1)
          bytes = after
          generation = written
          if (deltas % 3 !== 0) continue
          generation = (await probe.store.put(probe.id('a'), null, recordOf(deltas), { generation })) ?? 0
          assertSameBytes((await probe.read('a')).bytes, bytes)
        }
        assert.ok(deltas > 0, 'the store takes no delta, not even behind a whole snapshot')
        const entry = await probe.read('a')
        assert.equal(entry.generation, generation, '"whole" was answered to a delta that was written')
        assertSameBytes(entry.bytes, bytes)
        bytes = noise(WHOLE_BYTES + round, 3)
        generation = (await probe.store.put(probe.id('a'), bytes, recordOf(), { generation })) ?? 0
        assertSameBytes((await probe.read('a')).bytes, bytes)
      }
    },
  },
  {
    name: 'a delta with another generation than the entry’s, or to another snapshot, changes nothing',
    check: async (probe) => {
      const { store } = probe
      if (!store.putDelta) return
      const bytes = noise(WHOLE_BYTES, 5)
      const first = await probe.create('a', bytes)
      const [delta] = change(bytes, 1)
      const put = (name: string, given: SnapshotDelta, generation: number) =>
        store.putDelta?.(probe.id(name), given, recordOf(9), { generation })
      for (const generation of [0, first - 1, first + 1, 1e12].filter((one) => one >= 0))
        assert.equal(await put('a', delta, generation), undefined, `generation ${generation}`)
      assert.equal(await put('b', delta, first), undefined)
      assert.equal(await put('a', { ...delta, baseBytes: WHOLE_BYTES + 1 }, first), 'whole')
      const entry = await probe.read('a')
      assert.deepEqual([entry.generation, entry.executionCount], [first, 0])
      assertSameBytes(entry.bytes, bytes)
      assert.equal(await store.get(probe.id('b')), undefined)
    },
  },
  {
    name: 'a whole snapshot, and a new entry of the same id, have nothing of the deltas before',
    check: async (probe) => {
      const { store } = probe
      if (!store.putDelta) return
      const id = probe.id('a')
      for (let round = 0; round < 2; round += 1) {
        const bytes = noise(WHOLE_BYTES, 6)
        const first = await probe.create('a', bytes)
        const [delta] = change(bytes, round)
        const second = (await store.putDelta(id, delta, recordOf(), { generation: first })) as number
        const third = (await store.put(id, bytes, recordOf(), { generation: second })) ?? 0
        assertSameBytes((await probe.read('a')).bytes, bytes)
        const fourth = (await store.putDelta(id, delta, recordOf(), { generation: third })) as number
        assert.equal(await store.delete(id, { generation: fourth }), true)
        assert.equal(await store.get(id), undefined)
      }
      const small = await probe.create('a', bytesOf('small'))
      assertSameBytes((await probe.read('a')).bytes, bytesOf('small'))
      await store.put(id, new Uint8Array(), recordOf(), { generation: small })
      assertSameBytes((await probe.read('a')).bytes, new Uint8Array())
    },
  },
  {
    name: 'the caller may change the bytes of a delta after putDelta',
    check: async (probe) => {
      if (!probe.store.putDelta) return
      const bytes = noise(WHOLE_BYTES, 7)
      const generation = await probe.create('a', bytes)
      const fresh = Buffer.from('(given)').subarray(1, 6)
      const parts = [fresh, range(0, WHOLE_BYTES)]
      const delta = { baseBytes: WHOLE_BYTES, sizeBytes: WHOLE_BYTES + 5, parts }
      await probe.store.putDelta(probe.id('a'), delta, recordOf(), { generation })
      fresh.fill(0)
      parts.length = 0
      assertSameBytes((await probe.read('a')).bytes, Buffer.concat([bytesOf('given'), bytes]))
    },
  },
  {
    name: 'of writers of deltas and of whole snapshots one succeeds',
    check: (probe) => oneSucceeds(probe, probe),
  },
  {
    name: 'a reader sees a whole entry while deltas are written',
    check: (probe) => wholeReads(probe, probe),
  },
]

export const sharedDeltaCases: Check<[Probe, Probe]>[] = [
  { name: 'two stores: of writers of deltas and of whole snapshots one succeeds', check: oneSucceeds },
  { name: 'two stores: a reader sees a whole entry while the other writes deltas', check: wholeReads },
]

async function oneSucceeds(...probes: readonly [Probe, Probe]): Promise<void> {
  const [first] = probes
  if (!first.store.putDelta) return
  let bytes: Uint8Array = noise(WHOLE_BYTES, 8)
  let generation = await first.create('a', bytes)
  for (let round = 0; round < 3; round += 1) {
    const snapshots: Uint8Array[] = []
    const results = await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => {
        const { store } = probes[writer % 2] as Probe
        const [delta, after] = change(bytes, writer)
        snapshots.push(after)
        return writer % 4 < 2
          ? store.putDelta?.(first.id('a'), delta, recordOf(writer), { generation })
          : store.put(first.id('a'), after, recordOf(writer), { generation })
      }),
    )
    const winners = results.flatMap((result, writer) => (typeof result === 'number' ? [writer] : []))
    assert.equal(winners.length, 1, `${winners.length} of ${WRITERS} writers of one generation succeeded`)
    const [winner = 0] = winners
    bytes = snapshots[winner] as Uint8Array
    generation += 1
    for (const probe of probes) {
      const entry = await probe.read('a')
      assert.deepEqual([entry.generation, entry.executionCount], [generation, winner])
      assertSameBytes(entry.bytes, bytes)
    }
  }
}

async function wholeReads(a: Probe, b: Probe): Promise<void> {
  if (!a.store.putDelta) return
  await readsWhileWriting([a, b], 60, async (snapshot, count, generation) => {
    const whole = snapshot(count)
    const parts = [whole.subarray(0, 1000), whole.subarray(1000)]
    const delta = { baseBytes: whole.length - 1, sizeBytes: whole.length, parts }
    // Each delta is as long as the snapshot it makes, so the limit is reached soon.
    const written = await a.store.putDelta?.(a.id('a'), delta, recordOf(count), { generation })
    return written === 'whole' ? a.store.put(a.id('a'), whole, recordOf(count), { generation }) : written
  })
}

function range(start: number, end: number): { start: number; end: number } {
  return { start, end }
}

/** A small change in the middle, as a delta and as the snapshot it makes. */
function change(before: Uint8Array, seed: number): [SnapshotDelta, Uint8Array] {
  const fresh = noise(100, seed)
  const at = 1000 + ((seed * 7919) % (before.length - 2000))
  const after = Buffer.concat([before.subarray(0, at), fresh, before.subarray(at + 50)])
  const parts = [range(0, at), fresh, range(at + 50, before.length)]
  return [{ baseBytes: before.length, sizeBytes: after.length, parts }, after]
}

function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0, state = seed + 1; i < length; i += 1) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    bytes[i] = state >> 16
  }
  return bytes
}
