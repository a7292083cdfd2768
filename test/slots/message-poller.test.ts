// The poller delivers every message once and in order, however it arrives, and an event loop that polls still does all its other work.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { MessagePoller } from '../../src/slots/message-poller.js'
import { until } from '../support/session-code.js'

let far: MessagePort | undefined
afterEach(() => far?.close())

function open(hear: (message: number, poller: MessagePoller) => void): {
  poller: MessagePoller
  far: MessagePort
} {
  const { port1, port2 } = new MessageChannel()
  far = port2
  const poller: MessagePoller = new MessagePoller(port1, (message) => hear(message as number, poller))
  return { poller, far: port2 }
}

test('every message is delivered once and in order, whether it was polled for or not', async () => {
  const COUNT = 2000
  const heard: number[] = []
  const opened = open((number, poller) => {
    heard.push(number)
    if (number % 3 !== 0) poller.pollFor(number % 2 === 0 ? 'reply' : 'calls')
    if (number === COUNT) return
    if (number % 5 === 0) setTimeout(() => opened.far.postMessage(number + 1))
    else opened.far.postMessage(number + 1)
  })
  opened.far.postMessage(1)
  await until(() => heard.length === COUNT)
  expect(heard).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1))
})

test('if no messages arrive, the event loop soon sleeps again', async () => {
  const { poller } = open(() => {})
  await new Promise(setImmediate)
  const before = performance.eventLoopUtilization()
  for (let i = 0; i < 200; i++) {
    poller.pollFor('reply')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const { active, idle } = performance.eventLoopUtilization(before)
  expect(active).toBeLessThan(idle)
})

test('timers still fire while the loop polls for a message', async () => {
  const { poller } = open(() => {})
  let served = 0
  for (let i = 0; i < 20; i++) {
    poller.pollFor('reply')
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        served += 1
        resolve()
      }),
    )
  }
  expect(served).toBe(20)
})

test('after close no message is delivered, not even one that was polled for', async () => {
  const heard: number[] = []
  const opened = open((number) => heard.push(number))
  opened.poller.pollFor('reply')
  opened.poller.close()
  opened.far.postMessage(1)
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect(heard).toEqual([])
})
