// Staying awake for what another thread is about to do: it must end by itself, and stop where it does not pay.
import { expect, test } from 'vitest'
import { Patience } from '../../workers/patience.js'

const LONG_MS = 10_000
const never = () => false

/** Time passes by looks and reads of the clock alone. */
class Time {
  ms = 0
  readonly now = () => (this.ms += 0.001)

  /** How much of the next second it looks, when it has to wait again and again for what does not come. */
  lookingMs(patience: Patience): number {
    let lookingMs = 0
    for (const untilMs = this.ms + 1000; this.ms < untilMs; this.ms += 0.01) {
      const startedMs = this.ms
      if (looks(patience)) lookingMs += this.ms - startedMs
    }
    return lookingMs
  }
}

function looks(patience: Patience): boolean {
  let looked = false
  patience.stay(() => {
    looked = true
    return false
  })
  return looked
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

test('where nothing ever comes it is tried, for a fiftieth of the time at most', () => {
  const time = new Time()
  const patience = new Patience(0.1, time.now)
  time.lookingMs(patience)
  const lookingMs = time.lookingMs(patience)
  expect(lookingMs).toBeGreaterThan(10)
  expect(lookingMs).toBeLessThan(20)
})

test('a wait without a try does not look, for it would have to act on what it saw', () => {
  const patience = new Patience(0.1, new Time().now)
  patience.stay(never)
  let looks = 0
  expect(patience.stay(() => ++looks > 0)).toBe(false)
  expect(looks).toBe(0)
})

test('where everything comes again it is tried each time, and one in vain is forgiven soon', () => {
  const time = new Time()
  const patience = new Patience(0.1, time.now)
  time.lookingMs(patience)
  time.ms += 10
  for (let i = 0; i < 10; i++) expect(patience.stay(() => true)).toBe(true)
  patience.stay(never)
  expect(patience.stay(() => true)).toBe(false)
  time.ms += 1
  expect(patience.stay(() => true)).toBe(true)
})
