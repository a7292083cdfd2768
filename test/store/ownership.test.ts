// Finding one session in a store that may return empty pages before the last one (src/store/store.ts).
import { expect, test } from 'vitest'
import { MemoryStore } from '../../src/store/memory-store.js'
import { Ownership } from '../../src/store/ownership.js'
import type { ListOptions, StoredPage } from '../../src/store/store.js'

/** A store whose listings begin with an empty page. */
class LateStore extends MemoryStore {
  override async list(options: ListOptions = {}): Promise<StoredPage> {
    const { cursor, ...rest } = options
    if (cursor === undefined) return { sessions: [], cursor: 'begin' }
    return super.list(cursor === 'begin' ? rest : options)
  }
}

const RECORD = { tenant: 'acme', imageId: 'image', labels: {}, executionCount: 0 }

test('a session behind an empty page is found and deleted, and not mistaken for another one with its prefix', async () => {
  const ownership = new Ownership(new LateStore(), 30_000)
  await ownership.create('chat-42', new Uint8Array(), RECORD)
  expect((await ownership.find('chat-42'))?.tenant).toBe('acme')
  expect(await ownership.find('chat')).toBeUndefined()
  expect(await ownership.delete('chat-42')).toBe(true)
  expect(await ownership.delete('chat-42')).toBe(false)
})
