// When listeners of `manager.on` are called, and how one listener affects the others.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { EventListeners } from '../../src/telemetry/event-listeners.js'
import type { SessionEvent } from '../../src/telemetry/events.js'

const EVENT: SessionEvent = { type: 'moved', sessionId: 'a', tenant: 'a' }

/** Resolves after the listeners have been called. */
const delivered = () => new Promise<void>((resolve) => setImmediate(resolve))

test('no event object is created if nobody listens', () => {
  const listeners = new EventListeners()
  let made = 0
  listeners.add('slot', () => {}, undefined)
  listeners.emit('session', () => {
    made += 1
    return EVENT
  })
  expect(made).toBe(0)
})

test('a listener is called after the code that emits the event, in the order of events', async () => {
  const listeners = new EventListeners()
  const heard: string[] = []
  listeners.add('session', ({ sessionId }) => heard.push(sessionId), undefined)
  for (const sessionId of ['a', 'b']) listeners.emit('session', () => ({ ...EVENT, sessionId }))
  expect(heard).toEqual([])
  await delivered()
  expect(heard).toEqual(['a', 'b'])
})

test('a removed listener does not receive events from before its removal', async () => {
  const listeners = new EventListeners()
  const controller = new AbortController()
  const heard: string[] = []
  const remove = listeners.add('session', () => heard.push('first'), undefined)
  listeners.add('session', () => heard.push('second'), controller.signal)
  listeners.add('session', () => heard.push('aborted before'), AbortSignal.abort())
  listeners.add('session', () => heard.push('stays'), undefined)
  listeners.emit('session', () => EVENT)
  remove()
  remove()
  controller.abort()
  await delivered()
  expect(heard).toEqual(['stays'])
})

test('removing a listener inside a listener takes effect at once', async () => {
  const listeners = new EventListeners()
  const heard: string[] = []
  const removeFirst = listeners.add(
    'session',
    () => {
      heard.push('first')
      removeFirst()
      removeSecond()
    },
    undefined,
  )
  const removeSecond = listeners.add('session', () => heard.push('second'), undefined)
  for (const _ of [1, 2]) listeners.emit('session', () => EVENT)
  await delivered()
  expect(heard).toEqual(['first'])
})

test('an error thrown by a listener is an uncaught exception, and the other listeners are still called', async () => {
  const url = new URL('../../dist/src/telemetry/event-listeners.js', import.meta.url)
  const code = `
    const { EventListeners } = await import(${JSON.stringify(url.href)})
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    process.on('unhandledRejection', (error) => console.log('unhandled', error.message))
    const listeners = new EventListeners()
    listeners.add('session', () => { throw new Error('of a function') })
    listeners.add('session', async () => { throw new Error('of a promise') })
    listeners.add('session', ({ type }) => console.log('heard', type))
    listeners.emit('session', () => (${JSON.stringify(EVENT)}))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code])
  expect(stdout.trim().split('\n').sort()).toEqual([
    'heard moved',
    'uncaught of a function',
    'unhandled of a promise',
  ])
})
