// MessagePack values that cost a reader of snapshots the most time for their size. Owns a list of kinds, written byte by byte, because no
// library writes what an attacker would.

export function text(value: string): Buffer {
  const utf8 = Buffer.from(value)
  const head = utf8.length < 32 ? [0xa0 | utf8.length] : [0xda, utf8.length >> 8, utf8.length & 0xff]
  return Buffer.concat([Buffer.from(head), utf8])
}

export function bin(length: number): Buffer {
  const head = Buffer.from([0xc6, 0, 0, 0, 0])
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, Buffer.alloc(length, 0xd8)])
}

export function array(members: readonly Uint8Array[], count = members.length): Buffer {
  const head = Buffer.from([0xdd, 0, 0, 0, 0])
  head.writeUInt32BE(count, 1)
  return Buffer.concat([head, ...members])
}

export function map(entries: readonly (readonly [key: string, value: Uint8Array])[]): Buffer {
  const head = Buffer.from([0xde, entries.length >> 8, entries.length & 0xff])
  return Buffer.concat([head, ...entries.flatMap(([key, value]) => [text(key), value])])
}

function number(code: number, write: (to: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = code
  write(bytes)
  return bytes
}

const int64 = (value: bigint) => number(0xd3, (to) => to.writeBigInt64BE(value, 1))
const float = (value: number) => number(0xcb, (to) => to.writeDoubleBE(value, 1))
const special = (kind: string, payload: Uint8Array) =>
  Buffer.concat([Buffer.from([0x82, 0]), text(kind), Buffer.from([1]), payload])
const digits = (count: number) => special('int', text('9'.repeat(count)))
const NIL = Buffer.from([0xc0])
const nils = (keys: readonly string[]) => map(keys.map((key) => [key, NIL]))
const range = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))

/** V8's hash of a small integer. */
function hashOf(integer: number): number {
  let hash = integer >>> 0
  hash = (~hash + (hash << 15)) >>> 0
  hash = (hash ^ (hash >>> 12)) >>> 0
  hash = (hash + (hash << 2)) >>> 0
  hash = (hash ^ (hash >>> 4)) >>> 0
  hash = Math.imul(hash, 2057) >>> 0
  return (hash ^ (hash >>> 16)) & 0x3fffffff
}

/** Integers that share one hash bucket of a set. */
function colliding(count: number): Buffer[] {
  const found: Buffer[] = []
  for (let i = 0; found.length < count; i++) if ((hashOf(i) & 2047) === 77) found.push(float(i))
  return found
}

const COLLIDING = colliding(1200)
const COLLIDING_BIGINTS = range(400, (i) => special('int', text(String((BigInt(i + 1) << 64n) + 5n))))
const RECORD = ['name', 'at', 'value', 'kind', 'flag']

/** Makes the same value each time. */
const same = (value: Uint8Array) => () => value
function inTurn(count: number, make: (i: number) => Uint8Array): (i: number) => Uint8Array {
  const values = range(count, make)
  return (i) => values[i % count] as Uint8Array
}

/** For each kind, makes its `i`th value. */
export const KINDS: Readonly<Record<string, (i: number) => Uint8Array>> = {
  nil: same(NIL),
  float: (i) => float(i + 0.5),
  'integers in 64 bits': (i) => int64(BigInt(i)),
  'BigInts in 64 bits': (i) => int64(2n ** 60n + BigInt(i)),
  'a character': same(text('a')),
  'short text': (i) => text(`x${String(i).padStart(11, '0')}`),
  'text of 31 characters': (i) => text(`y${String(i).padStart(30, '0')}`),
  'text of 40 characters': same(text('y'.repeat(40))),
  'a character beyond ASCII': same(text('é')),
  'text in Chinese': same(text('漢'.repeat(300))),
  'long text in Chinese': same(text('漢'.repeat(20_000))),
  'no bytes': same(bin(0)),
  'bytes, too many for the heap of V8': same(bin(100)),
  'an empty array': same(array([])),
  'arrays in arrays': same(Buffer.concat([Buffer.alloc(100, 0x91), NIL])),
  'an empty map': same(Buffer.from([0x80])),
  'a map like the others': same(nils(['a'])),
  records: same(nils(RECORD)),
  'two kinds of records in turn': inTurn(2, (i) => nils(RECORD.map((key) => `${key}${i}`))),
  'a map with a key of its own': (i) => nils([`k${i.toString(36)}`]),
  'a map with eight keys of its own': (i) => nils(range(8, (n) => `k${(8 * i + n).toString(36)}`)),
  'one of 200 maps': inTurn(200, (i) => nils([`k${i}`])),
  'a map with a long key of its own': (i) => nils([`${'k'.repeat(200)}${i}`]),
  'a map of 17 keys': same(nils(range(17, (n) => `k${n}`))),
  'a map of 4,000 keys': same(nils(range(4000, (n) => `k${n}`))),
  'a map with a sparse index': same(nils(['330'])),
  'a map with a large index': same(nils(['99999'])),
  'a map of 100 indices': same(nils(range(100, (n) => String(700 * n)))),
  datetime: (i) => special('datetime', float(i)),
  'a lone surrogate': same(special('text', Buffer.from([0xc4, 2, 0, 0xd8]))),
  'an integer of 20 digits': same(digits(20)),
  'an integer of 100 digits': same(digits(100)),
  'an integer of 2,468 digits': same(digits(2468)),
  'an empty set': same(special('set', array([]))),
  'a set of 64 integers that collide': same(special('set', array(COLLIDING.slice(0, 64)))),
  'a set of 1,200 integers that collide': same(special('set', array(COLLIDING))),
  'a set of 20 BigInts that collide': same(special('set', array(COLLIDING_BIGINTS.slice(0, 20)))),
  'a set of 400 BigInts that collide': same(special('set', array(COLLIDING_BIGINTS))),
}

const MIB = 2 ** 20

/**
 * The longest list of values that `takes` accepts and that fits into a mebibyte.
 *
 * @param make makes the `i`th value
 */
export function largest(make: (i: number) => Uint8Array, takes: (list: Uint8Array) => boolean): Uint8Array {
  const bytes = Buffer.alloc(MIB - 100)
  /** Where each member ends. */
  const ends = [0]
  for (let i = 0, end = 0; ; i++) {
    const member = make(i)
    if (end + member.length > bytes.length) break
    bytes.set(member, end)
    end += member.length
    ends.push(end)
  }
  const of = (count: number) => array([bytes.subarray(0, ends[count])], count)
  const most = ends.length - 1
  if (takes(of(most))) return of(most)
  let [taken, refused] = [0, most]
  // Accurate to one per cent.
  while (refused - taken > Math.max(1, taken / 100)) {
    const middle = (taken + refused) >> 1
    if (takes(of(middle))) taken = middle
    else refused = middle
  }
  return of(taken)
}
