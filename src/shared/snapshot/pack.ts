// Writes MessagePack as snapshots use it: a head, and the document around it. msgpackr does the encoding; what goes in is
// document.ts's. Nothing here reads: bytes from elsewhere are hostile, and msgpack.ts reads them within bounds.

import { createRequire } from 'node:module'
import type { Packr } from 'msgpackr/pack'
import { isUint8Array } from '../realms.js'

/** What a head is made of. */
export type Packable =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable }

let packr: Packr | undefined

const OPTIONS = { useRecords: false, moreTypes: false }

/** Loads msgpackr while a slot captures the first snapshot of the process: loaded with the library, it would delay the first result. */
export function preparePacking(): void {
  packr ??= loadPackr()
}

function loadPackr(): Packr {
  const { Packr } = createRequire(import.meta.url)('msgpackr/pack') as typeof import('msgpackr/pack')
  return new Packr(OPTIONS)
}

/** A lone surrogate has no UTF-8 and becomes U+FFFD. The bytes are a copy of their own. */
export function pack(value: Packable): Uint8Array<ArrayBuffer> {
  packr ??= loadPackr()
  return new Uint8Array(packr.pack(wellFormed(value)))
}

/** msgpackr writes short text with a lone surrogate as invalid UTF-8, which no reader takes. */
function wellFormed(value: Packable): Packable {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number' || typeof value === 'boolean' || isUint8Array(value)) return value
  if (Array.isArray(value)) return value.map(wellFormed)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, wellFormed(member)]))
}

/** What stands before bytes, in the shortest form. */
export function binHead(length: number): Uint8Array {
  if (length < 2 ** 8) return Uint8Array.of(0xc4, length)
  if (length < 2 ** 16) return Uint8Array.of(0xc5, length >> 8, length & 0xff)
  return Uint8Array.of(0xc6, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
}
