// Host calls as a slot sends them: marshal of (id, name, arguments), alone or in a list. Owns reading them, in slices of time if they are
// large. Their contents are untrusted (R3): the guest chooses ids and names.

import { type Decoded, Decoder, MalformedValueError } from '../shared/values/decode.js'
import type { Job } from '../shared/values/slices.js'
import type { Value } from '../shared/values/value.js'
import { MAX_CALLS_PER_MESSAGE, TypeCode, Weight } from '../shared/values/weight.js'

export interface Request {
  readonly id: number
  readonly name: string
  readonly args: Record<string, Value>
  /** The arguments lack members of a set (`Decoder.hasCollisions`), so the callback must not run. */
  readonly hasCollisions: boolean
  /** Members of all containers in the arguments; a key counts as several. */
  readonly memberCount: number
  /** Bytes that the call uses of the window (window.ts). */
  readonly weightBytes: number
}

const LIST_HEAD_BYTES = 5

/** Reads a message into `requests`. */
export class RequestReader implements Job {
  readonly sizeBytes: number
  /** The least bytes that the message uses of the window, known before it is decoded. */
  readonly minWeightBytes: number
  readonly requests: Request[] = []
  readonly #decoder: Decoder
  #left: number

  /** @throws MalformedValueError */
  constructor(payload: Uint8Array, form: 'one' | 'list') {
    this.sizeBytes = payload.length
    this.#left = form === 'one' ? 1 : countOf(payload)
    this.minWeightBytes = Math.max(payload.length, Math.max(1, this.#left) * Weight.call)
    this.#decoder = new Decoder(payload, form === 'one' ? 0 : LIST_HEAD_BYTES)
  }

  /** @throws MalformedValueError */
  advance(untilMs: number): boolean {
    for (; this.#left > 0; this.#left--) {
      if (!this.#decoder.advance(untilMs)) return false
      this.requests.push(readRequest(this.#decoder))
      this.#decoder.begin()
    }
    this.#decoder.end()
    return true
  }
}

function countOf(payload: Uint8Array): number {
  if (payload.length < LIST_HEAD_BYTES || payload[0] !== TypeCode.list)
    throw new MalformedValueError('host calls that are not a list')
  const count = new DataView(payload.buffer, payload.byteOffset).getInt32(1, true)
  if (count < 0 || count > MAX_CALLS_PER_MESSAGE)
    throw new MalformedValueError(`${count} host calls in one message`)
  return count
}

function readRequest({ tree, isTooLarge, hasCollisions, memberCount, weightBytes }: Decoder): Request {
  const [id, name, args] = Array.isArray(tree) ? (tree as readonly Decoded[]) : []
  if (isTooLarge || !Number.isSafeInteger(id) || typeof name !== 'string' || !isRecord(args))
    throw new MalformedValueError('a malformed host call')
  return { id: id as number, name, args, hasCollisions, memberCount, weightBytes: weightBytes + Weight.call }
}

function isRecord(value: Decoded | undefined): value is Record<string, Value> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
