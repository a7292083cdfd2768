// Spinning for another thread must end by itself, and become rarer if it does not pay off.
import { expect, test } from 'vitest'
import { SpinPolicy } from '../../src/shared/threads/spin-policy.js'

const LONG_MS = 10_000
const never = () => false

/** How many of the next waits spin. */
function tries(policy: SpinPolicy, waits: number): number {
  let count = 0
  for (let i = 0; i < waits; i++) {
    let looked = false
    policy.spinUntil(() => {
      looked = true
      return false
    })
    if (looked) count += 1
  }
  return count
}

test('a condition that is already true succeeds at once', () => {
  expect(new SpinPolicy(LONG_MS).spinUntil(() => true)).toBe(true)
})

test('a condition that becomes true while spinning succeeds', () => {
  let looks = 0
  expect(new SpinPolicy(LONG_MS).spinUntil(() => ++looks === 1000)).toBe(true)
})

test('a condition that stays false ends the spin', () => {
  expect(new SpinPolicy(0.01).spinUntil(never)).toBe(false)
})

test('if spinning never succeeds, it is tried rarely', () => {
  const policy = new SpinPolicy(0.01)
  expect(tries(policy, 1000)).toBeLessThan(20)
  expect(tries(policy, 1000)).toBeGreaterThan(10)
})

test('a wait that skips spinning does not check the condition, because that would have side effects', () => {
  const policy = new SpinPolicy(0.01)
  policy.spinUntil(never)
  let looks = 0
  expect(policy.spinUntil(() => ++looks > 0)).toBe(false)
  expect(looks).toBe(0)
})

test('if spinning succeeds again, after some waits it is tried each time', () => {
  const policy = new SpinPolicy(0.01)
  tries(policy, 1000)
  let met = 0
  for (let i = 0; i < 1000; i++) if (policy.spinUntil(() => true)) met += 1
  expect(met).toBeGreaterThan(900)
})

test('spinning is tried again after the longest pause, however few waits there were', () => {
  let nowMs = 0
  const policy = new SpinPolicy(0.1, 5, () => (nowMs += 0.01))
  for (let i = 0; i < 1000; i++) policy.spinUntil(never)
  nowMs += 5
  expect(policy.spinUntil(() => true)).toBe(true)
  policy.spinUntil(never)
  expect(policy.spinUntil(() => true)).toBe(false)
})
