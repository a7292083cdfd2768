// R3, H1: no value from a guest blocks the main thread, however it arrives.
// How many milliseconds it takes is measured by the benchmark: `hostile` and dearest-values.mjs.
import { expect, test } from 'vitest'
import { Decoder } from '../../src/shared/values/decode.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import { Slices } from '../../src/shared/values/slices.js'
import { TypeCode, weigh } from '../../src/shared/values/weight.js'
import { sharedManager } from '../support/shared-manager.js'

/** Checks of the clock while 100,000 members are decoded: one every 256 units of work, and a member is at least one unit. */
const LEAST_LOOKS = 390
const NUMBERS = Array.from({ length: 100_000 }, (_, i) => i)

test.each([
  ['numbers', encodePlain(NUMBERS, 'x')],
  ['lone surrogates', encodePlain(new Array(100_000).fill('\ud800'), 'x')],
  ['keys of a dict', encodePlain(Object.fromEntries(NUMBERS.map((n) => [`${n * 40_009}`, n])), 'x')],
  ['members of a set', Uint8Array.from(encodePlain(NUMBERS, 'x')).fill(TypeCode.set, 0, 1)],
])('%s are decoded in small steps, between which a slice can end', (_, bytes) => {
  const decoder = new Decoder(bytes)
  let looks = 0
  // A deadline in the past: the decoder stops at every check of the clock.
  while (!decoder.advance(0)) looks += 1
  decoder.end()
  expect(looks).toBeGreaterThan(LEAST_LOOKS)
})

test('a set whose members collide in V8 is given up after half a second, and the rest is decoded', () => {
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
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ callbacks: { echo: ({ x }: { x: unknown }) => x } })
  await session.execute('networks = {(0x20010db8 << 96) + (i << 64) for i in range(60_000)}')
  await expect(session.get('networks')).rejects.toThrow('too large for JavaScript')
  await expect(session.execute('await echo(x=networks)')).rejects.toThrow('pass a list')
  expect((await session.execute('len(networks)')).value).toBe(60_000)
  await session.execute('few = {i << 64 for i in range(1000)}')
  expect(await session.get('few')).toHaveProperty('size', 1000)
})

test('parts that are too large are left out, and the result says so', () => {
  for (const bytes of [
    Uint8Array.from([...[0x6c, 0x80, 0x44, 4, 0], ...new Uint8Array(2 * 279_680)]),
    encodePlain({ ['k'.repeat(16_001)]: 1 }, 'x'),
  ]) {
    const decoder = new Decoder(bytes)
    expect(decoder.advance(Number.POSITIVE_INFINITY)).toBe(true)
    expect([decoder.exact, weigh(bytes, 0)?.isTooLarge]).toEqual([false, true])
  }
})

test('jobs of one session run in order, jobs of several sessions take turns, and closing drops waiting jobs', async () => {
  const slices = new Slices()
  const log: string[] = []
  const job = (name: string, steps: number) => ({
    sizeBytes: 1_000_000,
    advance: () => {
      log.push(name)
      // As long as a slice.
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

test('random documents decode to the same in one step and in slices, and have the same weight in a slot', async () => {
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
