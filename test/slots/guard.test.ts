import { describe, expect, test } from 'vitest'
import { guard, ProtocolViolation } from '../../src/slots/guard.js'

const outcome = {
  kind: 'outcome',
  payload: Uint8Array.of(1),
  stdout: '',
  stderr: '',
  durationMs: 1,
  peakMemoryBytes: 1,
  memoryBytes: 1,
  fileBytes: 0,
  outputBytes: 0,
  takenBytes: 0,
  exceeded: null,
}

function own(key: string, value: unknown): object {
  return Object.defineProperty({}, key, { value, enumerable: true })
}

const capturedWith = (body: Uint8Array) => {
  const hash = new Uint8Array(32)
  const head = {
    bodyHash: hash,
    rawBytes: 4,
    memoryBytes: 65_536,
    description: hash,
    values: hash,
    files: [],
  }
  return { id: 'a', type: 'RAW', value: { kind: 'captured', body, ...head } }
}

function growable(): Uint8Array {
  const options = { maxByteLength: 100 }
  return new Uint8Array(new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(4, options))
}

describe('R3: the message guard', () => {
  test('accepts a reply, and rebuilds it without unknown fields', () => {
    const message = { id: 'a', type: 'RAW', value: { ...outcome, extra: 'dropped' } }
    expect(guard(message)).toEqual({ kind: 'reply', id: 'a', reply: outcome })
  })

  test('accepts changed files and answers about files, and rebuilds them', () => {
    const changes = { files: [{ path: '/a', change: 'created', sizeBytes: 1 }], more: 0 }
    const reply = { ...outcome, changes: { ...changes, extra: 1 } }
    expect(guard({ id: 'a', type: 'RAW', value: reply })).toMatchObject({ reply: { changes } })
    const status = { kind: 'file', sizeBytes: 1, mode: 0o644, modifiedMs: -5 }
    const value = { kind: 'file', bytes: null, names: null, status, node: 0 }
    expect(guard({ id: 'a', type: 'RAW', value: { ...value, extra: 1 } })).toEqual({
      kind: 'reply',
      id: 'a',
      reply: value,
    })
  })

  const answer = (value: object) => ({ id: 'a', type: 'RAW', value })
  test.each([
    ['no list of changed files', answer({ ...outcome, changes: { files: {}, more: 0 } })],
    [
      'an unknown change',
      answer({ ...outcome, changes: { files: [{ path: '/', change: 'x', sizeBytes: 0 }], more: 0 } }),
    ],
    ['too many changed files', answer({ ...outcome, changes: { files: Array(1001).fill({}), more: 0 } })],
    ['a file without a node', answer({ kind: 'file', bytes: null, names: null, status: null })],
    [
      'a status that is none',
      answer({ kind: 'file', bytes: null, names: null, status: { kind: 'x' }, node: 0 }),
    ],
    ['an error that is no code', answer({ kind: 'file-error', code: 'E\n' })],
  ])('R3: %s is refused', (_, message) => {
    expect(() => guard(message)).toThrow(ProtocolViolation)
  })

  test('accepts output', () => {
    expect(guard({ event: 'output', id: 1, stream: 2, text: 'x' })).toEqual({
      kind: 'event',
      event: { event: 'output', id: 1, stream: 2, text: 'x' },
    })
  })

  test.each([
    ['D9: nothing', undefined],
    ['D9: a string', 'x'],
    ['D9: an array', []],
    ['D24: an object without prototype', Object.create(null)],
    ['D18: no id', { type: 'RAW', value: outcome }],
    ['D18: an id that is no string', { id: 1, type: 'RAW', value: outcome }],
    ['D18: an id of a million characters', { id: 'x'.repeat(1e6), type: 'RAW', value: outcome }],
    ['D11: a handler', { id: 'a', type: 'HANDLER', name: 'nope', value: outcome }],
    ['D13: a proxy handler', { id: 'a', type: 'HANDLER', name: 'proxy', value: new MessageChannel().port1 }],
    ['D13: a thrown value', { id: 'a', type: 'HANDLER', name: 'throw', value: { isError: true, value: {} } }],
    ['D1: a Comlink request', { id: 'a', type: 'CONSTRUCT', path: ['constructor'], argumentList: [] }],
    ['D2: a SET', { id: 'a', type: 'SET', path: ['__proto__', 'x'], value: { type: 'RAW', value: 1 } }],
    ['D16: an unknown kind', { id: 'a', type: 'RAW', value: { kind: 'other' } }],
    ['E1: an own __proto__', { id: 'a', type: 'RAW', value: own('__proto__', { kind: 'outcome' }) }],
    ['an unknown event', { event: 'callback' }],
    [
      'output whose parts are longer',
      { event: 'output', id: 1, stream: 1, text: 'x', lengths: Uint32Array.of(1, 1) },
    ],
    [
      'output with an empty part',
      { event: 'output', id: 1, stream: 1, text: 'x', lengths: Uint32Array.of(0, 1) },
    ],
    ['output whose parts are no numbers', { event: 'output', id: 1, stream: 1, text: 'x', lengths: [1] }],
    [
      'output whose lengths can change',
      {
        event: 'output',
        id: 1,
        stream: 1,
        text: 'x',
        lengths: new Uint32Array(new SharedArrayBuffer(4)).fill(1),
      },
    ],
    ['output of no stream', { event: 'output', id: 1, stream: 0, text: '' }],
    ['output that is no text', { event: 'output', id: 1, stream: 1, text: {} }],
    [
      'D19: shared memory',
      { id: 'a', type: 'RAW', value: { ...outcome, payload: new Uint8Array(new SharedArrayBuffer(1)) } },
    ],
    ['D20: a body in shared memory', capturedWith(new Uint8Array(new SharedArrayBuffer(4)))],
    ['a body that is part of a buffer', capturedWith(new Uint8Array(8).subarray(4))],
    ['a body whose buffer can grow', capturedWith(growable())],
    ['D19: no bytes', { id: 'a', type: 'RAW', value: { ...outcome, payload: 'x' } }],
    ['E12: a duration that is NaN', { id: 'a', type: 'RAW', value: { ...outcome, durationMs: Number.NaN } }],
    ['an unknown limit', { id: 'a', type: 'RAW', value: { ...outcome, exceeded: 'toString' } }],
    ['a reason without end', { id: 'a', type: 'RAW', value: { kind: 'died', reason: 'x'.repeat(1e6) } }],
    [
      'D22: a million fields',
      { id: 'a', type: 'RAW', value: Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [i, i])) },
    ],
  ])('refuses %s', (_name, message) => {
    expect(() => guard(message)).toThrow(ProtocolViolation)
  })
})
