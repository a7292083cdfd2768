// Host calls that an owned worker makes up (ATTACKS.md D17, D18, D21, D27), by name. Each gets what hostile-messages.mjs' attacks get;
// those that main has no reason to end the session for answer with 42.
import { setTimeout as sleep } from 'node:timers/promises'

const int = (value) => {
  const bytes = Buffer.alloc(5)
  bytes[0] = 0x69
  bytes.writeInt32LE(value, 1)
  return bytes
}
const sized = (code, length) => {
  const bytes = int(length)
  bytes[0] = code
  return bytes
}
const text = (value) => Buffer.concat([sized(0x75, Buffer.byteLength(value)), Buffer.from(value)])
const list = (...items) => Buffer.concat([sized(0x5b, items.length), ...items])
const tuple = (...items) => Buffer.concat([sized(0x28, items.length), ...items])
const dict = (entries) => {
  const members = Object.entries(entries).flatMap(([key, value]) => [text(key), value])
  return Buffer.concat([Buffer.from([0x7b]), ...members, Buffer.from([0x30])])
}
const NONE = Buffer.from([0x4e])
const FLOAT = Buffer.from([0x67, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f])
const echo = (id) => tuple(int(id), text('echo'), dict({ x: int(id) }))

/** Bytes of its own buffer, as main insists. */
const own = (buffer) => new Uint8Array(buffer)

/** Sends one lot of calls and then the outcome. */
const lot = (calls) => async (context) => {
  context.port.postMessage({
    event: 'calls',
    takenBytes: 0,
    id: context.executionId,
    batch: 1,
    calls: own(calls),
  })
  await sleep(30)
  finish(context)
}

function finish({ port, id, outcome }) {
  port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}]) })
}

/** Sends messages through the door of calls that block, and then the outcome. */
const door =
  (...messages) =>
  async (context) => {
    for (const message of messages) context.task.calls.port.postMessage(message)
    await sleep(30)
    finish(context)
  }

const PROTOTYPE_NAMES = [
  'toString',
  'constructor',
  '__proto__',
  'hasOwnProperty',
  'valueOf',
  'then',
  '',
  '../echo',
  'echo\0',
]

export const CALL_ATTACKS = {
  'D27-unknown': lot(list(...PROTOTYPE_NAMES.map((name, id) => tuple(int(id), text(name), dict({}))))),
  'D27-iterators': lot(
    list(
      tuple(int(1), text('iterator.next'), dict({ iterator: int(1) })),
      tuple(int(2), text('iterator.close'), dict({ iterator: text('__proto__') })),
      tuple(int(3), text('iterator.next'), dict({})),
      tuple(int(4), text('iterator.nope'), dict({})),
    ),
  ),
  'D27-arguments': lot(
    list(
      tuple(
        int(1),
        text('echo'),
        dict({
          ['__proto__']: dict({ polluted: int(1) }),
          constructor: dict({ prototype: dict({ polluted: int(1) }) }),
          x: int(5),
        }),
      ),
    ),
  ),
  'D17-duplicate-ids': lot(list(echo(7), echo(7), echo(-1), echo(2 ** 31 - 1))),
  'D18-no-list': lot(int(5)),
  'D18-no-tuples': lot(list(int(1), NONE)),
  'D18-id-text': lot(list(tuple(text('1'), text('echo'), dict({})))),
  'D18-id-float': lot(list(tuple(FLOAT, text('echo'), dict({})))),
  'D18-name-none': lot(list(tuple(int(1), NONE, dict({})))),
  'D18-args-list': lot(list(tuple(int(1), text('echo'), list()))),
  'D18-args-none': lot(list(tuple(int(1), text('echo'), NONE))),
  'D18-cut-short': lot(list(echo(1)).subarray(0, -1)),
  'D18-more-after': lot(Buffer.concat([list(echo(1)), NONE])),
  'D22-length': lot(sized(0x5b, 2 ** 31 - 1)),
  'D17-second-lot-first': async (context) => {
    context.port.postMessage({
      event: 'calls',
      takenBytes: 0,
      id: context.executionId,
      batch: 2,
      calls: own(list(echo(1))),
    })
  },
  'D17-lot-twice': async (context) => {
    for (let i = 0; i < 2; i++)
      context.port.postMessage({
        event: 'calls',
        takenBytes: 0,
        id: context.executionId,
        batch: 1,
        calls: own(list(echo(1))),
      })
  },
  'D17-foreign-execution': async (context) => {
    context.port.postMessage({
      event: 'calls',
      takenBytes: 0,
      id: context.executionId + 1,
      batch: 1,
      calls: own(list(echo(1))),
    })
  },
  'D17-after-the-end': async (context) => {
    finish(context)
    context.port.postMessage({
      event: 'calls',
      takenBytes: 0,
      id: context.executionId,
      batch: 1,
      calls: own(list(echo(1))),
    })
  },
  'D17-suspended-without-calls': async ({ port, id }) => {
    port.postMessage({
      id,
      type: 'RAW',
      value: {
        kind: 'suspended',
        stdout: '',
        stderr: '',
        durationMs: 1,
        memoryBytes: 1,
        peakMemoryBytes: 1,
        fileBytes: 0,
        outputBytes: 0,
        takenBytes: 0,
      },
    })
  },
  'D21-calls': async ({ port, executionId }) => {
    const calls = own(list(...Array.from({ length: 100 }, (_, id) => echo(id))))
    for (let batch = 1; ; batch++)
      port.postMessage({ event: 'calls', takenBytes: 0, id: executionId, batch, calls })
  },
  'D21-door': async ({ task }) => {
    const request = own(echo(1))
    for (;;) task.calls.port.postMessage([0, request])
  },
  'D17-door-epochs': door([0, own(echo(1))], [-5, own(echo(2))], [2 ** 53 - 1, own(echo(3))]),
  'D18-door-null': door(null),
  'D18-door-object': door({ 0: 1, 1: new Uint8Array(), length: 2 }),
  'D18-door-epoch': door(['1', own(echo(1))]),
  'D18-door-shared': door([0, new Uint8Array(new SharedArrayBuffer(8))]),
  'D18-door-bytes': door([0, own(Buffer.from('garbage'))]),
  'D18-door-list': door([0, own(list(echo(1)))]),
}
