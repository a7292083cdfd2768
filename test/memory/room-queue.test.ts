// The order in which sessions waiting for memory are served.
import { expect, test } from 'vitest'
import { RoomQueue } from '../../src/memory/room-queue.js'

const FREE_BYTES = 10

test('when the first waiter gives up, the next is served if there is room for it', async () => {
  const queue = new RoomQueue(() => FREE_BYTES)
  const untilMs = performance.now() + 600_000
  const controller = new AbortController()
  const first = queue.wait(FREE_BYTES + 1, untilMs, controller.signal)
  const second = queue.wait(FREE_BYTES, untilMs)
  controller.abort()
  await expect(first).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(await second).toBe(true)
})
