// Writes MessagePack as snapshots use it: a head, and the document around it. Owns the encoding, docs/snapshot-format.md; what goes in
// is document.ts's.

/** What a head is made of. */
export type Packable =
  | string
  | number
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable }

/** A lone surrogate has no UTF-8 and becomes U+FFFD. */
export function pack(value: Packable): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  add(parts, value)
  return new Uint8Array(Buffer.concat(parts))
}

function add(parts: Uint8Array[], value: Packable): void {
  if (typeof value === 'number') parts.push(packNumber(value))
  else if (typeof value === 'string') {
    const utf8 = Buffer.from(value, 'utf8')
    parts.push(utf8.length < 32 ? Uint8Array.of(0xa0 | utf8.length) : sized(0xdb, utf8.length), utf8)
  } else if (value instanceof Uint8Array) parts.push(binHead(value.length), value)
  else if (Array.isArray(value)) {
    parts.push(sized(0xdd, value.length))
    for (const member of value) add(parts, member)
  } else {
    const entries = Object.entries(value as { readonly [key: string]: Packable })
    parts.push(sized(0xdf, entries.length))
    for (const [key, member] of entries) {
      add(parts, key)
      add(parts, member)
    }
  }
}

/** As few encodings as there can be: one byte, uint 32, float 64. */
function packNumber(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
    const data = Buffer.alloc(9)
    data[0] = 0xcb
    data.writeDoubleBE(value, 1)
    return data
  }
  return value < 0x80 ? Uint8Array.of(value) : sized(0xce, value)
}

/** What stands before bytes, in the shortest form. */
export function binHead(length: number): Uint8Array {
  if (length < 2 ** 8) return Uint8Array.of(0xc4, length)
  return length < 2 ** 16 ? Uint8Array.of(0xc5, length >> 8, length & 0xff) : sized(0xc6, length)
}

function sized(code: number, length: number): Uint8Array {
  const head = Buffer.alloc(5)
  head[0] = code
  head.writeUInt32BE(length, 1)
  return head
}
