// The small session that most figures about snapshots use, and how it is sampled. Owns its code, and the check of its state.
import type { Session } from 'brumate'
import { expectEqual, timeMs } from '../../measure.js'

export const KB = 1000
export const ROUNDS = 60
/** V8 compiles hot code: that of a slot, and of this thread. */
const WARM_UP = 20

/** A few variables, a function, a class. */
export const SMALL = `
x, name, primes = 1, 'Ada', [2, 3, 5, 7]
def area(a, b=2): return a * b
class Counter:
    def __init__(self): self.count = 40
    def more(self): self.count += 1
counter = Counter()
`

export async function expectSmall(session: Session): Promise<void> {
  expectEqual((await session.execute('counter.count + area(x)')).value, 42, 'the small session')
}

/** Durations of a task, with a step before each that is not timed. */
export async function warmSamplesMs(
  task: () => Promise<unknown>,
  before: () => Promise<unknown> = async () => {},
): Promise<number[]> {
  const samples: number[] = []
  for (let i = 0; i < WARM_UP + ROUNDS; i++) {
    await before()
    const durationMs = await timeMs(task)
    if (i >= WARM_UP) samples.push(durationMs)
  }
  return samples
}
