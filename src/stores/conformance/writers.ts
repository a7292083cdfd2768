// Conformance cases for compare-and-set: concurrent writers, deleters and readers, in one store and in two that share entries.
import assert from 'node:assert/strict'
import { assertSameBytes, bytesOf, type Check, type Probe, recordOf } from './probe.js'

const WRITERS = 50
/** Number of writers that retry after every conflict. Few, because each round has only one winner, which takes long on a slow store. */
const STUBBORN = 8
const UPDATES_EACH = 4

export const writerCases: Check[] = [
  {
    name: 'one of fifty writers of a generation succeeds',
    check: (probe) => oneSucceeds([probe]),
  },
  {
    name: 'writers that try until they succeed lose no update',
    check: (probe) => noneIsLost([probe]),
  },
  {
    name: 'of a put and a delete of the same generation one happens',
    check: (probe) => putOrDelete(probe, probe),
  },
  {
    name: 'a reader sees a whole entry while others write',
    check: (probe) => wholeReads(probe, probe),
  },
]

export const sharedCases: Check<[Probe, Probe]>[] = [
  {
    name: 'two stores: what one has written the other reads',
    check: async (a, b) => {
      const first = await a.create('a', bytesOf('from a'))
      assertSameBytes((await b.read('a')).bytes, bytesOf('from a'))
      const second = await b.store.put(b.id('a'), bytesOf('from b'), recordOf(), { generation: first })
      assert.ok(second)
      assert.equal(
        await a.store.put(a.id('a'), bytesOf('late'), recordOf(), { generation: first }),
        undefined,
      )
      assertSameBytes((await a.read('a')).bytes, bytesOf('from b'))
      assert.equal(await a.store.delete(a.id('a'), { generation: second }), true)
      assert.equal(await b.store.get(b.id('a')), undefined)
    },
  },
  { name: 'two stores: one of fifty writers of a generation succeeds', check: (a, b) => oneSucceeds([a, b]) },
  { name: 'two stores: no update is lost', check: (a, b) => noneIsLost([a, b]) },
  {
    name: 'two stores: of a put and a delete of the same generation one happens',
    check: (a, b) => putOrDelete(a, b),
  },
  {
    name: 'two stores: a reader sees a whole entry while the other writes',
    check: (a, b) => wholeReads(a, b),
  },
]

/** The first round creates the entry. */
async function oneSucceeds(probes: Probe[]): Promise<void> {
  let generation = 0
  for (let round = 0; round < 3; round += 1) {
    const results = await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => {
        const probe = probes[writer % probes.length] as Probe
        return probe.store.put(probe.id('a'), bytesOf(`${writer}`), recordOf(writer), { generation })
      }),
    )
    const winners = results.flatMap((result, writer) => (result === undefined ? [] : [writer]))
    assert.equal(
      winners.length,
      1,
      `${winners.length} of ${WRITERS} writers of generation ${generation} succeeded`,
    )
    const [winner = 0] = winners
    for (const probe of probes) {
      const entry = await probe.read('a')
      assert.equal(entry.generation, results[winner])
      assert.equal(entry.executionCount, winner)
      assertSameBytes(entry.bytes, bytesOf(`${winner}`))
    }
    generation = results[winner] ?? 0
  }
}

async function noneIsLost(probes: Probe[]): Promise<void> {
  const [first] = probes as [Probe]
  const start = await first.create('a', bytesOf('0'))
  const increment = async (probe: Probe) => {
    for (;;) {
      const entry = await probe.read('a')
      const count = entry.executionCount + 1
      const written = await probe.store.put(
        probe.id('a'),
        // Every other write only renews the lease, as managers do.
        count % 2 === 0 ? null : bytesOf(`${count}`),
        recordOf(count),
        { generation: entry.generation },
      )
      if (written !== undefined) return
    }
  }
  const total = STUBBORN * UPDATES_EACH
  const writer = async (probe: Probe) => {
    for (let i = 0; i < UPDATES_EACH; i += 1) await increment(probe)
  }
  await Promise.all(Array.from({ length: STUBBORN }, (_, i) => writer(probes[i % probes.length] as Probe)))
  const entry = await first.read('a')
  assert.equal(entry.executionCount, total)
  assert.equal(entry.generation, start + total)
  assertSameBytes(entry.bytes, bytesOf(`${total - 1}`))
}

async function putOrDelete(a: Probe, b: Probe): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const name = `entry-${round}`
    const generation = await a.create(name)
    const [written, deleted] = await Promise.all([
      a.store.put(a.id(name), bytesOf('new'), recordOf(), { generation }),
      b.store.delete(b.id(name), { generation }),
    ])
    assert.notEqual(written !== undefined, deleted, `put returned ${written} and delete ${deleted}`)
    assert.equal((await b.store.get(b.id(name))) === undefined, deleted)
  }
}

async function wholeReads(a: Probe, b: Probe): Promise<void> {
  await readsWhileWriting([a, b], 30, (snapshot, count, generation) =>
    a.store.put(a.id('a'), snapshot(count), recordOf(count), { generation }),
  )
}

/**
 * Checks that concurrent readers always see one complete snapshot. Every byte of a snapshot identifies the execution it belongs to.
 *
 * @param write writes an execution's snapshot to the first store, and returns the next generation
 */
export async function readsWhileWriting(
  [a, b]: readonly [writer: Probe, reader: Probe],
  writes: number,
  write: (
    snapshot: (count: number) => Uint8Array,
    count: number,
    generation: number,
  ) => Promise<number | undefined>,
): Promise<void> {
  const snapshot = (count: number) => new Uint8Array(50_000 + count).fill(count)
  let generation = await a.create('a', snapshot(0))
  let isWriting = true
  const writeAll = async () => {
    for (let count = 1; count <= writes; count += 1) {
      const next = await write(snapshot, count, generation)
      assert.ok(next, 'the only writer lost')
      generation = next
    }
  }
  const read = async () => {
    while (isWriting) {
      const { bytes, executionCount, sizeBytes } = await b.read('a')
      assert.equal(sizeBytes, bytes.length)
      assertSameBytes(bytes, snapshot(executionCount))
    }
  }
  await Promise.all([
    writeAll().finally(() => {
      isWriting = false
    }),
    read(),
    read(),
  ])
}
