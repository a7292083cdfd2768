// DirectoryStore and crashes: at every single step of a call, and in processes that are killed at random moments. Acknowledged writes
// survive, nothing is half written, nobody waits for a dead process, and its leftovers are removed.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DirectoryStore } from '../../src/store/directory-store.js'
import { MEMORY_FOLDER } from '../support/memory-folder.js'

const KILLS = 20
const AT_ONCE = 4

/**
 * Counts file system calls. From number `left` on, all fail: the process has ended, and does not even clean up. Call number `stopAt` waits
 * until `meanwhile` has finished.
 */
const steps = vi.hoisted(() => ({
  left: Number.POSITIVE_INFINITY,
  taken: 0,
  stopAt: Number.POSITIVE_INFINITY,
  meanwhile: async () => {},
}))

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>()
  const step = async () => {
    steps.taken += 1
    if (steps.taken > steps.left) throw new Error('the process has ended')
    if (steps.taken - 1 === steps.stopAt) await steps.meanwhile()
  }
  const stepped = <T extends object>(target: T, names: readonly string[]) => {
    const changed: Record<string, unknown> = {}
    for (const name of names) {
      const call = (target as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]
      changed[name] = async (...args: unknown[]) => {
        await step()
        return await call?.apply(target, args)
      }
    }
    return changed
  }
  const names = ['mkdir', 'rmdir', 'rename', 'link', 'unlink', 'readdir', 'readFile', 'lstat', 'stat']
  return {
    ...original,
    ...stepped(original, names),
    open: async (...args: Parameters<typeof original.open>) => {
      await step()
      const file = await original.open(...args)
      const close = file.close.bind(file)
      return Object.assign(file, stepped(file, ['write', 'sync', 'read', 'stat']), { close })
    },
  }
})

async function temporary(): Promise<string> {
  const path = await mkdtemp(join(MEMORY_FOLDER, 'brumate-store-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const record = (executionCount: number) => ({ tenant: 't', imageId: 'i', labels: {}, executionCount })
/** All snapshots start with the same bytes. */
const snapshot = (count: number) => new Uint8Array(5000 + count).fill(7, 0, 4000).fill(count, 4000)
const delta = (from: number, to: number) => ({
  baseBytes: 5000 + from,
  sizeBytes: 5000 + to,
  parts: [{ start: 0, end: 4000 }, snapshot(to).subarray(4000)],
})

/** Execution count of an intact entry; 0 if there is none. */
async function countOf(store: DirectoryStore, id: string): Promise<{ count: number; generation: number }> {
  const entry = await store.get(id)
  if (!entry) return { count: 0, generation: 0 }
  expect(Buffer.compare(entry.bytes, snapshot(entry.executionCount & 255))).toBe(0)
  return { count: entry.executionCount, generation: entry.generation }
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.split('.').at(-1) ?? '')
    .sort()
}

describe('a process that ends at any step of', () => {
  const calls: [string, (store: DirectoryStore, generation: number) => Promise<unknown>, number, number][] = [
    ['the first put', (store) => store.put('a', snapshot(1), record(1), { generation: 0 }), 0, 1],
    ['a put', (store, generation) => store.put('a', snapshot(2), record(2), { generation }), 1, 2],
    ['a delta', (store, generation) => store.putDelta('a', delta(1, 2), record(2), { generation }), 1, 2],
    // The snapshot is still that of the first execution.
    ['a put without bytes', (store, generation) => store.put('a', null, record(1), { generation }), 1, 1],
    ['a delete', (store, generation) => store.delete('a', { generation }), 1, 0],
  ]

  test.each(calls)(
    '%s leaves the old or the new entry, and the store in order',
    async (_, call, before, after) => {
      let isDone = false
      for (let step = 0; !isDone; step += 1) {
        const path = await temporary()
        let generation = 0
        if (before > 0)
          generation =
            (await new DirectoryStore(path).put('a', snapshot(before), record(before), { generation: 0 })) ??
            0
        steps.taken = 0
        steps.left = step
        const ended = await call(new DirectoryStore(path), generation).then(
          () => 'done',
          (error: Error) => error.message,
        )
        steps.left = Number.POSITIVE_INFINITY
        isDone = ended === 'done'
        if (!isDone) expect(ended).toBe('the process has ended')
        const store = new DirectoryStore(path)
        const found = await countOf(store, 'a')
        expect(isDone ? [after] : [before, after]).toContain(found.count)
        expect((await store.list()).sessions.map(({ executionCount }) => executionCount)).toEqual(
          found.count === 0 ? [] : [found.count],
        )
        // The dead process does not block later writes.
        const next = await store.put('a', snapshot(3), record(3), { generation: found.generation })
        expect(next).toBeGreaterThan(generation)
        expect((await countOf(store, 'a')).count).toBe(3)
        // Prepared folders belong to this process, which is still alive.
        rmSync(join(path, 'v1/new'), { recursive: true, force: true })
        expect(filesBelow(path)).toEqual(['record', 'snapshot'])
        expect(await store.delete('a', { generation: next ?? 0 })).toBe(true)
        expect(filesBelow(path)).toEqual([])
      }
    },
  )
})

describe('a process that is stopped at any step of', () => {
  type Call = (store: DirectoryStore, generation: number) => Promise<number | boolean | undefined>
  const put: Call = (store, generation) => store.put('a', snapshot(1), record(1), { generation })
  const change: Call = async (store, generation) => {
    // After another put the snapshot is longer than at the start, so it needs another delta.
    for (const from of [0, 1]) {
      const written = await store.putDelta('a', delta(from, 1), record(1), { generation })
      if (written !== 'whole') return written
    }
    return put(store, generation)
  }
  const renew: Call = (store, generation) => store.put('a', null, record(0), { generation })
  const remove: Call = (store, generation) => store.delete('a', { generation })
  /** Runs the calls in turn, each with the result of the one before: a generation, or none. */
  const following = (...calls: Call[]) => {
    return async (store: DirectoryStore, start: number) => {
      const [first, ...others] = calls
      const result = await first?.(store, start)
      let generation = result
      if (result)
        for (const call of others)
          generation = await call(store, typeof generation === 'number' ? generation : 0)
      return result
    }
  }
  const others = [
    following(put, put),
    following(remove, put),
    following(change, renew, change),
    following(renew, remove, put),
  ]
  // There is an entry at the end: otherwise the first put would rightly succeed after the rival.
  const creators = [following(put), following(put, put), following(put, remove, put)]

  test.each<[string, Call, boolean, ReturnType<typeof following>[]]>([
    ['a put', put, true, others],
    ['a delta', change, true, others],
    ['a put without bytes', renew, true, others],
    ['a delete', remove, true, others],
    ['the first put', put, false, creators],
  ])('%s fails exactly if another process has written meanwhile', async (_, call, isThere, rivals) => {
    for (const rival of rivals) {
      let isDone = false
      for (let step = 0; !isDone; step += 1) {
        const path = await temporary()
        const [stopped, running] = [new DirectoryStore(path), new DirectoryStore(path)]
        const start = isThere ? ((await running.put('a', snapshot(0), record(0), { generation: 0 })) ?? 0) : 0
        let rivalResult: number | boolean | undefined
        isDone = true
        steps.meanwhile = async () => {
          isDone = false
          rivalResult = await rival(running, start)
        }
        steps.taken = 0
        steps.stopAt = step
        const result = await call(stopped, start)
        steps.stopAt = Number.POSITIVE_INFINITY
        if (isDone) break
        // If both had written, or neither, the store would have lost an update.
        expect([Boolean(result), Boolean(rivalResult)].filter(Boolean), `at step ${step}`).toHaveLength(1)
        const entry = await running.get('a')
        if (entry) expect(Buffer.compare(entry.bytes, snapshot(entry.executionCount))).toBe(0)
        const next = await running.put('a', snapshot(3), record(3), { generation: entry?.generation ?? 0 })
        expect(next).toBeGreaterThan(start)
        rmSync(join(path, 'v1/new'), { recursive: true, force: true })
        expect(filesBelow(path), `at step ${step}`).toEqual(['record', 'snapshot'])
      }
    }
  })
})

/** Writes entries of its own and one that all processes share, and reports each write on stdout. */
const WRITER = `
import { writeSync } from 'node:fs'
import { DirectoryStore } from ${JSON.stringify(fileURLToPath(new URL('../../dist/src/store/directory-store.js', import.meta.url)))}
const [path, name] = process.argv.slice(1)
const store = new DirectoryStore(path)
const record = (executionCount) => ({ tenant: 't', imageId: 'i', labels: {}, executionCount })
const snapshot = (count) => new Uint8Array(5000 + count).fill(7, 0, 4000).fill(count, 4000)
async function increment(id) {
  for (;;) {
    const entry = await store.get(id)
    const count = (entry?.executionCount ?? 0) + 1
    const [bytes, options] = [snapshot(count & 255), { generation: entry?.generation ?? 0 }]
    const parts = [{ start: 0, end: 4000 }, bytes.subarray(4000)]
    const delta = { baseBytes: entry?.bytes.length ?? 0, sizeBytes: bytes.length, parts }
    const written = entry ? await store.putDelta(id, delta, record(count), options) : 'whole'
    if (written === 'whole' ? await store.put(id, bytes, record(count), options) : written) return count
  }
}
for (;;) for (const id of [name, name, 'shared']) writeSync(1, id + ' ' + (await increment(id)) + '\\n')
`

test(`every acknowledged put of ${KILLS} processes killed at random moments survives`, async () => {
  const path = await temporary()
  const acknowledged = new Map<string, number[]>()
  let started = 0
  const killOne = async () => {
    for (let number = started++; number < KILLS; number = started++) {
      // Several processes use the same entries, one after the other.
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', WRITER, path, `entry-${number % 10}`],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text) => {
        if (output === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * 25)
        output += text
      })
      const signal = await new Promise((resolve) => child.on('close', (_, name) => resolve(name)))
      expect(signal).toBe('SIGKILL')
      for (const line of output.split('\n').slice(0, -1)) {
        const [id = '', count] = line.split(' ')
        acknowledged.set(id, [...(acknowledged.get(id) ?? []), Number(count)])
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, killOne))

  const store = new DirectoryStore(path)
  expect(acknowledged.size).toBe(11)
  for (const [id, counts] of acknowledged) {
    expect(new Set(counts).size, `${id}: two writers were told the same`).toBe(counts.length)
    const { count, generation } = await countOf(store, id)
    expect(count).toBeGreaterThanOrEqual(Math.max(...counts))
    // Each killed process may have written once without reporting it.
    expect(count).toBeLessThanOrEqual(counts.length + KILLS)
    await store.put(id, snapshot(0), record(0), { generation })
  }
  // Leftovers of killed processes are removed by the next write, and by the first new entry of the next process.
  await store.put('another', snapshot(1), record(1), { generation: 0 })
  expect(existsSync(join(path, 'v1/new')) && readdirSync(join(path, 'v1/new'))).toEqual([])
  expect(filesBelow(path)).toEqual(
    Array.from({ length: 12 }, () => ['record', 'snapshot'])
      .flat()
      .sort(),
  )
})
