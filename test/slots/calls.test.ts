import { describe, expect, test } from 'vitest'
import { deferred } from '../../src/deferred.js'
import { CallQueue } from '../../src/session/calls.js'
import { CancelledError } from '../../src/shared/errors.js'

describe('A9: the call queue of a session', () => {
  test('runs calls one after the other in call order, even if one fails', async () => {
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

  test('B4: removes an aborted call and runs the others', async () => {
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

  test('B4: does not start a call whose signal is already aborted', async () => {
    const queue = new CallQueue()
    let started = false
    const call = queue.run(async () => {
      started = true
    }, AbortSignal.abort())
    await expect(call).rejects.toThrow(CancelledError)
    expect(started).toBe(false)
  })

  test('S2: rejects waiting and new calls once it is closed, and lets the running call finish', async () => {
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
