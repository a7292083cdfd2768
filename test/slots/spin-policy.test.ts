// Staying awake for what another thread is about to do: it must end by itself, and stop where it does not pay.
import { expect, test } from 'vitest'
import { Patience } from '../../src/shared/threads/spin-policy.js'

const LONG_MS = 10_000
const never = () => false

/** How many of the next waits look at all. */
function tries(patience: Patience, waits: number): number {
  let count = 0
  for (let i = 0; i < waits; i++) {
    let looked = false
    patience.stay(() => {
      looked = true
      return false
    })
    if (looked) count += 1
  }
  return count
}

test('what is there is met at once', () => {
  expect(new Patience(LONG_MS).stay(() => true)).toBe(true)
})

test('what comes while it stays awake is met', () => {
  let looks = 0
  expect(new Patience(LONG_MS).stay(() => ++looks === 1000)).toBe(true)
})

test('what does not come ends the try', () => {
  expect(new Patience(0.01).stay(never)).toBe(false)
})

test('where nothing ever comes it is tried seldom', () => {
  const patience = new Patience(0.01)
  expect(tries(patience, 1000)).toBeLessThan(20)
  expect(tries(patience, 1000)).toBeGreaterThan(10)
})

test('a wait without a try does not look, for it would have to act on what it saw', () => {
  const patience = new Patience(0.01)
  patience.stay(never)
  let looks = 0
  expect(patience.stay(() => ++looks > 0)).toBe(false)
  expect(looks).toBe(0)
})

test('where everything comes again it is tried each time, after some waits', () => {
  const patience = new Patience(0.01)
  tries(patience, 1000)
  let met = 0
  for (let i = 0; i < 1000; i++) if (patience.stay(() => true)) met += 1
  expect(met).toBeGreaterThan(900)
})

test('a rest ends after the longest time for one, however few waits there were', () => {
  let nowMs = 0
  const patience = new Patience(0.1, 5, () => (nowMs += 0.01))
  for (let i = 0; i < 1000; i++) patience.stay(never)
  nowMs += 5
  expect(patience.stay(() => true)).toBe(true)
  patience.stay(never)
  expect(patience.stay(() => true)).toBe(false)
})
