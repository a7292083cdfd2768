// R3, H1: no value of a guest's holds the main thread up, whichever way it comes.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { Decoder } from '../../src/shared/values/decode.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import { Slices } from '../../src/shared/values/slices.js'
import { TypeCode, weigh } from '../../src/shared/values/weight.js'
import { managerForTest } from '../support/manager.js'

const DEAREST = fileURLToPath(new URL('support/dearest-values.mjs', import.meta.url))
const DIST = new URL('../../dist/', import.meta.url).href
/**
 * The dearest of each way to decode: a step that cannot be divided, text, members, keys, hashes, objects of their own. All of them run with
 * `node support/dearest-values.mjs DIST CACHE_DIR` and, as the main thread's lateness, in `node bench/run.mjs hostile`.
 */
const VALUES = ['a large int', 'surrogates', 'dicts of many numbers', 'large sets', 'dates', 'arrays']
/** Those that a callback returns, too, with the control: `RESULTS` of support/dearest-values.mjs that are listed here. */
const RESULTS = 5
const MAX_DELAY_MS = 20

interface Measured {
  readonly name: string
  readonly way: string
  /** Longest work of the main thread between two turns of its event loop; other processes' time is not in it. */
  readonly threadMs: number
  readonly sibling: unknown
}

test(`the main thread has a turn of its event loop at least every ${MAX_DELAY_MS} ms under the dearest values`, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [DEAREST, DIST, inject('cacheDir'), ['control', ...VALUES].join()],
    { timeout: 280_000 },
  )
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Measured)
  expect(all).toHaveLength(3 * (VALUES.length + 1) + RESULTS)
  const controlMs = Math.max(...all.filter(({ name }) => name === 'control').map(({ threadMs }) => threadMs))
  const late = all.filter(({ threadMs }) => threadMs > MAX_DELAY_MS + controlMs)
  expect(late).toEqual([])
  expect(all.map(({ sibling }) => sibling)).toEqual(all.map(() => 42))
}, 300_000)

test('a set whose members collide in V8 is abandoned after half a second, and the rest is decoded', () => {
  const members = encodePlain(
    Array.from({ length: 60_000 }, (_, i) => (BigInt(i + 1) << 75n) | 1n),
    'x',
  )
  members[0] = TypeCode.set
  const bytes = Buffer.concat([encodePlain([], 'x'), members, encodePlain('next', 'x')])
  bytes.writeInt32LE(2, 1)
  const decoder = new Decoder(bytes)
  while (!decoder.advance(performance.now() + 2));
  decoder.end()
  const [set, next] = decoder.tree as [Set<unknown>, string]
  expect(next).toBe('next')
  expect(set.size).toBeLessThan(60_000)
  expect([decoder.exact, decoder.isTooLarge, decoder.hasCollisions]).toEqual([false, false, true])
})

test('a set of colliding integers makes the call fail, and the session keeps its slot', async () => {
  const manager = await managerForTest()
  const session = await manager.createSession({ callbacks: { echo: ({ x }: { x: unknown }) => x } })
  await session.execute('networks = {(0x20010db8 << 96) + (i << 64) for i in range(60_000)}')
  await expect(session.get('networks')).rejects.toThrow('no JavaScript counterpart')
  await expect(session.execute('await echo(x=networks)')).rejects.toThrow('pass a list')
  expect((await session.execute('len(networks)')).value).toBe(60_000)
  await session.execute('few = {i << 64 for i in range(1000)}')
  expect(await session.get('few')).toHaveProperty('size', 1000)
})

test('parts that are too large are left out, and told', () => {
  for (const bytes of [
    Uint8Array.from([...[0x6c, 0x80, 0x44, 4, 0], ...new Uint8Array(2 * 279_680)]),
    encodePlain({ ['k'.repeat(16_001)]: 1 }, 'x'),
  ]) {
    const decoder = new Decoder(bytes)
    expect(decoder.advance(Number.POSITIVE_INFINITY)).toBe(true)
    expect([decoder.exact, weigh(bytes, 0)?.isTooLarge]).toEqual([false, true])
  }
})

test('jobs of one session are done in their order, those of several take turns, and closing settles what waits', async () => {
  const slices = new Slices()
  const log: string[] = []
  const job = (name: string, steps: number) => ({
    sizeBytes: 1_000_000,
    advance: () => {
      log.push(name)
      // A slice's time.
      for (const sinceMs = performance.now(); performance.now() - sinceMs < 3; );
      return --steps <= 0
    },
  })
  const [first, second, third] = [slices.lane(), slices.lane(), slices.lane()]
  const running = [
    first.run(job('a1', 2)),
    first.run(job('a2', 1)),
    second.run(job('b', 2)),
    third.run(job('c', 9)),
  ]
  await Promise.all(running.slice(0, 3))
  third.clear()
  expect(await Promise.all(running)).toEqual(['done', 'done', 'done', 'dropped'])
  expect(log.join(' ')).toBe('a1 b c a1 b c a2')
  expect(first.run({ sizeBytes: 10, advance: () => true })).toBeUndefined()
})

test('random documents come to the same in one step and in slices, and weigh the same in a slot', async () => {
  const { run } = (await import(new URL('../fuzz/values.mjs', import.meta.url).href)) as {
    run(options: {
      seed: number
      deadlineMs: number
      maxCases: number
      onProgress: () => void
    }): Promise<{ cases: number; faults: string[] }>
  }
  const { cases, faults } = await run({
    seed: 16,
    deadlineMs: Number.POSITIVE_INFINITY,
    maxCases: 400,
    onProgress: () => {},
  })
  expect(faults).toEqual([])
  expect(cases).toBe(400)
})
