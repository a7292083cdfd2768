// DirectoryStore: damage, file modes, and the files that a write touches. directory-crash.test.ts tests crashes.
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { StoreError } from '../../src/shared/errors.js'
import { fanName, folderName } from '../../src/store/directory/names.js'
import { DirectoryStore, type DirectoryStoreOptions } from '../../src/store/directory-store.js'

const RECORD = { tenant: 't', imageId: 'i', labels: { a: 'b' }, executionCount: 1 }
const bytes = Buffer.from('a snapshot')

async function directory(options?: DirectoryStoreOptions) {
  const path = await mkdtemp(join(tmpdir(), 'brumate-store-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return { path: join(path, 'store'), store: new DirectoryStore(join(path, 'store'), options) }
}

function folderOf(path: string, id: string): string {
  const name = folderName(id)
  return join(path, 'v1', fanName(name), name)
}

function fileOf(folder: string, kind: string): string {
  const name = readdirSync(folder).find((other) => other.endsWith(`.${kind}`))
  if (name === undefined) throw new Error(`no ${kind} in ${folder}`)
  return join(folder, name)
}

async function failure(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    (value) => new Error(`expected a StoreError, got ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof StoreError)) throw error
  return error
}

describe('damage', () => {
  test('any change of a record’s file is detected', async () => {
    const { path, store } = await directory()
    await store.put('a', bytes, RECORD, { generation: 0 })
    const file = fileOf(folderOf(path, 'a'), 'record')
    const whole = readFileSync(file)
    const damaged = [
      ...Array.from({ length: whole.length }, (_, i) => whole.subarray(0, i)),
      ...Array.from({ length: whole.length }, (_, i) => {
        const copy = Buffer.from(whole)
        copy[i] = (copy[i] ?? 0) ^ (1 << (i % 8))
        return copy
      }),
      Buffer.concat([whole, whole]),
      Buffer.concat([whole, Buffer.from('\n')]),
    ]
    for (const content of damaged) {
      writeFileSync(file, content)
      const { reason, message, sessionId } = await failure(store.get('a'))
      expect({ reason, sessionId }).toEqual({ reason: 'damaged', sessionId: 'a' })
      expect(message).toContain(file)
    }
    writeFileSync(file, whole)
    expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
  })

  test('a damaged record is neither overwritten nor deleted, and list reports it', async () => {
    const { path, store } = await directory()
    const generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    await store.put('b', bytes, RECORD, { generation: 0 })
    writeFileSync(fileOf(folderOf(path, 'a'), 'record'), 'x')
    for (const call of [
      () => store.put('a', bytes, RECORD, { generation }),
      () => store.put('a', bytes, RECORD, { generation: 0 }),
      () => store.delete('a', { generation }),
      () => store.list(),
    ])
      expect((await failure(call())).reason).toBe('damaged')
    const told: StoreError[] = []
    const tolerant = new DirectoryStore(path, { onDamaged: (error) => told.push(error) })
    expect((await tolerant.list()).sessions.map(({ id }) => id)).toEqual(['b'])
    expect(told.map(({ sessionId }) => sessionId)).toEqual(['a'])
  })

  test('a damaged, short, long or missing snapshot is an error, and a new one can be put', async () => {
    const { path, store } = await directory()
    let generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    for (const content of ['b snapshot', 'a snapsho', 'a snapshot!', '', undefined]) {
      const file = fileOf(folderOf(path, 'a'), 'snapshot')
      if (content === undefined) rmSync(file)
      else writeFileSync(file, content)
      const { reason, message } = await failure(store.get('a'))
      expect(reason).toBe('damaged')
      expect(message).toContain(file)
      // Calls that do not need the snapshot do not read it.
      expect((await store.list()).sessions).toHaveLength(1)
      generation = (await store.put('a', null, RECORD, { generation })) ?? 0
      expect((await failure(store.get('a'))).reason).toBe('damaged')
      generation = (await store.put('a', bytes, RECORD, { generation })) ?? 0
      expect((await store.get('a'))?.bytes).toEqual(new Uint8Array(bytes))
    }
  })

  test('damage anywhere in a chain of deltas is an error that names the file, and a new snapshot can be put', async () => {
    const { path, store } = await directory()
    const whole = Buffer.alloc(10_000, 'whole')
    for (const [index, damage] of ['flip', 'cut', 'remove', 'swap'].entries())
      for (const at of [0, 1, 2]) {
        const id = `chain-${index}-${at}`
        let generation = (await store.put(id, whole, RECORD, { generation: 0 })) ?? 0
        for (let i = 0; i < 3; i += 1) {
          const parts = [Buffer.from(`delta ${i}`), { start: 7, end: 10_000 }]
          const delta = { baseBytes: 10_000, sizeBytes: 10_000, parts }
          generation = (await store.putDelta(id, delta, RECORD, { generation })) as number
        }
        expect(Buffer.from((await store.get(id))?.bytes ?? []).toString('latin1', 0, 7)).toBe('delta 2')
        const folder = folderOf(path, id)
        const files = readdirSync(folder)
          .filter((name) => name.endsWith('.delta'))
          .sort()
        expect(files).toHaveLength(3)
        const [file, other] = [join(folder, files[at] ?? ''), join(folder, files[(at + 1) % 3] ?? '')]
        const content = readFileSync(file)
        if (damage === 'remove') rmSync(file)
        else if (damage === 'swap') writeFileSync(file, readFileSync(other))
        else if (damage === 'cut') writeFileSync(file, content.subarray(0, -1))
        else writeFileSync(file, content.fill((content.at(-1) ?? 0) ^ 1, content.length - 1))
        const { reason, message } = await failure(store.get(id))
        expect([reason, message.includes(file)]).toEqual(['damaged', true])
        expect((await store.put(id, bytes, RECORD, { generation })) ?? 0).toBe(generation + 1)
        expect((await store.get(id))?.bytes).toEqual(new Uint8Array(bytes))
        expect(readdirSync(folder)).toHaveLength(2)
      }
  })

  test('a folder copied to another session’s name is not taken for that session', async () => {
    const { path, store } = await directory()
    await store.put('a', bytes, RECORD, { generation: 0 })
    mkdirSync(dirname(folderOf(path, 'b')), { recursive: true })
    cpSync(folderOf(path, 'a'), folderOf(path, 'b'), { recursive: true })
    const { reason, message } = await failure(store.get('b'))
    expect(reason).toBe('damaged')
    expect(message).toContain('of another session, "a"')
  })
})

describe('files', () => {
  test('are accessible to their user only', async () => {
    const { path, store } = await directory()
    const umask = process.umask(0)
    try {
      const generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
      await store.put('a', bytes, RECORD, { generation })
    } finally {
      process.umask(umask)
    }
    const modes = readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => {
      const { mode } = statSync(join(entry.parentPath, entry.name))
      return [entry.isDirectory() ? 'folder' : 'file', (mode & 0o777).toString(8)].join(' ')
    })
    expect([...new Set(modes)].sort()).toEqual(['file 600', 'folder 700'])
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('a write without bytes does not touch the snapshot’s file', async () => {
    const { path, store } = await directory()
    let generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    const facts = () => {
      const { ino, mtimeMs, ctimeMs } = statSync(fileOf(folderOf(path, 'a'), 'snapshot'))
      return { ino, mtimeMs, ctimeMs }
    }
    const before = facts()
    for (let i = 0; i < 3; i += 1)
      generation =
        (await store.put('a', null, RECORD, { generation, owner: { id: 'm', leaseMs: 1000 } })) ?? 0
    expect(facts()).toEqual(before)
    expect(readdirSync(folderOf(path, 'a'))).toHaveLength(2)
  })

  test('of replaced or deleted entries are all removed', async () => {
    const { path, store } = await directory()
    for (const id of ['a', 'Ü'.repeat(100)]) {
      let generation = (await store.put(id, bytes, RECORD, { generation: 0 })) ?? 0
      for (let i = 0; i < 3; i += 1) generation = (await store.put(id, bytes, RECORD, { generation })) ?? 0
      expect(
        readdirSync(folderOf(path, id))
          .map((name) => name.split('.').at(-1))
          .sort(),
      ).toEqual(['record', 'snapshot'])
      await store.delete(id, { generation })
    }
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    expect(files).toEqual([])
    expect(readdirSync(join(path, 'v1/new'))).toEqual([])
  })

  test('get rising generations even if the clock was set back', async () => {
    const { store } = await directory()
    let generation = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
    const { now } = Date
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000)
    onTestFinished(() => clock.mockRestore())
    for (let i = 0; i < 3; i += 1) {
      expect(await store.delete('a', { generation })).toBe(true)
      expect(await store.get('a')).toBeUndefined()
      expect((await store.list()).sessions).toEqual([])
      const next = (await store.put('a', bytes, RECORD, { generation: 0 })) ?? 0
      expect(next).toBeGreaterThan(generation)
      generation = next
    }
  })

  test('of other programs in the folders are ignored', async () => {
    const { path, store } = await directory()
    await store.put('a', bytes, RECORD, { generation: 0 })
    for (const folder of [path, join(path, 'v1'), dirname(folderOf(path, 'a')), folderOf(path, 'a')])
      for (const name of ['.DS_Store', '1.record.swp', 'lost+found', '0.record', '99999999999999999.record'])
        writeFileSync(join(folder, name), 'x')
    expect((await store.list()).sessions.map(({ id }) => id)).toEqual(['a'])
    expect((await store.get('a'))?.executionCount).toBe(1)
  })
})

describe('errors', () => {
  test('say what went wrong and what to do', async () => {
    const { path, store } = await directory()
    writeFileSync(path, 'a file')
    const error = await failure(store.put('a', bytes, RECORD, { generation: 0 }))
    expect(error).toMatchObject({ code: 'STORE', reason: 'unavailable', sessionId: 'a' })
    expect(error.message).toMatch(/^(ENOTDIR|EEXIST): .*: .*/)
    expect(error.cause).toBeInstanceOf(Error)
  })

  test.skipIf(process.getuid?.() === 0)('about access rights name the path', async () => {
    const { path, store } = await directory()
    await store.put('a', bytes, RECORD, { generation: 0 })
    chmodSync(folderOf(path, 'a'), 0)
    onTestFinished(() => chmodSync(folderOf(path, 'a'), 0o700))
    expect((await failure(store.get('a'))).message).toContain('let the user of this process read and write')
  })

  test('about arguments are thrown before anything is written', async () => {
    const { store } = await directory()
    const options = { generation: 0 }
    for (const call of [
      () => store.put('', bytes, RECORD, options),
      () => store.put('x'.repeat(257), bytes, RECORD, options),
      () => store.put('\ud800', bytes, RECORD, options),
      () => store.put('a', 'text' as never, RECORD, options),
      () => store.put('a', bytes, { ...RECORD, tenant: 1 } as never, options),
      () => store.put('a', bytes, { ...RECORD, labels: { a: 1 } } as never, options),
      () => store.put('a', bytes, RECORD, { generation: -1 }),
      () => store.put('a', bytes, RECORD, { generation: 0, owner: { id: 'm', leaseMs: 0 } }),
      () => store.delete('a', { generation: 0 }),
      () => store.list({ limit: 0 }),
      () => store.list({ limit: 1001 }),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect((await store.list()).sessions).toEqual([])
  })
})
