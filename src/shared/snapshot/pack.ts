// Writes the MessagePack of snapshots: a head, and the document around it. msgpackr does the encoding; document.ts decides what
// goes in. This file only writes: bytes from elsewhere are untrusted, and msgpack.ts reads them within bounds.

import { createRequire } from 'node:module'
import type { Packr } from 'msgpackr/pack'
import { isUint8Array } from '../realms.js'

/** The values that a head can contain. */
export type Packable =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable }

let packr: Packr | undefined

const OPTIONS = { useRecords: false, moreTypes: false }

/** Loads msgpackr while a slot captures the process's first snapshot. Loading it with the library would delay the first result. */
export function preparePacking(): void {
  packr ??= loadPackr()
}

function loadPackr(): Packr {
  const { Packr } = createRequire(import.meta.url)('msgpackr/pack') as typeof import('msgpackr/pack')
  return new Packr(OPTIONS)
}

/** Encodes a value into new bytes. Lone surrogates, which UTF-8 cannot encode, become U+FFFD. */
export function pack(value: Packable): Uint8Array<ArrayBuffer> {
  packr ??= loadPackr()
  return new Uint8Array(packr.pack(wellFormed(value)))
}

/** msgpackr writes short text with a lone surrogate as invalid UTF-8, which readers reject. */
function wellFormed(value: Packable): Packable {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number' || typeof value === 'boolean' || isUint8Array(value)) return value
  if (Array.isArray(value)) return value.map(wellFormed)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, wellFormed(member)]))
}

/** MessagePack's header of a byte string, in its shortest form. */
export function binHead(length: number): Uint8Array {
  if (length < 2 ** 8) return Uint8Array.of(0xc4, length)
  if (length < 2 ** 16) return Uint8Array.of(0xc5, length >> 8, length & 0xff)
  return Uint8Array.of(0xc6, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
}
