import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { Shield } from '../../workers/slot/shield.js'
import { deferred } from '../support/session-code.js'
import { slotWithoutWorker } from '../support/slot-without-worker.js'

const WAS_ASLEEP = 77
const WAKES_A_SLEEPER = `
  const { workerData: words } = require('node:worker_threads')
  while (Atomics.notify(words, 1) === 0);
  words[0] = ${WAS_ASLEEP}
  words[1] = 0
  Atomics.notify(words, 1)
`

describe('S3: ending a worker', () => {
  test('is done at once when nothing is in the way', async () => {
    const { slot, run } = slotWithoutWorker()
    slot.terminate('the test is over')
    expect(run.signal.aborted).toBe(true)
    await slot.stopped
  })

  test('waits while the worker makes a stream that Node must not find half made, and callers do not', async () => {
    const { slot, run } = slotWithoutWorker()
    const words = new Int32Array(run.task.interrupt)
    const shield = new Shield(run.task.interrupt)
    await shield.during(() => {
      slot.terminate('the test is over')
      expect(slot.alive).toBe(false)
      expect(words[1]).toBe(1)
    })
    expect(run.signal.aborted).toBe(false)
    await slot.stopped
    expect(run.signal.aborted).toBe(true)
    expect(await slot.ended).toBe('the test is over')
  })

  test('is done all the same when the worker says so for ever', async () => {
    const { slot, run } = slotWithoutWorker()
    Atomics.store(new Int32Array(run.task.interrupt), 1, 1)
    slot.terminate('the test is over')
    await slot.stopped
    expect(run.signal.aborted).toBe(true)
  })

  test('waits until the last of work that other threads share in is done', async () => {
    const { slot, run } = slotWithoutWorker()
    const words = new Int32Array(run.task.interrupt)
    const { promise, resolve } = deferred()
    const work = new Shield(run.task.interrupt).during(() => promise)
    slot.terminate('the test is over')
    await setImmediate()
    expect([words[1], run.signal.aborted]).toEqual([1, false])
    resolve()
    await work
    expect(words[1]).toBe(0)
    await slot.stopped
    expect(run.signal.aborted).toBe(true)
  })

  test('a worker that is being ended begins no such work', async () => {
    const { slot, run } = slotWithoutWorker()
    slot.terminate('the test is over')
    const words = new Int32Array(run.task.interrupt)
    expect(words[1]).toBe(2)
    // This thread stands in for the slot's. Only when it sleeps, which notify() counts, does the other let it go on.
    const other = new Worker(WAKES_A_SLEEPER, { eval: true, workerData: words })
    const seen = await new Shield(run.task.interrupt).during(() => Atomics.load(words, 0))
    expect(seen).toBe(WAS_ASLEEP)
    await other.terminate()
  })

  test('the shield falls when the work throws', async () => {
    const { slot, run } = slotWithoutWorker()
    const shield = new Shield(run.task.interrupt)
    const work = () => {
      throw new RangeError('no memory')
    }
    await expect(shield.during(work)).rejects.toThrow('no memory')
    expect(new Int32Array(run.task.interrupt)[1]).toBe(0)
    slot.terminate('the test is over')
  })
})
