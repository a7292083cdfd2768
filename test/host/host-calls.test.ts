// D3, R3: the door for host calls across threads: a slot's thread sleeps until the main thread answers, and the main thread validates
// what it receives.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CallDoor } from '../../src/slots/call-door.js'

type Answer = (payload: Uint8Array) => void

let door: CallDoor
let worker: Worker
let interrupt: Int32Array<SharedArrayBuffer>
let requests: [text: string, answer: Answer][]
let violations: string[]
let onRequest: (request: Uint8Array, answer: Answer) => void

beforeEach(() => {
  requests = []
  violations = []
  onRequest = (request, answer) => requests.push([Buffer.from(request).toString(), answer])
  door = new CallDoor(
    (request, answer) => onRequest(request, answer),
    (what) => violations.push(what),
  )
  interrupt = new Int32Array(new SharedArrayBuffer(4))
  worker = new Worker(new URL('door-worker.mjs', import.meta.url), {
    workerData: { wire: door.wire, interrupt: interrupt.buffer },
    transferList: [door.wire.port],
  })
})
afterEach(async () => {
  door.close()
  await worker.terminate()
})

async function job(name: string, ...args: unknown[]): Promise<unknown> {
  const done = once(worker, 'message')
  worker.postMessage([name, ...args])
  return (await done)[0]
}

const echo = (request: Uint8Array, answer: Answer) => answer(Buffer.from(`re: ${Buffer.from(request)}`))
const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('D3: a blocked thread receives its answer, whether at once or later', async () => {
  onRequest = echo
  expect(await job('ask', 'a')).toEqual(['sent', 're: a'])
  onRequest = (request, answer) => setTimeout(() => echo(request, answer), 50)
  expect(await job('ask', 'b')).toEqual(['sent', 're: b'])
})

test('D2: answers arrive in the order in which the host gives them', async () => {
  await job('send', 'a')
  await job('send', 'b')
  await until(() => requests.length === 2)
  for (const [text, answer] of requests.reverse()) answer(Buffer.from(text))
  expect([await job('next', 1000), await job('next', 1000), await job('next', 10)]).toEqual([
    'b',
    'a',
    'timeout',
  ])
})

test('D3: ten megabytes can be sent both ways', async () => {
  onRequest = (request, answer) => answer(request)
  expect(await job('large', 10_000_000)).toEqual([10_000_000, 10_000_000, true])
})

test('B1: a wait ends when the main thread interrupts and wakes it', async () => {
  const waiting = job('next', Number.POSITIVE_INFINITY)
  await new Promise((resolve) => setTimeout(resolve, 30))
  Atomics.store(interrupt, 0, 1)
  door.wake()
  expect(await waiting).toBe('interrupted')
})

test('D3: an empty answer does not end a wait', async () => {
  onRequest = (_, answer) => answer(new Uint8Array())
  await job('send', 'a')
  expect(await job('next', 100)).toBe('timeout')
  expect(await job('state')).toEqual([0, true])
})

test('S1: after a reset, answers to earlier calls are dropped', async () => {
  await job('send', 'old')
  await until(() => requests.length === 1)
  await job('reset')
  await job('send', 'new')
  await until(() => requests.length === 2)
  for (const [text, answer] of requests) answer(Buffer.from(text))
  expect(await job('next', 1000)).toBe('new')
  expect(await job('next', 10)).toBe('timeout')
})

test('R3: a slot can have 1024 unanswered calls, and continues as they are answered', async () => {
  const outcomes = (await job('send', 'x', 5000)) as string[]
  expect(outcomes.filter((outcome) => outcome === 'sent')).toHaveLength(1024)
  expect(new Set(outcomes.slice(1024))).toEqual(new Set(['full']))
  await until(() => requests.length === 1024)
  expect(violations).toEqual([])
  for (const [, answer] of requests) answer(new Uint8Array())
  await job('next', 10)
  expect(await job('send', 'x', 2)).toEqual(['sent', 'sent'])
})

test('R3: the size of unanswered calls is limited', async () => {
  onRequest = () => {}
  const text = 'x'.repeat(25_000_000)
  expect(await job('send', text, 3)).toEqual(['sent', 'sent', 'full'])
  expect(await job('send', 'x'.repeat(70_000_000))).toEqual(['too-large'])
})

test.each([
  ['that is not an array', 5],
  ['that is too short', [0]],
  ['whose epoch is not a number', ['0', new Uint8Array()]],
  ['whose epoch is not an integer', [0.5, new Uint8Array()]],
  ['without bytes', [0, 'text']],
  ['with floats instead of bytes', [0, new Float64Array(1)]],
  ['with shared bytes', [0, new Uint8Array(new SharedArrayBuffer(8))]],
  ['that is too long', [0, new Uint8Array(), 1]],
])('R3: a message %s is a violation, and no later message is read', async (_, message) => {
  await job('raw', message)
  await until(() => violations.length > 0)
  await job('raw', [0, new Uint8Array()])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(violations).toHaveLength(1)
  expect(requests).toEqual([])
})

test('R3: more unanswered messages than a real slot would send are a violation', async () => {
  for (let i = 0; i < 10_001; i++) worker.postMessage(['raw', [0, new Uint8Array()]])
  await until(() => violations.length > 0)
  expect(requests.length).toBeLessThanOrEqual(10_000)
})

test('D3: each call is answered once, and none after the door is closed', async () => {
  onRequest = (_, answer) => {
    answer(Buffer.from('first'))
    answer(Buffer.from('second'))
  }
  await job('send', 'a')
  expect([await job('next', 1000), await job('next', 20)]).toEqual(['first', 'timeout'])
  onRequest = (_, answer) => {
    door.close()
    answer(Buffer.from('too late'))
  }
  await job('send', 'b')
  expect(await job('next', 30)).toBe('timeout')
})
