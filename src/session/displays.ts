// What an execution displayed, as the kernel reports it: its last expression's rich forms, and the displays before it. Owns their
// shapes and bounds on this side; the kernel keeps to the same, so anything off was forged (R3).

import type { Bytes } from '../shared/bytes.js'
import { isUint8Array } from '../shared/realms.js'
import { type Decoded, MalformedValueError } from '../shared/values/decode.js'

/** One display: text, or bytes for binary types, by MIME type. */
export type Display = Readonly<Record<string, string | Bytes>>

/** Of one execution: the kernel gives no more. */
const MAX_DISPLAYS = 1000
/** Rich forms of a display, and of all displays together. */
export const MAX_FORMS = 100
const MAX_ALL_FORMS = 10_000
const MAX_TYPE_LENGTH = 1000

/** @throws MalformedValueError */
export function readDisplay(display: Decoded | undefined): Display {
  if (typeof display !== 'object' || display === null)
    throw new MalformedValueError('a display that is no dict')
  const forms: Record<string, string | Bytes> = {}
  for (const [mimeType, form] of Object.entries(display)) forms[mimeType] = readForm(form)
  return forms
}

/**
 * Displays as the kernel lists them, each as [MIME type, form, MIME type, form …].
 *
 * @throws MalformedValueError
 */
export function readDisplays(list: Decoded | undefined): Display[] {
  if (list === undefined) return []
  if (!Array.isArray(list) || list.length > MAX_DISPLAYS)
    throw new MalformedValueError('displays that are no list')
  let forms = 0
  return (list as readonly Decoded[]).map((parts) => {
    if (!Array.isArray(parts) || parts.length > 2 * MAX_FORMS || parts.length % 2 !== 0)
      throw new MalformedValueError('a display of unknown shape')
    forms += parts.length / 2
    if (forms > MAX_ALL_FORMS) throw new MalformedValueError('too many forms of displays')
    return readParts(parts)
  })
}

function readParts(parts: readonly Decoded[]): Display {
  const forms: Record<string, string | Bytes> = {}
  for (let i = 0; i < parts.length; i += 2) {
    const mimeType = parts[i]
    if (typeof mimeType !== 'string' || mimeType.length > MAX_TYPE_LENGTH || mimeType === '__proto__')
      throw new MalformedValueError('a display form without a type')
    forms[mimeType] = readForm(parts[i + 1])
  }
  return forms
}

/** Bytes of all displays, at least. */
export function displayBytes(displays: readonly Display[]): number {
  let bytes = 0
  for (const display of displays) for (const form of Object.values(display)) bytes += form.length
  return bytes
}

function readForm(form: Decoded | undefined): string | Bytes {
  if (typeof form !== 'string' && !isUint8Array(form))
    throw new MalformedValueError('a display form that is neither text nor bytes')
  // The guard lets no message with shared memory through.
  return form as string | Bytes
}
