// Fuzzes the boundary between a slot's thread and this one: guard.ts turns random and mutated messages into those of protocol.ts, or
// throws a ProtocolViolation. Sent to a channel, they at worst end it, and waiting calls are settled (S2).
import { MessageChannel } from 'node:worker_threads'
import { Channel, SlotEndedError } from '../../dist/src/slots/channel.js'
import { guard, ProtocolViolation } from '../../dist/src/slots/guard.js'
import { random } from './random.mjs'

export const name = 'messages'

const NAMES = [
  'id',
  'type',
  'value',
  'kind',
  'event',
  'stream',
  'text',
  'batch',
  'calls',
  'takenBytes',
  'payload',
  'reason',
]
const MORE_NAMES = [
  'message',
  'body',
  'bodyHash',
  'plan',
  'files',
  'path',
  'argumentList',
  '__proto__',
  'constructor',
  'then',
  'toJSON',
]
const WORDS = [
  'RAW',
  'HANDLER',
  'outcome',
  'suspended',
  'captured',
  'refused',
  'died',
  'reverted',
  'ready',
  'output',
  'calls',
  '',
]

const run0 = {
  ...{
    stdout: '',
    stderr: '',
    durationMs: 1,
    memoryBytes: 1,
    peakMemoryBytes: 1,
    fileBytes: 0,
    outputBytes: 0,
  },
  takenBytes: 0,
}
const GOOD = [
  () => ({ event: 'ready' }),
  () => ({ event: 'output', id: 1, stream: 1, text: 'x' }),
  () => ({ event: 'output', id: 1, stream: 2, text: 'xy', lengths: Uint32Array.of(1, 1) }),
  () => ({ event: 'calls', id: 1, batch: 1, calls: new Uint8Array(5), takenBytes: 0 }),
  () => ({
    id: 'a',
    type: 'RAW',
    value: { kind: 'outcome', payload: new Uint8Array(3), exceeded: null, ...run0 },
  }),
  () => ({ id: 'a', type: 'RAW', value: { kind: 'suspended', ...run0 } }),
  () => ({
    id: 'a',
    type: 'RAW',
    value: {
      ...{ kind: 'suspended', ...run0 },
      changes: { files: [{ path: '/a', change: 'created', sizeBytes: 1 }], more: 0 },
    },
  }),
  () => ({
    id: 'a',
    type: 'RAW',
    value: {
      ...{ kind: 'file', bytes: new Uint8Array(2), names: 'a/b', node: 3 },
      status: { kind: 'file', sizeBytes: 1, mode: 420, modifiedMs: -1 },
    },
  }),
  () => ({ id: 'a', type: 'RAW', value: { kind: 'file-error', code: 'ENOENT' } }),
  () => ({ id: 'a', type: 'RAW', value: { kind: 'refused', reason: 'corrupt', message: 'x' } }),
  () => ({ id: 'a', type: 'RAW', value: { kind: 'died', reason: 'x\u001b' } }),
  () => ({ id: 'a', type: 'RAW', value: { kind: 'reverted', done: true } }),
  () => ({
    id: 'a',
    type: 'RAW',
    value: {
      ...{ kind: 'captured', body: new Uint8Array(new SharedArrayBuffer(4)), bodyHash: new Uint8Array(32) },
      ...{ rawBytes: 4, memoryBytes: 65_536, description: new Uint8Array(1), values: new Uint8Array(1) },
      files: [{ path: '/a', sizeBytes: 1 }],
      plan: new Uint32Array(2),
    },
  }),
]

/** @param {{ seed: number, deadlineMs: number, maxCases?: number, onProgress: (cases: number) => void }} options */
export async function run({ seed, deadlineMs, maxCases = Number.POSITIVE_INFINITY, onProgress }) {
  const source = random(seed)
  const counts = { passed: 0, violations: 0, settledCalls: 0 }
  const faults = []
  let cases = 0
  while (performance.now() < deadlineMs && cases < maxCases && faults.length < 20) {
    const messages = Array.from({ length: 100 }, () => message(source))
    for (const one of messages) {
      cases += 1
      try {
        guard(one)
        counts.passed += 1
      } catch (error) {
        if (error instanceof ProtocolViolation) counts.violations += 1
        else faults.push(`guard: ${error?.stack ?? error}`)
      }
    }
    await throughChannel(source, messages, counts, faults)
    onProgress(cases)
  }
  return { cases, counts, faults }
}

/** Sends messages through a channel. The first violation closes it. */
async function throughChannel(source, messages, counts, faults) {
  const { port1, port2 } = new MessageChannel()
  const channel = new Channel(port1, {
    onEvent: () => {},
    onViolation: (violation) => {
      if (!(violation instanceof ProtocolViolation)) faults.push(`channel: ${violation}`)
      channel.close(violation.message)
    },
  })
  const calls = ['revert', 'attach', source.pick(['get', 'clear'])].map((method) => channel.call(method, [1]))
  const settled = Promise.allSettled(calls)
  for (const one of messages.slice(0, 1 + source.below(10))) {
    try {
      port2.postMessage(one)
    } catch {
      // A value that cannot be cloned cannot be sent by anyone.
    }
  }
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  channel.close('the end')
  for (const { status, reason } of await settled) {
    counts.settledCalls += 1
    if (status === 'rejected' && !(reason instanceof SlotEndedError))
      faults.push(`a call: ${reason?.stack ?? reason}`)
  }
  port2.close()
}

function message(source) {
  if (source.below(10) === 0) return anything(source, 2)
  const one = source.pick(GOOD)()
  for (let changes = source.below(3); changes > 0; changes--) {
    const inner = Object.prototype.toString.call(one.value) === '[object Object]' ? one.value : one
    const target = source.below(2) === 0 ? inner : one
    const key = source.pick(source.below(3) === 0 ? [...NAMES, ...MORE_NAMES] : Object.keys(target))
    if (key === undefined) continue
    if (source.below(5) === 0) delete target[key]
    else
      Object.defineProperty(target, key, {
        value: anything(source, 2),
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }
  return one
}

function anything(source, depth) {
  switch (source.below(depth === 0 ? 10 : 14)) {
    case 0:
      return undefined
    case 1:
      return null
    case 2:
      return source.pick([0, -1, 1, 2, 0.5, 2 ** 40, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 7n])
    case 3:
      return source.pick(WORDS)
    case 4:
      return 'x'.repeat(source.below(4000))
    case 5:
      return new Uint8Array(source.below(40))
    case 6:
      return new Uint8Array(new SharedArrayBuffer(source.below(40)))
    case 7:
      return source.pick([
        new Float64Array(2),
        new ArrayBuffer(3),
        new DataView(new ArrayBuffer(3)),
        new Date(0),
      ])
    case 8:
      return source.pick([new Map([['kind', 'died']]), new Set([1]), /x/, new Error('x'), true, false])
    case 9:
      return source.pick(['constructor', '__proto__', '\ud800', '\u001b[2J'])
    case 10:
    case 11:
      return Array.from({ length: source.below(5) }, () => anything(source, depth - 1))
    default: {
      const object = source.below(6) === 0 ? Object.create(null) : {}
      for (let fields = source.below(20); fields > 0; fields--)
        Object.defineProperty(object, source.pick([...NAMES, ...MORE_NAMES]), {
          value: anything(source, depth - 1),
          enumerable: true,
          writable: true,
          configurable: true,
        })
      return object
    }
  }
}
