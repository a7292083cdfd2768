// B2: how often a session may take checkpoints. The tests use a fake clock.
import { expect, test } from 'vitest'
import { CheckpointBudget } from '../../src/session/budget.js'

class Busy {
  nowMs = 0
  readonly budget = new CheckpointBudget(() => this.nowMs)

  /** Simulates consecutive executions, each followed by a checkpoint if the budget allows one. Returns the number of checkpoints. */
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

test('each execution of a burst gets a checkpoint, even on a slow machine', () => {
  expect(new Busy().run(100, 4, 1)).toBe(100)
  expect(new Busy().run(32, 30, 1)).toBe(32)
})

test('a continuous loop of executions spends a twentieth of its time on checkpoints', () => {
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

test('after a pause the whole burst budget is available again', () => {
  const busy = new Busy()
  busy.run(10_000, 30, 1)
  expect(busy.budget.allows).toBe(false)
  busy.nowMs += 30_000
  expect(busy.run(32, 30, 1)).toBe(32)
})

test('a very slow checkpoint is not followed by others at once', () => {
  const busy = new Busy()
  expect(busy.run(30, 600, 1)).toBe(2)
})
