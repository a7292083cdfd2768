// Queues host calls that wait for credit. Owns splitting the kernel's list of calls into messages that fit the window, and refusing
// calls that never fit. A guest can forge the kernel's bytes, so anything that is not a list of calls is sent unchanged: the main
// thread rejects it.
import {
  MAX_CALLS_PER_MESSAGE,
  TypeCode,
  Weight,
  WINDOW_BYTES,
  weigh,
} from '../../src/shared/values/weight.js'
import type { Credit } from '../host/credit.js'
import { marshalText } from '../interpreter/link.js'

interface Call {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly weightBytes: number
}

const LIST_HEAD_BYTES = 5
/** Offset of the id within a call, a tuple (id, name, arguments): after a 5-byte head and the type code of an int32. */
const ID_AT = 6
const ID_BYTES = 4

/** Answers to calls that are refused here: a failure byte, then marshal bytes of `([name, message], [])`. */
const TOO_LARGE = failure('ValueError', 'the arguments are too large: those of one session may take 64 MiB')
const NOT_SENT = failure('RuntimeError', 'the execution ended before this call could be sent')

export class Outgoing {
  readonly #credit: Credit
  /** Oldest first. */
  #calls: Call[] = []
  #refusals: Uint8Array[] = []

  constructor(credit: Credit) {
    this.#credit = credit
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0
  }

  /** Queues a list of calls. Returns the messages that may be sent now. */
  add(payload: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    const parts = splitCalls(payload)
    if (parts === undefined) return [payload]
    const { ends, weights, totalBytes } = parts
    // The usual case: the whole list fits and is sent unchanged.
    if (this.isEmpty && weights.length <= MAX_CALLS_PER_MESSAGE && this.#credit.has(totalBytes)) {
      this.#credit.spend(totalBytes)
      return [payload]
    }
    let start = LIST_HEAD_BYTES
    for (const [i, weightBytes] of weights.entries()) {
      const end = ends[i] as number
      const call = { bytes: payload.subarray(start, end), weightBytes }
      if (weightBytes <= WINDOW_BYTES) this.#calls.push(call)
      else this.#refuse(call, TOO_LARGE)
      start = end
    }
    return this.next()
  }

  /** Returns the queued messages that may be sent now. */
  next(): Uint8Array<ArrayBuffer>[] {
    const messages: Uint8Array<ArrayBuffer>[] = []
    while (this.#calls.length > 0) {
      let count = 0
      while (count < this.#calls.length && count < MAX_CALLS_PER_MESSAGE) {
        const { weightBytes } = this.#calls[count] as Call
        if (!this.#credit.has(weightBytes)) break
        this.#credit.spend(weightBytes)
        count += 1
      }
      if (count === 0) break
      messages.push(joinCalls(this.#calls.splice(0, count)))
    }
    return messages
  }

  /** Refuses all queued calls, because the execution has ended. */
  refuseAll(): void {
    for (const call of this.#calls) this.#refuse(call, NOT_SENT)
    this.#calls = []
  }

  /** The next answer to a refused call, in the kernel's format. */
  takeRefusal(): Uint8Array | undefined {
    return this.#refusals.shift()
  }

  forget(): void {
    this.#calls = []
    this.#refusals = []
  }

  #refuse({ bytes }: Call, answer: Uint8Array): void {
    const refusal = new Uint8Array(ID_BYTES + answer.length)
    refusal.set(bytes.subarray(ID_AT, ID_AT + ID_BYTES))
    refusal.set(answer, ID_BYTES)
    this.#refusals.push(refusal)
  }
}

interface Parts {
  /** Offset of the end of each call. */
  readonly ends: readonly number[]
  /** Bytes of the window that each call takes: infinite if a part of it is too large for JavaScript. */
  readonly weights: readonly number[]
  readonly totalBytes: number
}

/** Finds the calls in a list. Returns undefined if the bytes are not a list of calls. */
function splitCalls(payload: Uint8Array<ArrayBuffer>): Parts | undefined {
  if (payload.length < LIST_HEAD_BYTES || payload[0] !== TypeCode.list) return undefined
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const count = view.getInt32(1, true)
  const ends: number[] = []
  const weights: number[] = []
  let totalBytes = 0
  let at = LIST_HEAD_BYTES
  for (let i = 0; i < count; i++) {
    const weighed = weigh(payload, at, view)
    if (weighed === undefined || payload[at] !== TypeCode.tuple || payload[at + ID_AT - 1] !== TypeCode.int32)
      return undefined
    const weightBytes = weighed.isTooLarge ? Number.POSITIVE_INFINITY : weighed.weightBytes + Weight.call
    at = weighed.end
    ends.push(at)
    weights.push(weightBytes)
    totalBytes += weightBytes
  }
  return at === payload.length ? { ends, weights, totalBytes } : undefined
}

function joinCalls(calls: readonly Call[]): Uint8Array<ArrayBuffer> {
  let length = LIST_HEAD_BYTES
  for (const { bytes } of calls) length += bytes.length
  const message = new Uint8Array(length)
  message[0] = TypeCode.list
  new DataView(message.buffer).setInt32(1, calls.length, true)
  let at = LIST_HEAD_BYTES
  for (const { bytes } of calls) {
    message.set(bytes, at)
    at += bytes.length
  }
  return message
}

function failure(name: string, message: string): Uint8Array {
  return Uint8Array.from([
    ...[0, TypeCode.tuple, 2, 0, 0, 0, TypeCode.list, 2, 0, 0, 0],
    ...marshalText(name),
    ...marshalText(message),
    ...[TypeCode.list, 0, 0, 0, 0],
  ])
}
