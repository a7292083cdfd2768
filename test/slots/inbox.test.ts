// The inbox delivers every message once and in order, however it arrives, and a thread that spins for messages still runs its timers.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { Inbox } from '../../workers/slot/inbox.js'
import { until } from '../support/session-code.js'

interface Numbered {
  readonly number: number
}

let far: MessagePort | undefined
afterEach(() => far?.close())

function open(hear: (message: Numbered, inbox: Inbox) => void): { inbox: Inbox; far: MessagePort } {
  const { port1, port2 } = new MessageChannel()
  far = port2
  const inbox: Inbox = new Inbox(port1, (message) => hear(message as Numbered, inbox))
  return { inbox, far: port2 }
}

test('a message that has arrived is delivered before linger returns, without a turn of the event loop', async () => {
  const heard: number[] = []
  const opened = open(({ number }, inbox) => {
    heard.push(number)
    if (number !== 1) return
    opened.far.postMessage({ number: 2 })
    inbox.linger('request')
    expect(heard).toEqual([1, 2])
  })
  opened.far.postMessage({ number: 1 })
  await until(() => heard.length === 2)
})

test('every message is delivered once and in order, whether by spinning or by the event loop', async () => {
  const heard: number[] = []
  const COUNT = 2000
  const opened = open(({ number }, inbox) => {
    heard.push(number)
    if (number < COUNT) opened.far.postMessage({ number: number + 1 })
    if (number % 3 !== 0) queueMicrotask(() => inbox.linger('request'))
  })
  opened.far.postMessage({ number: 1 })
  await until(() => heard.length === COUNT)
  expect(heard).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1))
})

test('timers still fire while messages keep arriving', async () => {
  let stopped = false
  let heard = 0
  const opened = open((_, inbox) => {
    heard += 1
    if (stopped) return
    opened.far.postMessage({ number: heard })
    queueMicrotask(() => inbox.linger('request'))
  })
  opened.far.postMessage({ number: 0 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  stopped = true
  // Otherwise Node delivers up to a thousand messages of a port at a time.
  expect(heard).toBeGreaterThan(10)
})
