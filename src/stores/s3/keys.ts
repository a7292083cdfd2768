// Names of objects in an S3Store: for each session a record, and snapshots of which the record names one. Owns how ids become keys, in the
// ids' own order, for listing.

/** Gateways to file systems take no longer parts between slashes. */
const PART_LENGTH = 200

export interface Keys {
  /** Begins all records' keys, without the escaped id. */
  readonly records: string
  readonly snapshots: string
  record(id: string): string
  snapshot(id: string, nonce: string): string
  /** The id of a record's key. */
  idOf(key: string): string
  /** Part of a snapshot's key: all that comes before the nonce. */
  recordOfSnapshot(key: string): string
  /** An object to try conditional writes on. */
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
 * Letters, digits and `-` stand for themselves. Other bytes are a mark and two digits, and each range of them has a mark that is in its
 * place among the characters, so that keys have the order of ids. What begins an id begins its key.
 */
export function escapeId(id: string): string {
  let escaped = ''
  for (const byte of Buffer.from(id)) {
    const character = String.fromCharCode(byte)
    escaped += /[A-Za-z0-9-]/.test(character)
      ? character
      : `${markOf(byte)}${byte.toString(16).padStart(2, '0')}`
  }
  // At the same places in all keys, so that this, too, changes no order.
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
