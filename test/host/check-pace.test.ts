// How soon code that spends its time in slow C calls looks for an interrupt.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CheckPace } from '../../workers/host/check-pace.js'

/** Steps that CPython makes between two looks by itself. */
const OWN_STEPS = 50

let pace: CheckPace
let steps: number

/** Runs until `looks` looks, in code whose every step takes that long. */
function run(looks: number, stepMs: number): number {
  for (let look = 0; look < looks; look++) {
    vi.advanceTimersByTime(steps * stepMs)
    steps = pace.look() ?? OWN_STEPS
  }
  return steps
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 1000 })
  vi.advanceTimersByTime(1000)
  pace = new CheckPace()
  steps = OWN_STEPS
})
afterEach(() => {
  vi.useRealTimers()
})

test('quick code is left to look by itself', () => {
  expect(run(1000, 0.0001)).toBe(OWN_STEPS)
})

test('code whose steps are slow looks after each, and does so again when it was quick for a while', () => {
  expect(run(2, 20)).toBe(1)
  expect(run(10, 20)).toBe(1)
  expect(run(1000, 0.0001)).toBe(OWN_STEPS)
  expect(run(65, 20)).toBe(1)
})

test('steps of some tenths of a millisecond are looked at every millisecond or so', () => {
  run(2, 0.25)
  expect(run(10, 0.25)).toBe(4)
})

test('the next code begins as if there had been none', () => {
  run(10, 20)
  pace.reset()
  expect(pace.look()).toBeUndefined()
})
