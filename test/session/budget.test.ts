// B2: how many checkpoints a session gets, by a clock of the test's own.
import { expect, test } from 'vitest'
import { CheckpointBudget } from '../../src/session/budget.js'

class Busy {
  nowMs = 0
  readonly budget = new CheckpointBudget(() => this.nowMs)

  /** Executions one after the other, each with a checkpoint of `checkpointMs` where there is one; how many had one. */
  run(executions: number, checkpointMs: number, executionMs: number): number {
    let taken = 0
    for (let i = 0; i < executions; i += 1) {
      this.nowMs += executionMs
      if (!this.budget.allows) continue
      this.nowMs += checkpointMs
      this.budget.spend(checkpointMs)
      taken += 1
    }
    return taken
  }
}

test('each of a burst of executions is followed by one, on a machine that is slow, too', () => {
  expect(new Busy().run(100, 4, 1)).toBe(100)
  expect(new Busy().run(32, 30, 1)).toBe(32)
})

test('a loop of executions spends a twentieth of its time on them', () => {
  for (const checkpointMs of [2, 30, 200]) {
    const busy = new Busy()
    busy.run(10_000, checkpointMs, 1)
    const startedMs = busy.nowMs
    const taken = busy.run(100_000, checkpointMs, 1)
    const share = (taken * checkpointMs) / (busy.nowMs - startedMs)
    expect(share, `${checkpointMs}`).toBeGreaterThan(0.045)
    expect(share, `${checkpointMs}`).toBeLessThan(0.055)
  }
})

test('after a rest there is as much as at first', () => {
  const busy = new Busy()
  busy.run(10_000, 30, 1)
  expect(busy.budget.allows).toBe(false)
  busy.nowMs += 30_000
  expect(busy.run(32, 30, 1)).toBe(32)
})

test('one that takes very long is not followed by others at once', () => {
  const busy = new Busy()
  expect(busy.run(30, 600, 1)).toBe(2)
})
