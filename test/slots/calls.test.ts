import { describe, expect, test } from 'vitest'
import { deferred } from '../../src/deferred.js'
import { CallQueue } from '../../src/session/calls.js'
import { CancelledError } from '../../src/shared/errors.js'

describe('A9: the calls of a session', () => {
  test('run one after the other, in the order they came, whatever becomes of each', async () => {
    const queue = new CallQueue()
    const order: string[] = []
    const first = deferred<void>()
    const calls = [
      queue.run(async () => {
        await first.promise
        order.push('first')
        throw new Error('first')
      }),
      queue.run(async () => {
        order.push('second')
      }),
      queue.run(async () => {
        order.push('third')
      }),
    ]
    expect(queue.length).toBe(2)
    first.resolve(undefined)
    const settled = await Promise.allSettled(calls)
    expect(order).toEqual(['first', 'second', 'third'])
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })

  test('B4: an aborted call leaves the queue and the others go on', async () => {
    const queue = new CallQueue()
    const first = deferred<void>()
    const running = queue.run(() => first.promise)
    const controller = new AbortController()
    let started = false
    const aborted = queue.run(async () => {
      started = true
    }, controller.signal)
    const last = queue.run(async () => 'last')
    controller.abort('enough')
    controller.abort('twice')
    await expect(aborted).rejects.toMatchObject({ outcome: 'not-started', cause: 'enough' })
    expect(queue.length).toBe(1)
    first.resolve(undefined)
    await running
    expect(await last).toBe('last')
    expect(started).toBe(false)
  })

  test('B4: a signal that has aborted already starts nothing', async () => {
    const queue = new CallQueue()
    let started = false
    const call = queue.run(async () => {
      started = true
    }, AbortSignal.abort())
    await expect(call).rejects.toThrow(CancelledError)
    expect(started).toBe(false)
  })

  test('S2: closing rejects what waits and what comes, and leaves the running call to its owner', async () => {
    const queue = new CallQueue()
    const first = deferred<string>()
    const running = queue.run(() => first.promise)
    const waiting = queue.run(async () => 'never')
    queue.close(new Error('closed'))
    await expect(waiting).rejects.toThrow('closed')
    await expect(queue.run(async () => 'never')).rejects.toThrow('closed')
    first.resolve('done')
    expect(await running).toBe('done')
  })
})
