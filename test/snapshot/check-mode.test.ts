// Checking a document and reading it lead to the same decision: a snapshot that passed the check can be read later.
import { expect, test } from 'vitest'
import { Random } from '../../chaos/random.js'
import { MAX_COST } from '../../src/shared/snapshot/cost.js'
import { readDescription } from '../../src/shared/snapshot/manifest.js'
import { decode, type Mode, MsgpackError } from '../../src/shared/snapshot/msgpack.js'
import { array, KINDS, map, text } from './support/dearest.js'
import { mutate } from './support/mutate.js'

function refusal(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof MsgpackError) return error.message
    throw error
  }
}

test('checking and reading reject two thousand damaged documents for the same reasons', () => {
  const random = new Random(16)
  const below = (n: number) => random.integer(0, Math.max(0, n - 1))
  const counts = { read: 0, refused: 0 }
  for (let i = 0; i < 2000; i++) {
    const lists = Array.from({ length: 3 }, () => random.pick(Object.values(KINDS))(below(999)))
    const document = mutate(array(lists.filter(({ length }) => length < 20_000)), below)
    const maxCost = random.pick([MAX_COST, 50, 500])
    const of = (mode: Mode) => refusal(() => decode(document, maxCost, mode))
    const reason = of('read')
    expect(of('check')).toBe(reason)
    counts[reason === undefined ? 'read' : 'refused']++
  }
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(100)
})

test('checking and reading reject a thousand damaged descriptions for the same reasons', () => {
  const random = new Random(7)
  const below = (n: number) => random.integer(0, Math.max(0, n - 1))
  const parts = ['name', 'type', 'repr'].map((key) => [key, text('é')] as const)
  const global = map([...parts, ['sizeBytes', Buffer.from([9])]])
  const call = map([
    ['id', Buffer.from([1])],
    ['name', text('f')],
    ['args', map([['v', text('a')]])],
  ])
  const description = map([
    ['awaiting', Buffer.from([0xc3])],
    ['pending', array([call])],
    ['globals', array([global, global])],
    ['skipped', array([])],
  ])
  expect(readDescription(description)).toMatchObject({
    awaiting: true,
    pending: [{ id: '1', args: { v: 'a' } }],
  })
  for (let i = 0; i < 1000; i++) {
    const document = mutate(description, below)
    const of = (mode: Mode) => refusal(() => readDescription(document, mode))
    expect(of('check')).toBe(of('read'))
  }
})

test('deep nesting is rejected before the stack overflows: each level counts, including those of special values', () => {
  const set = Buffer.from([0x82, 0, 0xa3, 0x73, 0x65, 0x74, 1])
  for (const level of [
    Buffer.from([0x91]),
    Buffer.from([0x81, 0xa1, 0x61]),
    set,
    Buffer.concat([set, Buffer.from([0x91])]),
  ]) {
    const document = Buffer.concat(Array.from({ length: 9000 }, () => level))
    for (const mode of ['read', 'check'] as const)
      expect(refusal(() => decode(document, MAX_COST, mode))).toBeDefined()
  }
})
