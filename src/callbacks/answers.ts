// The bytes of an answer to a host call, in the form of the kernel's ANSWER (workers/kernel/_brumate/link.py): u32 id, u8
// success, marshal of the value or of (name, message). Owns that layout, and reading the errors of callbacks.

import { ConversionError } from '../shared/errors.js'
import { isError } from '../shared/realms.js'
import { isInstance, readText } from '../shared/thrown.js'
import { Encoder, encodeIterator, encodeValue } from '../shared/values/encode.js'

const HEAD_BYTES = 5
const MAX_MESSAGE_LENGTH = 100_000

/**
 * Returns an encoder for an answer that may be large; its bytes are complete when the encoder is done.
 *
 * @throws ConversionError
 */
export function answerEncoder(id: number, value: unknown, name: string): Encoder {
  // A function without a result returns undefined, which becomes Python's None.
  return new Encoder(value === undefined ? null : value, name, 'with-fixups', head(id, true))
}

export function answerIterator(id: number, iterator: number): Uint8Array<ArrayBuffer> {
  return framed(id, true, encodeIterator(iterator))
}

/** Answer to a call whose result is no longer needed. */
export const NO_ANSWER = new Uint8Array(0)

export function answerFailure(id: number, error: unknown): Uint8Array<ArrayBuffer> {
  return framed(id, false, encodeValue([nameOf(error), messageOf(error)], 'error'))
}

/** Makes a failure that replaces an answer if waiting answers already have too many bytes. */
export function answerTooMuch(answer: Uint8Array, mostBytes: number): Uint8Array<ArrayBuffer> {
  const id = new DataView(answer.buffer, answer.byteOffset).getUint32(0, true)
  const message = `unread results of host calls exceed ${mostBytes} bytes; make fewer calls at once`
  return answerFailure(id, pythonError('MemoryError', message))
}

/** An error that Python raises as its exception class `name`. */
export function pythonError(name: string, message: string): Error {
  const error = new Error(message)
  error.name = name
  return error
}

function framed(id: number, ok: boolean, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length)
  bytes.set(head(id, ok))
  bytes.set(payload, HEAD_BYTES)
  return bytes
}

function head(id: number, ok: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES)
  new DataView(bytes.buffer).setUint32(0, id, true)
  bytes[4] = ok ? 1 : 0
  return bytes
}

/** Reads the name of any thrown value. Reading may run code, which may throw again. */
function nameOf(error: unknown): string {
  // A ConversionError is a TypeError by contract, whatever its name.
  if (isInstance(error, ConversionError)) return 'TypeError'
  return short(readText(() => (isError(error) ? error.name : undefined)) ?? 'Error')
}

function messageOf(error: unknown): string {
  const text = readText(() => (isError(error) ? error.message : String(error)))
  return short(text ?? 'an unknown value was thrown')
}

function short(text: string): string {
  return text.slice(0, MAX_MESSAGE_LENGTH)
}
