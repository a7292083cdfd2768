// Conformance cases for single entries: what `get` returns after `put`, generations, owners, deletion.
import assert from 'node:assert/strict'
import { assertSameBytes, bytesOf, type Check, LONG_LEASE_MS, recordOf, SHORT_LEASE_MS } from './probe.js'

const LARGE_BYTES = 20_000_000
/** Ids that break stores which build paths, keys, statements or patterns from ids. */
const HARD_IDS = [
  ...['..', '.', '../../etc/passwd', '/', 'a/b', 'a\\b', 'con', 'NUL.txt', 'trailing.', 'trailing ', ' '],
  ...[
    '\0',
    'a\0b',
    '\x01\x02',
    '\n',
    '\x7f',
    '%41',
    '%',
    '*?[a-z]',
    "'; drop table x; --",
    '"',
    '{a}',
    '#?&=',
  ],
  ...[
    'Case',
    'case',
    'CASE',
    'é',
    'e\u0301',
    'ß',
    'ss',
    'İ',
    'i',
    '日本語',
    '🦙',
    '\uffff',
    '\u{10ffff}',
    '__proto__',
  ],
  'x'.repeat(180),
  `${'x'.repeat(179)}y`,
  '🦙'.repeat(50),
]

export const entryCases: Check[] = [
  {
    name: 'an entry that was never written is not there',
    check: async ({ store, namespace }) => {
      assert.equal(await store.get(`${namespace}nothing`), undefined)
      assert.equal(await store.delete(`${namespace}nothing`, { generation: 1 }), false)
    },
  },
  {
    name: 'get returns what was put',
    check: async (probe) => {
      const labels = { project: 'a b', '': 'empty name', __proto__x: '1', ünï: '🦙', 'quo"te': "it's\n\0" }
      const outcomes = '["k",{"a":"ü \\u0000"}]\n["l",{}]'
      const record = { tenant: 'tenant\0 ü', imageId: 'sha256:12', labels, executionCount: 2 ** 40, outcomes }
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      const generation = await probe.create('a', bytes, record)
      const entry = await probe.read('a')
      const { bytes: got, createdAt, updatedAt, ...rest } = entry
      assertSameBytes(got, bytes)
      assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
        ...record,
        id: probe.id('a'),
        generation,
        sizeBytes: 256,
      })
      assert.ok(createdAt instanceof Date && updatedAt instanceof Date, 'dates are not of class Date')
      assert.ok(Math.abs(createdAt.getTime() - updatedAt.getTime()) <= 1000, 'a new entry has two dates')
      assert.equal(entry.owner, undefined)
    },
  },
  {
    name: 'a label may be named __proto__',
    check: async (probe) => {
      const labels = JSON.parse('{"__proto__": "x", "constructor": "y"}')
      await probe.create('a', null, { ...recordOf(), labels })
      const { labels: got } = await probe.read('a')
      assert.deepEqual(Object.entries(got).sort(), Object.entries(labels).sort())
    },
  },
  {
    name: 'every write raises the generation by one and keeps the date of creation',
    check: async (probe) => {
      const first = await probe.create('a')
      const before = await probe.read('a')
      const second = await probe.store.put(probe.id('a'), bytesOf('two'), recordOf(2), { generation: first })
      assert.equal(second, first + 1)
      const after = await probe.read('a')
      assert.equal(after.generation, second)
      assert.equal(after.executionCount, 2)
      assertSameBytes(after.bytes, bytesOf('two'))
      assert.deepEqual(after.createdAt, before.createdAt)
      assert.ok(after.updatedAt >= before.updatedAt, 'the date of the last write went back')
    },
  },
  {
    name: 'a write with another generation than the entry’s changes nothing',
    check: async (probe) => {
      const first = await probe.create('a')
      const id = probe.id('a')
      for (const generation of [0, first - 1, first + 1, 1e12].filter(
        (other) => other !== first && other >= 0,
      ))
        assert.equal(await probe.store.put(id, bytesOf('no'), recordOf(9), { generation }), undefined)
      assert.equal(await probe.store.delete(id, { generation: first + 1 }), false)
      assert.equal(
        await probe.store.put(probe.id('b'), bytesOf('no'), recordOf(), { generation: first }),
        undefined,
      )
      const entry = await probe.read('a')
      assert.equal(entry.generation, first)
      assertSameBytes(entry.bytes, bytesOf('a'))
      assert.equal(await probe.store.get(probe.id('b')), undefined)
    },
  },
  {
    name: 'bytes: null keeps the snapshot and writes the record and the owner',
    check: async (probe) => {
      const first = await probe.create('a', bytesOf('kept'))
      const owner = { id: 'manager', leaseMs: LONG_LEASE_MS }
      const options = { generation: first, owner }
      const second = await probe.store.put(
        probe.id('a'),
        null,
        { ...recordOf(5), labels: { a: '1' } },
        options,
      )
      assert.equal(second, first + 1)
      const entry = await probe.read('a')
      assertSameBytes(entry.bytes, bytesOf('kept'))
      assert.deepEqual({ ...entry.labels }, { a: '1' })
      assert.equal(entry.executionCount, 5)
      assert.equal(entry.owner?.id, 'manager')
      assert.equal(entry.sizeBytes, 4)
    },
  },
  {
    name: 'bytes: null makes a new entry with an empty snapshot',
    check: async (probe) => {
      await probe.create('a', null)
      const { bytes, sizeBytes } = await probe.read('a')
      assertSameBytes(bytes, new Uint8Array())
      assert.equal(sizeBytes, 0)
    },
  },
  {
    name: 'snapshots of no bytes and of 20 MB come back as they were',
    check: async (probe) => {
      const first = await probe.create('a', new Uint8Array())
      assertSameBytes((await probe.read('a')).bytes, new Uint8Array())
      const large = new Uint8Array(LARGE_BYTES)
      for (let i = 0, state = 1; i < large.length; i += 1) {
        state = (state * 1103515245 + 12345) & 0x7fffffff
        large[i] = state >> 16
      }
      await probe.store.put(probe.id('a'), large, recordOf(), { generation: first })
      const entry = await probe.read('a')
      assert.equal(entry.sizeBytes, LARGE_BYTES)
      assertSameBytes(entry.bytes, large)
    },
  },
  {
    name: 'the caller may change bytes after put and after get',
    check: async (probe) => {
      // A Buffer inside a larger one, because a Buffer's `slice` does not copy.
      const given = Buffer.from('(given)').subarray(1, 6)
      await probe.create('a', given)
      given.fill(0)
      const entry = await probe.read('a')
      assertSameBytes(entry.bytes, bytesOf('given'))
      entry.bytes.fill(0)
      assertSameBytes((await probe.read('a')).bytes, bytesOf('given'))
    },
  },
  {
    name: 'the caller may change the record after put',
    check: async (probe) => {
      const labels: Record<string, string> = { a: '1' }
      await probe.create('a', null, { ...recordOf(), labels })
      labels.a = '2'
      assert.equal((await probe.read('a')).labels.a, '1')
    },
  },
  {
    name: 'an owner’s lease counts down by the store’s clock, and expires',
    check: async (probe) => {
      const id = probe.id('a')
      const owner = { id: 'manager/ü', leaseMs: LONG_LEASE_MS }
      const first = await probe.store.put(id, null, recordOf(), { generation: 0, owner })
      assert.ok(first)
      const { owner: long, updatedAt } = await probe.read('a')
      assert.equal(long?.id, 'manager/ü')
      assertNear(long?.remainingMs, LONG_LEASE_MS)
      assertNear(long && long.expiresAt.getTime() - updatedAt.getTime(), LONG_LEASE_MS)
      const short = { id: 'manager', leaseMs: SHORT_LEASE_MS }
      const second = await probe.store.put(id, null, recordOf(), { generation: first, owner: short })
      assert.ok(second)
      const expired = await probe.untilExpired('a')
      assert.equal(expired.owner?.id, 'manager')
      assert.equal(expired.generation, second, 'expiry changed the generation')
    },
  },
  {
    name: 'a write without an owner leaves the entry without one',
    check: async (probe) => {
      const id = probe.id('a')
      const owner = { id: 'manager', leaseMs: LONG_LEASE_MS }
      const first = await probe.store.put(id, null, recordOf(), { generation: 0, owner })
      assert.ok(first)
      await probe.store.put(id, null, recordOf(), { generation: first })
      assert.equal((await probe.read('a')).owner, undefined)
    },
  },
  {
    name: 'delete removes an entry once',
    check: async (probe) => {
      const first = await probe.create('a')
      const id = probe.id('a')
      assert.equal(await probe.store.delete(id, { generation: first }), true)
      assert.equal(await probe.store.get(id), undefined)
      assert.equal(await probe.store.delete(id, { generation: first }), false)
      assert.deepEqual(await probe.listAll(10), [])
    },
  },
  {
    name: 'whoever knew a deleted entry cannot write to its successor',
    check: async (probe) => {
      const id = probe.id('a')
      let highest = 0
      for (let round = 0; round < 5; round += 1) {
        const first = await probe.create('a', bytesOf(`${round}`))
        assert.ok(first > highest, `generation ${first} of a new entry, after ${highest} of a deleted one`)
        const second = await probe.store.put(id, null, recordOf(), { generation: first })
        assert.ok(second)
        assert.equal(await probe.store.delete(id, { generation: second }), true)
        highest = second
      }
      await probe.create('a', bytesOf('successor'))
      assert.equal(await probe.store.put(id, bytesOf('late'), recordOf(), { generation: highest }), undefined)
      assertSameBytes((await probe.read('a')).bytes, bytesOf('successor'))
    },
  },
  {
    name: 'any id names an entry of its own',
    check: async (probe) => {
      const names = HARD_IDS.filter((name) => Buffer.byteLength(probe.namespace + name) <= 256)
      await eachOf(names, async (name) => void (await probe.create(name)))
      await eachOf(names, async (name) => assertSameBytes((await probe.read(name)).bytes, bytesOf(name)))
      const listed = (await probe.listAll(7)).map(({ id }) => id)
      assert.deepEqual(listed, names.map((name) => probe.id(name)).sort(byBytes))
    },
  },
  {
    name: 'close can be called twice',
    check: async ({ store }) => {
      await store.close?.()
      await store.close?.()
    },
  },
]

/** The tolerance is wide: some stores' clocks count whole seconds, and test machines can be slow. */
function assertNear(actual: number | undefined, expected: number): void {
  const isNear = actual !== undefined && Math.abs(actual - expected) < 60_000
  assert.ok(isNear, `${actual} ms of a lease, expected about ${expected}`)
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Runs work for each item, ten at a time. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 10 }, worker))
}
