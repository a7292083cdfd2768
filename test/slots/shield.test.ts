import { execFile } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { Shield } from '../../src/shared/threads/shield.js'
import { BLOCK_BYTES, packBlocksAside, unpackBlocks } from '../../workers/snapshot/blocks.js'
import type { Shielded } from '../../workers/snapshot/streams.js'
import { slotWithoutWorker } from '../support/slot-without-worker.js'

const DEFLATE = 1
const WAS_ASLEEP = 77
const WAKES_A_SLEEPER = `
  const { workerData: words } = require('node:worker_threads')
  while (Atomics.notify(words, 1) === 0);
  words[0] = ${WAS_ASLEEP}
  words[1] = 0
  Atomics.notify(words, 1)
`

describe('S3: ending a worker', () => {
  test('happens at once if nothing prevents it', async () => {
    const { thread, slot, run } = slotWithoutWorker()
    slot.terminate('the test is over')
    expect(run.signal.aborted).toBe(true)
    await thread.stopped
  })

  test('waits until the worker has created its zlib stream, while callers see the slot as ended at once', async () => {
    const { thread, slot, run } = slotWithoutWorker()
    const words = new Int32Array(run.task.interrupt)
    new Shield(run.task.interrupt).during(() => {
      slot.terminate('the test is over')
      expect(slot.alive).toBe(false)
      expect(words[1]).toBe(1)
    })
    expect(run.signal.aborted).toBe(false)
    await thread.stopped
    expect(run.signal.aborted).toBe(true)
    expect(await thread.ended).toBe('the test is over')
  })

  test('happens anyway if the worker claims to create a stream forever', async () => {
    const { thread, slot, run } = slotWithoutWorker()
    Atomics.store(new Int32Array(run.task.interrupt), 1, 1)
    slot.terminate('the test is over')
    await thread.stopped
    expect(run.signal.aborted).toBe(true)
  })

  test('is delayed by packing only while a stream is created, never while bytes are compressed', async () => {
    const { slot, run } = slotWithoutWorker()
    const words = new Int32Array(run.task.interrupt)
    const shield = new Shield(run.task.interrupt)
    let streams = 0
    const shielded: Shielded = (make) => {
      streams++
      return shield.during(make)
    }
    const bytes = Buffer.alloc(20 * BLOCK_BYTES, 'what a session has, again and again; ')
    const packing = packBlocksAside([bytes], DEFLATE, 'small', shielded)
    let done = false
    void packing.then(() => {
      done = true
    })
    const raised: boolean[] = []
    while (!done) {
      raised.push(words[1] === 1)
      await setImmediate()
    }
    const blocks = await packing
    expect(raised).not.toContain(true)
    // Packing first compresses a sample of each block in two ways.
    expect(streams).toBe(3 * blocks.length)
    expect(Buffer.compare(Buffer.concat(unpackBlocks(blocks, bytes.length, shielded)), bytes)).toBe(0)
    expect(streams).toBe(4 * blocks.length)
    slot.terminate('the test is over')
  })

  test('makes the worker wait before it creates another stream', async () => {
    const { slot, run } = slotWithoutWorker()
    slot.terminate('the test is over')
    const words = new Int32Array(run.task.interrupt)
    expect(words[1]).toBe(2)
    // This thread acts as the slot's. The other thread lets it continue only once it sleeps, which the count of notify() shows.
    const other = new Worker(WAKES_A_SLEEPER, { eval: true, workerData: words })
    const seen = new Shield(run.task.interrupt).during(() => Atomics.load(words, 0))
    expect(seen).toBe(WAS_ASLEEP)
    await other.terminate()
  })

  test('is possible again after the shielded work throws', async () => {
    const { slot, run } = slotWithoutWorker()
    const shield = new Shield(run.task.interrupt)
    const work = () => {
      throw new RangeError('no memory')
    }
    expect(() => shield.during(work)).toThrow('no memory')
    expect(new Int32Array(run.task.interrupt)[1]).toBe(0)
    slot.terminate('the test is over')
  })
})

const LOWERS = `
  const { parentPort, workerData: words } = require('node:worker_threads')
  parentPort.once('message', () => Atomics.store(words, 1, 0))
`
const CHILD = fileURLToPath(new URL('support/packing-child.mjs', import.meta.url))
const EXITING_PROCESSES = 8

describe('S3: the end of the process', () => {
  test('waits for a slot’s thread that creates a stream, which then cannot create another', async () => {
    const { thread, slot, run } = slotWithoutWorker()
    const words = new Int32Array(run.task.interrupt)
    words[1] = 1
    const other = new Worker(LOWERS, { eval: true, workerData: words })
    other.postMessage('lower')
    thread.blockUntilEndable(Number.POSITIVE_INFINITY)
    expect(words[1]).toBe(2)
    slot.terminate('the test is over')
    await other.terminate()
  })

  test('waits only until its deadline for a thread that lies', () => {
    const { thread, slot, run } = slotWithoutWorker()
    const words = new Int32Array(run.task.interrupt)
    words[1] = 1
    thread.blockUntilEndable(performance.now() + 5)
    expect(words[1]).toBe(1)
    slot.terminate('the test is over')
  })

  test('uses one exit listener for all slots, and none once they have stopped', async () => {
    const before = process.listenerCount('exit')
    const slots = Array.from({ length: 20 }, () => slotWithoutWorker().thread)
    expect(process.listenerCount('exit')).toBeLessThanOrEqual(before + 1)
    for (const thread of slots) thread.terminate('the test is over')
    await Promise.all(slots.map((thread) => thread.stopped))
    expect(process.listenerCount('exit')).toBeLessThanOrEqual(before)
  })

  // Without the wait, one process in twenty aborts here.
  test('does not crash while slots pack, and neither does ending slots', async () => {
    const run = promisify(execFile)
    const exits = Array.from({ length: EXITING_PROCESSES }, () => run(process.execPath, [CHILD, 'exit']))
    // Each call rejects unless its process exits with 0.
    await Promise.all([...exits, run(process.execPath, [CHILD, 'terminate', '5'])])
  })
})
