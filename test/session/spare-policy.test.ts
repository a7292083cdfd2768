// When a session is evicted to keep a spare slot, before any caller waits (src/session/spare-policy.ts).
import { beforeEach, expect, test } from 'vitest'
import { SparePolicy } from '../../src/session/spare-policy.js'

let exhausted = true
let policy: SparePolicy

beforeEach(() => {
  exhausted = true
  policy = new SparePolicy(4, () => exhausted)
})

function contend(times: number): void {
  for (let i = 0; i < times; i++) policy.acquired()
}

test('a spare is wanted once as many callers as there are slots found none free, unless a slot is free now', () => {
  contend(3)
  expect(policy.isWanted).toBe(false)
  contend(1)
  expect(policy.isWanted).toBe(true)
  exhausted = false
  expect(policy.isWanted).toBe(false)
})

test('callers that find a free slot are not counted, so sessions that all fit are not evicted', () => {
  exhausted = false
  contend(100)
  exhausted = true
  expect(policy.isWanted).toBe(false)
})

test('an evicted session that returns soon makes spares rarer, and one that stays away makes them more frequent again', () => {
  const session = {}
  for (const needed of [4, 8, 16]) {
    contend(needed - 1)
    expect(policy.isWanted).toBe(false)
    contend(1)
    expect(policy.isWanted).toBe(true)
    policy.hibernated(session)
    policy.used(session)
  }
  contend(32)
  for (let i = 0; i < 20; i++) policy.hibernated({})
  policy.used({})
  expect(policy.isWanted).toBe(true)
  contend(4)
  expect(policy.isWanted).toBe(true)
})
