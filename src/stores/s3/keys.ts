// Keys of objects in an S3Store: for each session a record, and snapshots, of which the record names one. Owns the encoding of ids as keys,
// which preserves the ids' order for listing.

/** Longest part between slashes that gateways to file systems accept. */
const PART_LENGTH = 200

export interface Keys {
  /** Prefix of all records' keys, which the escaped id follows. */
  readonly records: string
  readonly snapshots: string
  record(id: string): string
  snapshot(id: string, nonce: string): string
  /** The id in a record's key. */
  idOf(key: string): string
  /** The key of the record that belongs to a snapshot's key. */
  recordOfSnapshot(key: string): string
  /** The key of an object for testing conditional writes. */
  readonly probe: string
}

export function keysOf(prefix: string): Keys {
  const records = `${prefix}records/`
  const snapshots = `${prefix}snapshots/`
  return {
    records,
    snapshots,
    record: (id) => records + escapeId(id),
    snapshot: (id, nonce) => `${snapshots}${escapeId(id)}/${nonce}`,
    idOf: (key) => unescapeId(key.slice(records.length)),
    recordOfSnapshot: (key) => records + key.slice(snapshots.length, key.lastIndexOf('/')),
    probe: `${prefix}conditional-writes`,
  }
}

/**
 * Letters, digits and `-` stand for themselves. Other bytes become a mark and two digits. Each range of bytes has a mark that sorts in the
 * same place among the characters, so that keys sort like ids. If one id is a prefix of another, so is its key.
 */
export function escapeId(id: string): string {
  let escaped = ''
  for (const byte of Buffer.from(id)) {
    const character = String.fromCharCode(byte)
    escaped += /[A-Za-z0-9-]/.test(character)
      ? character
      : `${markOf(byte)}${byte.toString(16).padStart(2, '0')}`
  }
  // Slashes at the same positions in all keys, so that they do not change the order.
  return escaped.replace(new RegExp(`.{${PART_LENGTH}}(?=.)`, 'g'), '$&/')
}

function unescapeId(escaped: string): string {
  const bytes: number[] = []
  for (const [part] of escaped.replaceAll('/', '').matchAll(/[!.=_~](..)|./g))
    bytes.push(part.length === 1 ? part.charCodeAt(0) : Number.parseInt(part.slice(1), 16))
  return Buffer.from(bytes).toString()
}

function markOf(byte: number): string {
  if (byte < 0x2d) return '!'
  if (byte < 0x30) return '.'
  if (byte < 0x41) return '='
  return byte < 0x61 ? '_' : '~'
}
