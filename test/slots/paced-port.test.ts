// R3, H1: however many messages are queued, a port takes only a bounded time in each turn of the event loop.
import { MessageChannel } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { MessagePoller } from '../../src/slots/message-poller.js'
import { until } from '../support/session-code.js'

const channel = { close: () => {} }
afterEach(() => channel.close())

function open(onMessage: (message: unknown) => void) {
  const { port1, port2 } = new MessageChannel()
  channel.close = () => port2.close()
  return { poller: new MessagePoller(port1, onMessage), far: port2 }
}

test('H1: a flood of messages is delivered in order over several turns, and timers fire in between', async () => {
  const COUNT = 3000
  const turns = new Map<number, number>()
  const heard: unknown[] = []
  let turn = 0
  const count = setInterval(() => turn++, 0)
  const { far } = open((message) => {
    heard.push(message)
    turns.set(turn, (turns.get(turn) ?? 0) + 1)
    for (const untilMs = performance.now() + 0.02; performance.now() < untilMs; );
  })
  for (let i = 0; i < COUNT; i++) far.postMessage(i)
  await until(() => heard.length === COUNT)
  clearInterval(count)
  expect(heard).toEqual(Array.from({ length: COUNT }, (_, i) => i))
  // Node itself would deliver all of them in one turn.
  expect(Math.max(...turns.values())).toBeLessThan(COUNT / 4)
})

test('after closing in the middle of a flood, nothing more is delivered, and the rest can be taken', async () => {
  const heard: unknown[] = []
  const { poller, far } = open((message) => {
    heard.push(message)
    if (heard.length === 100) poller.close()
  })
  for (let i = 0; i < 1000; i++) far.postMessage(i)
  await until(() => heard.length >= 100)
  for (let i = 0; i < 10; i++) await new Promise(setImmediate)
  expect(heard.length).toBe(100)
  expect(poller.take()).toEqual({ message: 100 })
})
