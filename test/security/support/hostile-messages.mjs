// What an owned worker sends to main (ATTACKS.md D), by name. Each gets the channel's port, the id of the request that it was
// called by, and whatever else a worker's thread can lay hands on.
import { CALL_ATTACKS } from './hostile-calls.mjs'

const HUGE_TEXT = () => 'x'.repeat(2 ** 28)
const forever = () => new Promise(() => {})

/** The port over which Piscina gives tasks: no slot is handed it, but it is there. */
function taskPort({ process, port, parentPort }) {
  const ports = process._getActiveHandles().filter((handle) => handle instanceof MessagePort)
  return ports.find((handle) => handle !== port && handle !== parentPort)
}

/** Attacks that are one message on the channel. */
const MESSAGES = {
  // The requests of Comlink's own protocol: main serves none.
  D1: () => ({
    id: '1',
    type: 'CONSTRUCT',
    path: ['constructor', 'constructor'],
    argumentList: [{ type: 'RAW', value: 'return process' }],
  }),
  'D1-apply': () => ({ id: '1', type: 'APPLY', path: ['constructor'], argumentList: [] }),
  D2: () => ({ id: '1', type: 'SET', path: ['__proto__', 'polluted'], value: { type: 'RAW', value: 1 } }),
  D3: () => ({ id: '1', type: 'SET', path: ['execute'], value: { type: 'RAW', value: 1 } }),
  D4: () => ({ id: '1', type: 'GET', path: ['__proto__', 'apply'] }),
  D6: () => ({ id: '1', type: 'APPLY', path: ['constructor', 'assign'], argumentList: [] }),
  D7: () => ({ id: '1', type: 'ENDPOINT' }),
  D8: () => ({ id: '1', type: 'RELEASE' }),
  D9: () => ({ id: '1', type: 'APPLY', path: [], argumentList: 5 }),
  // Replies of other kinds than plain data.
  D11: ({ id }) => ({ id, type: 'HANDLER', name: 'nope', value: 1 }),
  'D11-proto': ({ id }) => ({ id, type: 'HANDLER', name: '__proto__', value: 1 }),
  'D11-throw': ({ id }) => ({
    id,
    type: 'HANDLER',
    name: 'throw',
    value: { isError: true, value: { message: 'x', name: 'x', stack: 'x', __proto__: null } },
  }),
  D13: ({ id }) => ({ id, type: 'HANDLER', name: 'proxy', value: {} }),
  D16: ({ id }) => ({ id, type: 'NOPE' }),
  'D16-none': ({ id }) => ({ id }),
  // Ids.
  'D17-foreign': ({ outcome }) => ({ id: '1-2-3-4', type: 'RAW', value: outcome([true]) }),
  'D17-proto': ({ outcome }) => ({ id: '__proto__', type: 'RAW', value: outcome([true]) }),
  'D18-id': ({ id, outcome }) => ({ id: [id], type: 'RAW', value: outcome([true]) }),
  'D18-long-id': ({ outcome }) => ({ id: 'x'.repeat(1e6), type: 'RAW', value: outcome([true]) }),
  // Shapes.
  'D18-null': () => null,
  'D18-undefined': () => undefined,
  'D18-text': () => 'ready',
  'D18-number': () => Number.NaN,
  'D18-bigint': () => 2n ** 4000n,
  'D18-array': () => [{ event: 'ready' }],
  'D18-map': () => new Map([['event', 'ready']]),
  'D18-date': () => new Date(Number.NaN),
  'D18-error': () => new Error('x'),
  'D18-bytes': () => new Uint8Array(8),
  'D18-event': () => ({ event: 'toString' }),
  'D18-event-object': () => ({ event: { toString: 1 } }),
  'D18-stream': () => ({ event: 'output', id: 1, stream: '__proto__', text: 'x' }),
  'D18-output-id': () => ({ event: 'output', id: {}, stream: 1, text: 'x' }),
  'D18-output-text': () => ({ event: 'output', id: 1, stream: 1, text: { length: 1 } }),
  'D18-kind': ({ id }) => ({ id, type: 'RAW', value: { kind: 'constructor' } }),
  'D18-value': ({ id }) => ({ id, type: 'RAW', value: 5 }),
  'D18-numbers': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { durationMs: Number.NaN }),
  }),
  'D18-negative': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true, '42', 42, {}], { durationMs: -1e308 }),
  }),
  'D18-huge': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true, '42', 42, {}], { durationMs: 1e308, peakMemoryBytes: 1e308 }),
  }),
  'D18-exceeded': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { exceeded: 'toString' }),
  }),
  'D18-reverted': ({ id }) => ({ id, type: 'RAW', value: { kind: 'reverted', done: true } }),
  'E1-own-proto': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: JSON.parse(`{"__proto__": {"kind": "died", "polluted": 1}, "kind": "${outcome([true]).kind}"}`),
  }),
  'E2-payload-keys': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: { ...outcome([true]), payload: protoKeys() },
  }),
  'D22-fields': () => Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])),
  'D22-sparse': ({ id, outcome }) => {
    const sparse = []
    sparse[2 ** 32 - 2] = 1
    return { id, type: 'RAW', value: { ...outcome([true]), payload: sparse } }
  },
  'D22-sparse-text': ({ id, outcome }) => {
    const sparse = []
    sparse.length = 2 ** 32 - 1
    return { id, type: 'RAW', value: outcome([true], { stdout: sparse }) }
  },
  'D22-stdout': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true, '42', 42, {}], { stdout: HUGE_TEXT() }),
  }),
  'D22-event': ({ executionId }) => ({ event: 'output', id: executionId, stream: 1, text: HUGE_TEXT() }),
  'D22-payload': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { payload: new Uint8Array(2 ** 28) }),
  }),
  'D23-deep': ({ id }) => {
    let value = {}
    for (let depth = 0; depth < 1000; depth++) value = { value }
    return { id, type: 'RAW', value }
  },
  'D19-shared': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { payload: new Uint8Array(new SharedArrayBuffer(64)) }),
  }),
  'D19-typed': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { payload: new Float64Array(9) }),
  }),
  'D19-buffer': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { payload: new ArrayBuffer(9) }),
  }),
  'D19-blob': ({ id, outcome }) => ({
    id,
    type: 'RAW',
    value: outcome([true], { payload: new Blob(['x']) }),
  }),
  'D26-reason': ({ id }) => ({
    id,
    type: 'RAW',
    value: { kind: 'died', reason: '\u001b[2J\u0000\r\nroot: all is well\ud800' },
  }),
  'D26-long-reason': ({ id }) => ({ id, type: 'RAW', value: { kind: 'died', reason: 'x'.repeat(1e6) } }),
}

function protoKeys() {
  const text = (name) => [0x75, name.length, 0, 0, 0, ...Buffer.from(name)]
  const inner = [0x7b, ...text('polluted'), 0x54, 0x30]
  return Uint8Array.from([
    0x28,
    4,
    0,
    0,
    0,
    0x54,
    0x4e,
    0x7b,
    ...text('__proto__'),
    ...inner,
    ...text('constructor'),
    0x7b,
    ...text('prototype'),
    ...inner,
    0x30,
    0x30,
    0x7b,
    0x30,
  ])
}

const single = Object.fromEntries(
  Object.entries(MESSAGES).map(([name, message]) => [
    name,
    (context) => {
      context.port.postMessage(message(context))
    },
  ]),
)

export const ATTACKS = {
  ...single,
  ...CALL_ATTACKS,
  /** Answers, and then once more. */
  'D17-twice': ({ port, id, outcome }) => {
    for (let i = 0; i < 2; i++) port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}]) })
  },
  /** Fills main's queue with messages that are all right. */
  'D21-events': ({ port, executionId }) => {
    const text = 'x'.repeat(65_536)
    for (;;) port.postMessage({ event: 'output', id: executionId, stream: 1, text })
  },
  'D21-small-events': ({ port, executionId }) => {
    for (;;) port.postMessage({ event: 'output', id: executionId, stream: 1, text: '.' })
  },
  'D21-ready': ({ port }) => {
    for (;;) port.postMessage({ event: 'ready' })
  },
  'D21-refused': ({ port }) => {
    for (;;) port.postMessage({ event: 'nope' })
  },
  'D7-flood': ({ port, MessageChannel }) => {
    for (let i = 0; i < 2000; i++) {
      const { port1 } = new MessageChannel()
      port.postMessage({ event: 'output', id: 1, stream: 1, text: '', extra: port1 }, [port1])
    }
    port.postMessage({ event: 'nope' })
  },
  /** A port among the data: main must not listen to it. */
  'D19-port': ({ port, id, outcome, MessageChannel }) => {
    const { port1, port2 } = new MessageChannel()
    port2.on('message', () => {})
    port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}], { port: port1 }) }, [port1])
  },
  // Ends.
  'D24-null': () => Promise.reject(null),
  'D24-throw-null': () => {
    throw null
  },
  'D24-object': () => Promise.reject({ message: { toString: 1 }, stack: 5, __proto__: null }),
  'D24-getter': () =>
    Promise.reject(
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('in a getter')
        },
      }),
    ),
  'D24-proxy': () =>
    Promise.reject(
      new Proxy(new Error('x'), {
        get() {
          throw new Error('in a trap')
        },
      }),
    ),
  'D24-cause': () => Promise.reject(new Error('x', { cause: { get: 5, inner: new Error('y') } })),
  'D24-symbol': () => Promise.reject(Symbol('x')),
  'D24-huge': () => Promise.reject(new Error('x'.repeat(2 ** 26))),
  'D24-control': () => Promise.reject(new Error('\u001b[2J\u0000\r\nroot: all is well')),
  'D24-inspect': () => Promise.reject({ [Symbol.for('nodejs.util.inspect.custom')]: () => 'x', name: 5 }),
  'D25-exit': ({ process }) => process.exit(0),
  'D25-exit-code': ({ process }) => process.exit(1),
  'D25-close': ({ port }) => port.close(),
  'D25-close-and-stay': ({ port }) => {
    port.close()
    for (;;);
  },
  'D25-answer-and-exit': ({ port, id, outcome, process }) => {
    port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}]) })
    process.exit(1)
  },
  'D25-out-of-memory': () => {
    const all = []
    for (;;) all.push(new Array(1000).fill({}))
  },
  'D25-spin': () => {
    for (;;);
  },
  'D25-silent': () => forever(),
  // Piscina's own channels.
  'P1-parent': ({ parentPort }) => {
    for (const message of [
      null,
      undefined,
      5,
      'x',
      [],
      {},
      { ready: true },
      { _WORKER_READY: true },
      new Map(),
    ])
      parentPort.postMessage(message)
    return forever()
  },
  'P2-finish': ({ finish, detail }) => {
    globalThis.secret = detail
    finish({ done: true })
  },
  /** What a thread still holds of a session that it served before. */
  'P2-secret': ({ port, id, outcome }) => {
    const secret = globalThis.secret ?? 'nothing'
    port.postMessage({ id, type: 'RAW', value: outcome([true, secret, 1, {}]) })
  },
  'P3-finish': (context) => {
    globalThis.secret = context.detail
    // Tasks are numbered from 0 on in a process; all of them are finished.
    for (let taskId = 0; taskId < 100; taskId++)
      taskPort(context).postMessage({ taskId, result: undefined, error: null })
  },
  'P3-null': (context) => taskPort(context).postMessage(null),
  'P3-undefined': (context) => taskPort(context).postMessage(undefined),
  'P3-unknown-task': (context) => taskPort(context).postMessage({ taskId: 1e9, result: 1, error: null }),
  'P3-no-task': (context) => taskPort(context).postMessage({}),
  'P3-deep-task': (context) => taskPort(context).postMessage({ taskId: {}, result: 1, error: null }),
  'P3-close': (context) => taskPort(context).close(),
  'P3-flood': (context) => {
    const port = taskPort(context)
    for (let i = 0; i < 20_000; i++) port.postMessage({ taskId: -1 - i })
  },
}
