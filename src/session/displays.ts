// Decodes the displays of an execution, as the kernel sends them. Owns their shapes and limits on the main thread; large displays are
// decoded in time slices. The kernel enforces the same limits, so a message beyond them was forged (R3).

import type { Bytes } from '../shared/bytes.js'
import type { Display } from '../shared/display.js'
import { isPlainObject, isUint8Array } from '../shared/realms.js'
import { type Decoded, Decoder, MalformedValueError } from '../shared/values/decode.js'
import type { Job } from '../shared/values/slices.js'

/** Displays of one execution. The kernel sends no more. */
const MAX_DISPLAYS = 1000
/** Forms of one display: rich ones, and its text. */
export const MAX_FORMS = 101
const MAX_TYPE_LENGTH = 1000

/** @param display with at most `MAX_FORMS` keys, if it is a dict @throws MalformedValueError */
export function readDisplay(display: Decoded | undefined): Display {
  // For bytes or an array, `Object.entries` would create a pair for each of possibly millions of members.
  if (typeof display !== 'object' || display === null || !isPlainObject(display))
    throw new MalformedValueError('a display that is not a dict')
  const forms: Record<string, string | Bytes> = {}
  for (const [mimeType, form] of Object.entries(display)) forms[mimeType] = readForm(form)
  return forms
}

/** The displays of one execution so far. */
export class DisplayList {
  #displays: Display[] = []

  get displays(): readonly Display[] {
    return this.#displays
  }

  /**
   * Applies a message of the kernel: [number, MIME type, form, MIME type, form …]. The number 0 adds a display, another number replaces
   * the display of that number, counted from 1; [] removes all displays.
   *
   * @returns the display; undefined if all were removed
   * @throws MalformedValueError
   */
  follow(message: Decoded | undefined): Display | undefined {
    if (!Array.isArray(message) || message.length > 1 + 2 * MAX_FORMS)
      throw new MalformedValueError('a malformed display')
    const [number, ...parts] = message as readonly Decoded[]
    if (number === undefined) {
      this.#displays = []
      return undefined
    }
    const display = readParts(parts)
    if (number === 0) this.#displays.push(display)
    else if (typeof number === 'number' && this.#displays[number - 1] !== undefined)
      this.#displays[number - 1] = display
    else throw new MalformedValueError('an update of a display that does not exist')
    if (this.#displays.length > MAX_DISPLAYS) throw new MalformedValueError('too many displays')
    return display
  }
}

function readParts(parts: readonly Decoded[]): Display {
  if (parts.length % 2 !== 0) throw new MalformedValueError('a malformed display')
  const forms: Record<string, string | Bytes> = {}
  for (let i = 0; i < parts.length; i += 2) {
    const mimeType = parts[i]
    if (typeof mimeType !== 'string' || mimeType.length > MAX_TYPE_LENGTH || mimeType === '__proto__')
      throw new MalformedValueError('a display form without a type')
    forms[mimeType] = readForm(parts[i + 1])
  }
  return forms
}

/** A lower bound for the bytes of all forms. */
export function displayBytes(display: Display): number {
  let bytes = 0
  for (const form of Object.values(display)) bytes += form.length
  return bytes
}

function readForm(form: Decoded | undefined): string | Bytes {
  if (typeof form !== 'string' && !isUint8Array(form))
    throw new MalformedValueError('a display form that is neither text nor bytes')
  // The cast is safe: the guard rejects messages with shared memory.
  return form as string | Bytes
}

/** Decodes the bytes of a display; a large one in time slices. */
export class DisplayReader implements Job {
  readonly sizeBytes: number
  readonly #decoder: Decoder
  readonly #onRead: (message: Decoded) => void

  /** @param onRead called with the decoded message; may throw */
  constructor(bytes: Uint8Array, onRead: (message: Decoded) => void) {
    this.sizeBytes = bytes.length
    this.#decoder = new Decoder(bytes)
    this.#onRead = onRead
  }

  /** @throws MalformedValueError */
  advance(untilMs: number): boolean {
    if (!this.#decoder.advance(untilMs)) return false
    this.#decoder.end()
    this.#onRead(this.#decoder.tree)
    return true
  }
}
