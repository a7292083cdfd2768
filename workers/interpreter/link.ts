// The link to the kernel: bytes in, bytes out, through CPython's C API. Owns the opcodes of requests and the layout of a reply's head;
// the kernel (workers/kernel/_brumate/link.py) and the main thread define what the bytes mean.
import type { InterpreterExports } from './exports.js'

export const Opcode = {
  execute: 0x01,
  step: 0x02,
  answer: 0x03,
  get: 0x04,
  set: 0x05,
  clear: 0x06,
  attach: 0x07,
  interrupt: 0x08,
  describe: 0x09,
  restored: 0x0a,
  callbacks: 0x0b,
} as const

export type KernelReply =
  | { readonly kind: 'done'; readonly payload: Uint8Array<ArrayBuffer> }
  /** An execution awaits something. The next timer is due after `delayMs` (Infinity: there is none). */
  | { readonly kind: 'waiting'; readonly delayMs: number; readonly calls: Uint8Array<ArrayBuffer> }
  /** What a snapshot says about the session. Both are msgpack. */
  | {
      readonly kind: 'described'
      readonly description: Uint8Array<ArrayBuffer>
      readonly values: Uint8Array<ArrayBuffer>
    }

/** The kernel violated the protocol: its memory is damaged. */
export class KernelFault extends Error {
  override readonly name = 'KernelFault'
}

const HEAD_BYTES = 9
const DONE = 0
const WAITING = 1
const DESCRIBED = 3
const LENGTH_BYTES = 4
/**
 * The kernel writes at most a mebibyte each of description and values. A kernel that user code has replaced may write more. That is cut to
 * this length, which the code that takes the snapshot still refuses as too long.
 */
const MOST_DESCRIBED_BYTES = 2 ** 21

/**
 * The reply in place of a kernel that has no memory left even to reply: marshal bytes of
 * `(False, 'MemoryError', '', 'MemoryError\n')`, kept here because the guest cannot allocate anything.
 */
const OUT_OF_MEMORY = Uint8Array.from([
  ...[0x28, 4, 0, 0, 0, 0x46],
  ...marshalText('MemoryError'),
  ...marshalText(''),
  ...marshalText('MemoryError\n'),
])

const ANSWER_ID_BYTES = 4
/** Follows the id of a host call if there is no memory for its answer: failure, and marshal bytes of `([name, message], [])`. */
const ANSWER_TOO_LARGE = Uint8Array.from([
  ...[0, 0x28, 2, 0, 0, 0, 0x5b, 2, 0, 0, 0],
  ...marshalText('MemoryError'),
  ...marshalText('there is no memory left for the result of a host call'),
  ...[0x5b, 0, 0, 0, 0],
])

export class KernelLink {
  readonly #exports: InterpreterExports
  readonly #dispatch: number

  constructor(exports: InterpreterExports, dispatch: number) {
    this.#exports = exports
    this.#dispatch = dispatch
  }

  /**
   * Sends one request: concatenates its parts into a Python bytes object.
   *
   * @throws KernelFault, or the error that ended the interpreter
   */
  call(opcode: number, ...parts: readonly Uint8Array[]): KernelReply {
    const x = this.#exports
    let size = 1
    for (const part of parts) size += part.length
    const request = x.PyBytes_FromStringAndSize(0, size)
    if (request === 0) return this.#noRequest(opcode, parts, size)
    // Write in place: nothing else refers to the new bytes object yet, and this copies a large value only once.
    let at = x.PyBytes_AsString(request) >>> 0
    const heap = new Uint8Array(x.memory.buffer)
    heap[at++] = opcode
    for (const part of parts) {
      heap.set(part, at)
      at += part.length
    }
    const reply = x.PyObject_CallOneArg(this.#dispatch, request)
    x.Py_DecRef(request)
    if (reply === 0) return this.#outOfMemory()
    return this.#read(reply)
  }

  #read(reply: number): KernelReply {
    const x = this.#exports
    const size = x.PyBytes_Size(reply)
    const start = x.PyBytes_AsString(reply) >>> 0
    const { buffer } = x.memory
    if (size < HEAD_BYTES || start === 0 || start + size > buffer.byteLength) {
      throw new KernelFault(`a reply of ${size} bytes at ${start}`)
    }
    const whole = new Uint8Array(buffer, start, size)
    const status = whole[0]
    if (status === DONE) {
      const payload = whole.slice(HEAD_BYTES)
      x.Py_DecRef(reply)
      return { kind: 'done', payload }
    }
    const delaySeconds = new DataView(buffer, start, HEAD_BYTES).getFloat64(1, true)
    const bytes = whole.subarray(HEAD_BYTES)
    if (status === DESCRIBED) {
      const description = described(bytes)
      x.Py_DecRef(reply)
      return description
    }
    const payload = bytes.slice()
    x.Py_DecRef(reply)
    if (status !== WAITING || Number.isNaN(delaySeconds)) throw new KernelFault(`status ${status}`)
    return { kind: 'waiting', delayMs: Math.max(0, delaySeconds * 1000), calls: payload }
  }

  /** There is no memory for the request. If it is an answer, sends a failure instead, because code would wait forever for it. */
  #noRequest(opcode: number, [answer]: readonly Uint8Array[], size: number): KernelReply {
    const failureBytes = ANSWER_ID_BYTES + ANSWER_TOO_LARGE.length
    if (opcode !== Opcode.answer || answer === undefined || size <= 1 + failureBytes)
      return this.#outOfMemory()
    this.#exports.PyErr_Clear()
    return this.call(opcode, answer.subarray(0, ANSWER_ID_BYTES), ANSWER_TOO_LARGE)
  }

  /** `dispatch` catches every exception, so NULL means that it could not even allocate its reply. */
  #outOfMemory(): KernelReply {
    this.#exports.PyErr_Clear()
    return { kind: 'done', payload: OUT_OF_MEMORY.slice() }
  }
}

/** Marshal bytes of a text of fewer than 256 characters, all ASCII. */
export function marshalText(text: string): number[] {
  return [0x75, text.length, 0, 0, 0, ...new TextEncoder().encode(text)]
}

/** @throws KernelFault */
function described(bytes: Uint8Array<ArrayBuffer>): KernelReply {
  const [start, size] = [LENGTH_BYTES, bytes.length]
  if (size < start) throw new KernelFault(`a description of ${size} bytes`)
  const end = start + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (end > size) throw new KernelFault(`a description of ${end} bytes in ${size}`)
  const cut = (from: number, to: number) => bytes.slice(from, Math.min(to, from + MOST_DESCRIBED_BYTES))
  return { kind: 'described', description: cut(start, end), values: cut(end, size) }
}
