// Every store that needs no server passes the exported conformance suite.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { DirectoryStore } from '../../src/store/directory-store.js'
import { MemoryStore } from '../../src/store/memory-store.js'
import type {
  ListOptions,
  PutOptions,
  SnapshotDelta,
  SnapshotRecord,
  StoredPage,
  StoreEntry,
} from '../../src/store/store.js'
import { storeConformance } from '../../src/stores/conformance/index.js'
import { MEMORY_FOLDER } from '../support/memory-folder.js'

const folder = mkdtempSync(join(MEMORY_FOLDER, 'brumate-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('MemoryStore', () => {
  for (const { name, run } of storeConformance(() => new MemoryStore())) test(name, run)
})

describe('DirectoryStore', () => {
  const open = () => new DirectoryStore(folder)
  for (const { name, run } of storeConformance(open, { shared: true })) test(name, run)
})

describe('the suite detects', () => {
  type PutDelta = [string, SnapshotDelta, SnapshotRecord, PutOptions]
  type Put = [string, Uint8Array | null, SnapshotRecord, PutOptions]
  class NoCompareAndSet extends MemoryStore {
    override async put(...[id, bytes, record, { owner }]: Put) {
      const generation = (await this.get(id))?.generation ?? 0
      return await super.put(id, bytes, record, { generation, owner })
    }
  }
  class CheckThenWrite extends NoCompareAndSet {
    override async put(...args: Put) {
      const generation = (await this.get(args[0]))?.generation ?? 0
      await new Promise(setImmediate)
      return generation === args[3].generation ? await super.put(...args) : undefined
    }
  }
  class SharedBytes extends MemoryStore {
    readonly #given = new Map<string, Uint8Array>()
    override async put(...args: Put) {
      if (args[1]) this.#given.set(args[0], args[1])
      return await super.put(...args)
    }
    override async get(id: string): Promise<StoreEntry | undefined> {
      const entry = await super.get(id)
      return entry && { ...entry, bytes: this.#given.get(id) ?? entry.bytes }
    }
  }
  class FreshGenerations extends MemoryStore {
    readonly #stores = new Map<string, MemoryStore>()
    #of(id: string) {
      return this.#stores.get(id) ?? new MemoryStore()
    }
    override async put(...args: Put) {
      const store = this.#of(args[0])
      this.#stores.set(args[0], store)
      return await store.put(...args)
    }
    override get(id: string) {
      return this.#of(id).get(id)
    }
    override async delete(id: string, options: { generation: number }) {
      const isDeleted = await this.#of(id).delete(id, options)
      if (isDeleted) this.#stores.delete(id)
      return isDeleted
    }
  }
  class LowerCase extends MemoryStore {
    override get(id: string) {
      return super.get(id.toLowerCase())
    }
    override put(...[id, ...rest]: Put) {
      return super.put(id.toLowerCase(), ...rest)
    }
  }
  class WrongOrder extends MemoryStore {
    override async list(options = {}): Promise<StoredPage> {
      const page = await super.list(options)
      return { ...page, sessions: [...page.sessions].reverse() }
    }
  }
  class LateAfter extends MemoryStore {
    override async list(options: ListOptions = {}): Promise<StoredPage> {
      const page = await super.list(options)
      return options.after === undefined ? page : { ...page, sessions: page.sessions.slice(1) }
    }
  }
  class DeltasWithoutCompareAndSet extends MemoryStore {
    override async putDelta(...[id, delta, record, { owner }]: PutDelta) {
      const generation = (await this.get(id))?.generation ?? 0
      return await super.putDelta(id, delta, record, { generation, owner })
    }
  }
  class SharedDeltas extends MemoryStore {
    readonly #given = new Map<string, SnapshotDelta>()
    override async putDelta(...args: PutDelta) {
      this.#given.set(args[0], args[1])
      return await super.putDelta(...args)
    }
    override async get(id: string): Promise<StoreEntry | undefined> {
      const entry = await super.get(id)
      const parts = this.#given.get(id)?.parts.filter((part) => part instanceof Uint8Array)
      return entry && parts ? { ...entry, bytes: Buffer.concat(parts) } : entry
    }
  }
  /** Applies each delta to the last whole snapshot, and forgets the delta before it. */
  class OneDelta extends MemoryStore {
    readonly #whole = new Map<string, Uint8Array>()
    override async put(...args: Put) {
      if (args[1]) this.#whole.set(args[0], args[1])
      return await super.put(...args)
    }
    override async putDelta(...[id, delta, ...rest]: PutDelta) {
      const whole = this.#whole.get(id) ?? new Uint8Array()
      const parts = delta.parts.map((part) =>
        part instanceof Uint8Array ? part : whole.subarray(part.start, part.end),
      )
      return await super.put(id, Buffer.concat(parts), ...rest)
    }
  }
  test.each([
    [
      DeltasWithoutCompareAndSet,
      'a delta with another generation than the entry’s, or to another snapshot, changes nothing',
    ],
    [SharedDeltas, 'the caller may change the bytes of a delta after putDelta'],
    [
      OneDelta,
      'a chain of deltas is read whole, with renewals between, until the store asks for a whole snapshot',
    ],
    [NoCompareAndSet, 'a write with another generation than the entry’s changes nothing'],
    [CheckThenWrite, 'writers that try until they succeed lose no update'],
    [SharedBytes, 'the caller may change bytes after put and after get'],
    [FreshGenerations, 'whoever knew a deleted entry cannot write to its successor'],
    [LowerCase, 'any id names an entry of its own'],
    [LateAfter, 'entries after an id are all listed; a store may ignore `after`, and list those before, too'],
    [WrongOrder, 'pages of any length have each entry once, in the order of the ids’ bytes'],
  ])('%o', async (Broken, name) => {
    const found = storeConformance(() => new Broken()).find((one) => one.name === name)
    await expect(found?.run()).rejects.toThrow()
  })
})
