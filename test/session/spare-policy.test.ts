// When a session is evicted to keep a spare slot, before any caller waits (src/session/spare-policy.ts).
import { beforeEach, expect, test } from 'vitest'
import { SparePolicy } from '../../src/session/spare-policy.js'

let pool: { isExhausted: boolean; isCrowded: boolean }
let policy: SparePolicy

beforeEach(() => {
  pool = { isExhausted: true, isCrowded: true }
  policy = new SparePolicy(4, pool)
})

function contend(times: number): void {
  for (let i = 0; i < times; i++) policy.callerCame()
}

test('a spare is wanted once as many callers as there are slots found none, unless a slot is free now', () => {
  contend(3)
  expect(policy.isWanted).toBe(false)
  contend(1)
  expect(policy.isWanted).toBe(true)
  pool.isExhausted = false
  expect(policy.isWanted).toBe(false)
})

test('callers that find a slot are not counted, so sessions that all fit are not evicted', () => {
  pool.isCrowded = false
  contend(100)
  expect(policy.isWanted).toBe(false)
})

test('a caller that finds a slot because a session ended starts the count anew, one that finds the spare does not', () => {
  contend(4)
  policy.hibernated({})
  pool.isCrowded = false
  contend(1)
  expect(policy.isWanted).toBe(true)
  contend(1)
  expect(policy.isWanted).toBe(false)
  pool.isCrowded = true
  contend(3)
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
