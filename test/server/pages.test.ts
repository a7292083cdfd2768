// Pages of the list of sessions: what they contain, and how much of the store each one reads.
import { type ListOptions, MemoryStore, type StoredPage } from 'brumate'
import { sessionIdOf } from 'brumate/server'
import { expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { appForTest, type Call } from './support/caller.js'

/** Counts the entries that it lists, and those that it was asked for. */
class CountingStore extends MemoryStore {
  listed = 0
  asked = 0

  override async list(options?: ListOptions): Promise<StoredPage> {
    const page = await super.list(options)
    this.listed += page.sessions.length
    this.asked += options?.limit ?? 100
    return page
  }
}

/** A store of a user, from before `after` existed. */
class OlderStore extends CountingStore {
  override list({ after: _, ...options }: ListOptions = {}): Promise<StoredPage> {
    return super.list(options)
  }
}

const SESSIONS = 450

async function pagesOf(call: Call, query = ''): Promise<string[][]> {
  const pages: string[][] = []
  let cursor: string | undefined
  do {
    const after = cursor === undefined ? '' : `&cursor=${cursor}`
    const { body } = await call('GET', `/v1/sessions?limit=100${query}${after}`)
    pages.push(body.sessions.map(({ id }: { id: string }) => id))
    cursor = body.cursor
  } while (cursor !== undefined)
  return pages
}

test.each([
  ['reads one session more than it shows', CountingStore, SESSIONS + 5],
  ['is right in a store that cannot begin after an id', OlderStore, SESSIONS * 5],
])('a page of sessions %s', async (_, Store, most) => {
  const store = new Store()
  const manager = await managerForTest({ slots: 1, store })
  const { call } = await appForTest({ manager, tenant: 'pages' })
  const names = Array.from({ length: SESSIONS }, (_, i) => `s${String(i).padStart(3, '0')}`)
  for (const [i, name] of names.entries()) {
    const record = {
      tenant: 'pages',
      imageId: 'none',
      labels: { rare: `${i % 40 === 7}` },
      executionCount: 0,
    }
    await store.put(sessionIdOf('pages', name), null, record, { generation: 0 })
  }
  const pages = await pagesOf(call)
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 100, 100, 50])
  expect(pages.flat()).toEqual(names)
  expect(store.listed).toBeLessThanOrEqual(most)
  expect(await pagesOf(call, '&label=rare%3Dtrue')).toEqual([names.filter((_, i) => i % 40 === 7)])
  expect(await pagesOf(call, '&prefix=s44')).toEqual([names.slice(440)])
  const { body } = await call('GET', '/v1/sessions?prefix=s44&cursor=s0')
  expect(body.sessions).toHaveLength(10)
})

test('a request about one session asks the store for one entry at a time', async () => {
  const store = new CountingStore()
  const manager = await managerForTest({ slots: 1, store })
  const { call } = await appForTest({ manager, librechat: true })
  for (const id of ['s', 's1', 's2']) await call('PUT', `/v1/sessions/${id}`)
  store.listed = store.asked = 0
  expect((await call('GET', '/v1/sessions/s')).body.id).toBe('s')
  expect([store.listed, store.asked]).toEqual([1, 1])
  await call('DELETE', '/v1/sessions/s')
  store.listed = store.asked = 0
  expect((await call('GET', '/v1/sessions/s')).status).toBe(404)
  expect((await call('GET', `/v1/files/${'a'.repeat(21)}`)).body).toEqual([])
  expect([store.listed, store.asked]).toEqual([1, 2])
})
