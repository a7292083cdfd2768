// Pending calls of a channel when its slot ends. The test plays the worker's part on the other port.
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { SlotReply } from '../../src/shared/messages/slot.js'
import { Channel, SlotEndedError } from '../../src/slots/channel.js'
import { hasCoreToSpin } from '../../src/slots/crowd.js'
import { rejectionOf } from '../support/session-code.js'

const CAPTURED: SlotReply = {
  kind: 'captured',
  body: new Uint8Array(4),
  plan: null,
  bodyHash: new Uint8Array(32),
  rawBytes: 4,
  memoryBytes: 65_536,
  description: new Uint8Array(1),
  values: new Uint8Array(1),
  files: [],
  returnedBytes: 0,
}
const REVERTED: SlotReply = { kind: 'reverted', done: true }

interface Ends {
  readonly channel: Channel
  readonly far: MessagePort
  readonly violations: string[]
}

function open(): Ends {
  const { port1, port2 } = new MessageChannel()
  const violations: string[] = []
  const channel = new Channel(port1, {
    onEvent: () => {},
    onViolation: ({ message }) => {
      violations.push(message)
      channel.close(message)
    },
  })
  return { channel, far: port2, violations }
}

/** Ids of the requests, in the order in which they arrive. */
async function requestIds(far: MessagePort, count: number): Promise<string[]> {
  const ids: string[] = []
  await new Promise<void>((resolve) => {
    far.on('message', ({ id }: { id: string }) => {
      if (ids.push(id) === count) resolve()
    })
  })
  return ids
}

const snapshot = (channel: Channel) =>
  channel.call('snapshot', [1, { valuesBytes: 0, maxBytes: null, effort: 'quick', number: null, base: null }])

test('S3: a snapshot that arrived before the slot ended is delivered, but other replies are not', async () => {
  const { channel, far } = open()
  const captured = snapshot(channel)
  const reverted = rejectionOf(SlotEndedError, channel.call('revert', []))
  const [first, second] = await requestIds(far, 2)
  far.postMessage({ id: first, type: 'RAW', value: CAPTURED })
  far.postMessage({ id: second, type: 'RAW', value: REVERTED })
  channel.close('its worker ended')
  expect((await captured).kind).toBe('captured')
  expect((await reverted).message).toBe('its worker ended')
})

test('S2: every pending call is rejected when the slot ends', async () => {
  const { channel, far } = open()
  const calls = [snapshot(channel), channel.call('revert', []), snapshot(channel)]
  await requestIds(far, 3)
  channel.close('its worker ended')
  for (const call of calls) expect((await rejectionOf(SlotEndedError, call)).message).toBe('its worker ended')
  expect((await rejectionOf(SlotEndedError, snapshot(channel))).message).toBe('its worker ended')
})

test('D17: an unrequested snapshot is ignored when the slot ends', async () => {
  const { channel, far } = open()
  const captured = rejectionOf(SlotEndedError, snapshot(channel))
  await requestIds(far, 1)
  far.postMessage({ id: 'made up', type: 'RAW', value: CAPTURED })
  channel.close('its worker ended')
  expect((await captured).message).toBe('its worker ended')
})

test('S2: a channel closed by the slot is a violation, and pending calls are rejected', async () => {
  const { channel, far, violations } = open()
  const call = rejectionOf(SlotEndedError, snapshot(channel))
  await requestIds(far, 1)
  far.close()
  await call
  expect(violations).toEqual(['the worker closed its channel'])
})

test('D21: only a few messages of a flood are read when the slot ends', async () => {
  const { channel, far } = open()
  const captured = rejectionOf(SlotEndedError, snapshot(channel))
  const [id] = await requestIds(far, 1)
  for (let i = 0; i < 1000; i++) far.postMessage({ event: 'output', id: 1, stream: 1, text: '' })
  far.postMessage({ id, type: 'RAW', value: CAPTURED })
  channel.close('it sends too much')
  expect((await captured).message).toBe('it sends too much')
})

const OUTCOME: SlotReply = {
  kind: 'outcome',
  payload: null,
  stdout: '',
  stderr: '',
  durationMs: 1,
  memoryBytes: 1,
  peakMemoryBytes: 1,
  fileBytes: 0,
  outputBytes: 0,
  takenBytes: 0,
  exceeded: null,
}
const execute = (channel: Channel) =>
  channel.call('execute', [{ id: 1, executionCount: 1, code: '', liveStdout: false, liveStderr: false }])

test('D17: a second reply to an execution is a violation', async () => {
  const { channel, far, violations } = open()
  const executed = execute(channel)
  const [id] = await requestIds(far, 1)
  far.postMessage({ id, type: 'RAW', value: OUTCOME })
  far.postMessage({ id, type: 'RAW', value: OUTCOME })
  expect(await executed).toEqual(OUTCOME)
  const other = rejectionOf(SlotEndedError, snapshot(channel))
  await other
  expect(violations).toEqual(['a reply without a matching request'])
})

test('S2: an execution is rejected when the slot ends, and so is a later one', async () => {
  const { channel, far } = open()
  const executed = rejectionOf(SlotEndedError, execute(channel))
  await requestIds(far, 1)
  channel.close('its worker ended')
  expect((await executed).message).toBe('its worker ended')
  expect((await rejectionOf(SlotEndedError, execute(channel))).message).toBe('its worker ended')
})

test('slots count as busy while calls are pending, whether these settle or the slot ends', async () => {
  const cores = availableParallelism()
  const ends = Array.from({ length: cores }, open)
  const calls = ends.map(({ channel }, i) => (i % 2 === 0 ? execute(channel) : snapshot(channel)))
  expect(hasCoreToSpin()).toBe(false)
  const [first, ...others] = ends
  const [id] = await requestIds(first?.far as MessagePort, 1)
  first?.far.postMessage({ id, type: 'RAW', value: OUTCOME })
  await calls[0]
  expect(hasCoreToSpin()).toBe(true)
  const rejected = calls.slice(1).map((call) => rejectionOf(SlotEndedError, call))
  for (const { channel } of others) channel.close('its worker ended')
  await Promise.all(rejected)
  const again = Array.from({ length: cores - 1 }, open)
  const pending = again.map(({ channel }) => rejectionOf(SlotEndedError, execute(channel)))
  expect(hasCoreToSpin()).toBe(true)
  for (const { channel } of again) channel.close('its worker ended')
  await Promise.all(pending)
  first?.channel.close('the test is over')
})
