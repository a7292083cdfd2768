// Conformance cases for `list`: order, prefixes, pages.
import assert from 'node:assert/strict'
import type { StoredPage } from '../../store/store.js'
import { bytesOf, type Check, LONG_LEASE_MS, recordOf } from './probe.js'

export const listCases: Check[] = [
  {
    name: 'list tells everything but the bytes',
    check: async (probe) => {
      const id = probe.id('a')
      const record = { tenant: 't', imageId: 'i', labels: { k: 'v' }, executionCount: 3 }
      const owner = { id: 'manager', leaseMs: LONG_LEASE_MS }
      const first = await probe.store.put(id, bytesOf('12345'), record, { generation: 0, owner })
      assert.ok(first)
      const [listed, ...others] = await probe.listAll(10)
      assert.ok(listed && others.length === 0)
      const { bytes, owner: ownerRead, ...read } = await probe.read('a')
      const { owner: ownerListed, ...rest } = listed
      assert.equal('bytes' in listed, false)
      assert.deepEqual(JSON.stringify(sorted(rest)), JSON.stringify(sorted(read)))
      assert.equal(ownerListed?.id, ownerRead?.id)
      assert.ok(ownerListed && ownerListed.remainingMs > 0)
      assert.equal(bytes.length, listed.sizeBytes)
    },
  },
  {
    name: 'pages of any length have each entry once, in the order of the ids’ bytes',
    check: async (probe) => {
      const names = ['b', 'a', 'B', 'aa', 'a-', 'a0', 'é', 'z', '🦙', '\uffee', '10', '9', 'ab', '_', '~']
      for (const name of names) await probe.create(name, null)
      const expected = names
        .map((name) => probe.id(name))
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const limit of [1, 2, 5, names.length, names.length + 1, 1000])
        assert.deepEqual(
          (await probe.listAll(limit)).map(({ id }) => id),
          expected,
          `pages of ${limit}`,
        )
    },
  },
  {
    name: 'a prefix selects the ids that begin with it, and is not a pattern',
    check: async (probe) => {
      const names = [
        'p',
        'p%',
        'p%x',
        'p_',
        'p_x',
        'p*',
        'px',
        'P',
        'q',
        'p/x',
        'p\\',
        'pé',
        'p\u{10ffff}',
        'p\uffff',
      ]
      for (const name of names) await probe.create(name, null)
      for (const prefix of ['p', 'p%', 'p_', 'p*', 'P', 'p\\', 'pé', 'pe', 'p\u{10ffff}', 'r', 'p\0']) {
        const listed = await probe.listAll(3, probe.namespace + prefix)
        const expected = names.filter((name) => name.startsWith(prefix)).length
        assert.equal(listed.length, expected, `entries with the prefix ${JSON.stringify(prefix)}`)
        for (const { id } of listed) assert.ok(id.startsWith(probe.namespace + prefix))
      }
    },
  },
  {
    name: 'a cursor holds when its entry is deleted and others come',
    check: async (probe) => {
      const generations = new Map<string, number>()
      for (const name of ['a', 'b', 'c', 'd']) generations.set(name, await probe.create(name, null))
      const first = await probe.store.list({ prefix: probe.namespace, limit: 2 })
      assert.ok(first.cursor)
      await probe.store.delete(probe.id('b'), { generation: generations.get('b') ?? 0 })
      await probe.create('aa', null)
      await probe.create('bb', null)
      const rest: string[] = []
      for (let cursor: string | undefined = first.cursor; cursor !== undefined; ) {
        const page: { sessions: readonly { id: string }[]; cursor?: string } = await probe.store.list({
          ...{ prefix: probe.namespace, limit: 2 },
          cursor,
        })
        rest.push(...page.sessions.map(({ id }) => id))
        cursor = page.cursor
      }
      const [c, d] = [probe.id('c'), probe.id('d')]
      assert.deepEqual(rest.slice(-2), [c, d])
      for (const id of rest) assert.ok(id > probe.id('aa'), `${id} was listed after its place`)
    },
  },
  {
    name: 'entries after an id are all listed; a store may ignore `after`, and list those before, too',
    check: async (probe) => {
      for (const name of ['a', 'b', 'ba', 'c', 'é']) await probe.create(name, null)
      for (const [after, expected] of [
        ['b', ['ba', 'c', 'é']],
        ['bb', ['c', 'é']],
        ['é', []],
      ] as const) {
        const listed: string[] = []
        let cursor: string | undefined
        do {
          const from = cursor === undefined ? { after: probe.id(after) } : { cursor }
          const page: StoredPage = await probe.store.list({ prefix: probe.namespace, limit: 2, ...from })
          listed.push(...page.sessions.map(({ id }) => id))
          cursor = page.cursor
        } while (cursor !== undefined)
        const [first] = expected
        const found = listed.slice(first === undefined ? listed.length : listed.indexOf(probe.id(first)))
        assert.deepEqual(
          found,
          expected.map((name) => probe.id(name)),
          `entries after ${after}`,
        )
      }
    },
  },
  {
    name: 'list without options begins with the lowest ids',
    check: async (probe) => {
      await probe.create('a', null)
      const { sessions, cursor } = await probe.store.list()
      assert.ok(sessions.length <= 100)
      const ids = sessions.map(({ id }) => id)
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      )
      if (cursor === undefined) assert.ok(ids.includes(probe.id('a')))
    },
  },
  {
    name: 'a page of one, by a whole id, is the entry of that id',
    check: async (probe) => {
      for (const name of ['a', 'a-', 'aa', 'b']) await probe.create(name, null)
      const { sessions } = await probe.store.list({ prefix: probe.id('a'), limit: 1 })
      assert.deepEqual(
        sessions.map(({ id }) => id),
        [probe.id('a')],
      )
      const all = await probe.listAll(1, probe.id('a'))
      assert.deepEqual(
        all.map(({ id }) => id),
        ['a', 'a-', 'aa'].map((name) => probe.id(name)),
      )
      assert.deepEqual((await probe.store.list({ prefix: probe.id('c'), limit: 1 })).sessions, [])
    },
  },
  {
    name: 'a list shows the newest record of each entry',
    check: async (probe) => {
      let generation = await probe.create('a', null)
      for (let count = 1; count <= 3; count += 1)
        generation = (await probe.store.put(probe.id('a'), null, recordOf(count), { generation })) ?? 0
      const listed = await probe.listAll(10)
      assert.deepEqual(
        listed.map((entry) => [entry.generation, entry.executionCount]),
        [[generation, 3]],
      )
    },
  },
]

function sorted(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
