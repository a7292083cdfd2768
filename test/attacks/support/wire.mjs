// Building blocks of L3 attacks: marshal bytes as a kernel would write them, host calls, and other things a worker's thread can get hold
// of. Contains no attacks.
import { setTimeout as sleep } from 'node:timers/promises'

export const int = (value) => {
  const bytes = Buffer.alloc(5)
  bytes[0] = 0x69
  bytes.writeInt32LE(value, 1)
  return bytes
}
export const sized = (code, length) => {
  const bytes = int(length)
  bytes[0] = code
  return bytes
}
export const text = (value) => Buffer.concat([sized(0x75, Buffer.byteLength(value)), Buffer.from(value)])
export const list = (...items) => Buffer.concat([sized(0x5b, items.length), ...items])
export const tuple = (...items) => Buffer.concat([sized(0x28, items.length), ...items])
export const dict = (entries) => {
  const members = Object.entries(entries).flatMap(([key, value]) => [text(key), value])
  return Buffer.concat([Buffer.from([0x7b]), ...members, Buffer.from([0x30])])
}
export const NONE = Buffer.from([0x4e])
export const TRUE = Buffer.from([0x54])
export const FLOAT = Buffer.from([0x67, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f])
/** A host call of `echo` with its own id. */
export const echo = (id) => tuple(int(id), text('echo'), dict({ x: int(id) }))

/** Copies bytes into their own buffer, as the main thread requires. */
export const own = (buffer) => new Uint8Array(buffer)

/** Sends one batch of calls, and then the outcome. */
export const lot = (calls) => async (context) => {
  const { port, executionId } = context
  port.postMessage({ event: 'calls', takenBytes: 0, id: executionId, batch: 1, calls: own(calls) })
  await sleep(30)
  finish(context)
}

/** The outcome of an honest execution. */
export function finish({ port, id, outcome }) {
  port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}]) })
}

/** Sends messages through the door for blocking calls, and then the outcome. */
export const door =
  (...messages) =>
  async (context) => {
    for (const message of messages) context.task.calls.port.postMessage(message)
    await sleep(30)
    finish(context)
  }

export const PROTOTYPE_NAMES = [
  ...['toString', 'constructor', '__proto__', 'hasOwnProperty', 'valueOf', 'then', '', '../echo', 'echo\0'],
]

export const HUGE_TEXT = () => 'x'.repeat(2 ** 26)
export const forever = () => new Promise(() => {})

/** The port over which Piscina sends tasks. It is not passed to a slot, but can be found. */
export function taskPort({ process, port, parentPort }) {
  const ports = process._getActiveHandles().filter((handle) => handle instanceof MessagePort)
  return ports.find((handle) => handle !== port && handle !== parentPort)
}

/** An outcome whose value has the keys of prototypes. */
export function protoKeys() {
  const inner = dict({ polluted: TRUE })
  const value = dict({ ['__proto__']: inner, constructor: dict({ prototype: inner }) })
  return own(tuple(TRUE, NONE, value, dict({})))
}
