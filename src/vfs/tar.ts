// The tar format: ustar with pax headers where a field is too small, and GNU's long names when reading. Owns heads and blocks, and
// validates every number of an untrusted head; archive.ts decides which entries are allowed. The package tar-stream would not do: names are
// bytes here, but it decodes those in pax headers as UTF-8, so other names would not survive, and it does not limit headers.

import { StorageError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'

export const BLOCK_BYTES = 512
/** Limit for a pax header or a long name. No real name is longer. */
const MAX_EXTENSION_BYTES = 65_536
const MAX_SIZE = 2 ** 43
/** Limit for the headers of one entry, so that an endless series cannot occupy this thread. Writers need four. */
const MAX_EXTENSIONS = 64
const PAX_NAMES = new Set(['path', 'linkpath', 'size', 'mtime'])

export interface TarEntry {
  readonly kind: 'file' | 'directory' | 'symlink'
  /** Path as a byte string. */
  readonly path: string
  /** Target of a symbolic link, as a byte string. */
  readonly target: string
  readonly sizeBytes: number
  readonly mode: number
  readonly modifiedMs: number
}

const TYPES = { file: '0', symlink: '2', directory: '5' } as const

/** Returns the blocks before an entry's contents. */
export function entryHead(entry: TarEntry): Uint8Array {
  const { kind, target, sizeBytes, mode, modifiedMs } = entry
  const path = kind === 'directory' ? `${entry.path}/` : entry.path
  const extended: string[] = []
  if (path.length > 100) extended.push(record('path', path))
  if (target.length > 100) extended.push(record('linkpath', target))
  if (sizeBytes >= 8 ** 11) extended.push(record('size', String(sizeBytes)))
  if (modifiedMs % 1000 !== 0 || modifiedMs < 0) extended.push(record('mtime', String(modifiedMs / 1000)))
  const head = block(path, TYPES[kind], sizeBytes, mode, modifiedMs, target)
  if (extended.length === 0) return head
  const data = Buffer.from(extended.join(''), 'latin1')
  const before = block('././@PaxHeader', 'x', data.length, 0o644, 0, '')
  return Buffer.concat([before, data, padding(data.length), head])
}

/** Returns the zeros that fill up the last block of contents. */
export function padding(bytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

/** Encodes a pax record. Its length field includes the length field itself. */
function record(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`
  let length = rest.length
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length
  return `${length}${rest}`
}

function block(
  path: string,
  type: string,
  size: number,
  mode: number,
  modifiedMs: number,
  target: string,
): Buffer {
  const head = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, at: number, digits: number) =>
    head.write(
      Math.max(0, Math.min(value, 8 ** digits - 1))
        .toString(8)
        .padStart(digits, '0'),
      at,
      'latin1',
    )
  head.write(path.slice(0, 100), 0, 'latin1')
  octal(mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(Math.floor(modifiedMs / 1000), 136, 11)
  head.write(`        ${type}`, 148, 'latin1')
  head.write(target.slice(0, 100), 157, 'latin1')
  head.write('ustar\x0000', 257, 'latin1')
  octal(
    head.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  )
  head[154] = 0
  return head
}

function invalid(message: string): never {
  throw new StorageError('EINVAL', '/', `the archive is damaged or not a tar archive: ${message}`)
}

export class TarReader {
  readonly #parts: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  #part: Uint8Array = new Uint8Array(0)
  /** Bytes of the current entry's contents that are not read yet. */
  #left = 0
  #padding = 0

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    if (Symbol.asyncIterator in source) this.#parts = source[Symbol.asyncIterator]()
    else if (Symbol.iterator in source) this.#parts = source[Symbol.iterator]()
    else invalid('it is not iterable')
  }

  /** Returns the next entry; undefined at the end. Skips what is left of the current entry. */
  async next(): Promise<TarEntry | undefined> {
    const pax = new Map<string, string>()
    for (let extensions = 0; ; ) {
      while (this.#left > 0) await this.read(Math.min(this.#left, 2 ** 20))
      await this.#take(this.#padding)
      this.#padding = 0
      const head = await this.#take(BLOCK_BYTES, true)
      // An archive ends with a block of zeros, or with the end of its bytes.
      if (head === undefined || head.every((byte) => byte === 0)) return undefined
      const sum = head.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0)
      if (number(head, 148, 8) !== sum) invalid('the checksum of a header is wrong')
      const type = String.fromCharCode(head[156] ?? 0)
      const size = number(head, 124, 12)
      if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
        if (size > MAX_EXTENSION_BYTES) invalid('a header is too large')
        if (++extensions > MAX_EXTENSIONS) invalid('too many headers about one entry')
        const data = (await this.#take(size))?.toString('latin1') ?? ''
        await this.#take(padding(size).length)
        if (type === 'L') pax.set('path', data.replace(/\0.*$/s, ''))
        else if (type === 'K') pax.set('linkpath', data.replace(/\0.*$/s, ''))
        else if (type === 'x') {
          for (const [name, value] of records(data)) if (PAX_NAMES.has(name)) pax.set(name, value)
        }
        continue
      }
      return this.#entry(head, type, size, pax)
    }
  }

  /** Returns the next `count` bytes of the entry's contents; fewer only at their end. */
  async read(count: number): Promise<Uint8Array> {
    const wanted = Math.min(count, this.#left)
    const bytes = await this.#take(wanted)
    this.#left -= wanted
    return bytes ?? invalid('it is cut off')
  }

  #entry(head: Buffer, type: string, size: number, pax: ReadonlyMap<string, string>): TarEntry {
    const kind = { '0': 'file', '\0': 'file', '7': 'file', '5': 'directory', '2': 'symlink' }[type] as
      | TarEntry['kind']
      | undefined
    const name = text(head, 0, 100)
    const prefix = text(head, 257, 6) === 'ustar' ? text(head, 345, 155) : ''
    const path = pax.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`)
    if (kind === undefined) {
      throw new StorageError(
        'EINVAL',
        Buffer.from(path, 'latin1').toString(),
        'the archive has an entry there that is not a file, a directory or a link',
      )
    }
    const declared = pax.has('size') ? Number(pax.get('size')) : size
    if (!Number.isInteger(declared) || declared < 0 || declared > MAX_SIZE) invalid('a size is out of range')
    if (kind !== 'file' && declared !== 0) invalid('an entry that is not a file has contents')
    const mtime = pax.has('mtime') ? Number(pax.get('mtime')) : number(head, 136, 12)
    const modifiedMs =
      Math.abs(mtime) <= 8.64e12 ? Math.floor(mtime * 1000) : invalid('a time is out of range')
    this.#left = declared
    this.#padding = padding(declared).length
    const target = pax.get('linkpath') ?? text(head, 157, 100)
    return { kind, path, target, sizeBytes: declared, mode: number(head, 100, 8), modifiedMs }
  }

  /** Returns exactly `count` bytes; undefined at the end of the source, if `mayEnd`. */
  async #take(count: number, mayEnd = false): Promise<Buffer | undefined> {
    const taken = Buffer.alloc(count)
    for (let at = 0; at < count; ) {
      if (this.#part.length === 0) {
        const { done, value } = await this.#parts.next()
        if (done) return mayEnd && at === 0 ? undefined : invalid('it is cut off')
        if (!isUint8Array(value)) invalid('it is not a stream of bytes')
        this.#part = value
        continue
      }
      const part = this.#part.subarray(0, count - at)
      taken.set(part, at)
      at += part.length
      this.#part = this.#part.subarray(part.length)
    }
    return taken
  }
}

function* records(data: string): Iterable<[string, string]> {
  for (let at = 0; at < data.length; ) {
    const match = /^(\d{1,6}) ([^=]{1,200})=/.exec(data.slice(at, at + 300))
    const length = Number(match?.[1])
    if (match === null || length < match[0].length + 1 || at + length > data.length)
      return invalid('a pax header is malformed')
    yield [match[2] ?? '', data.slice(at + match[0].length, at + length - 1)]
    at += length
  }
}

function text(head: Buffer, at: number, length: number): string {
  return head.toString('latin1', at, at + length).replace(/\0.*$/s, '')
}

/** Reads an octal number, or GNU's binary form if the first bit is set. */
function number(head: Buffer, at: number, length: number): number {
  if (((head[at] ?? 0) & 0x80) !== 0) {
    let value = (head[at] ?? 0) & 0x7f
    for (let i = at + 1; i < at + length; i += 1) value = value * 256 + (head[i] ?? 0)
    return value <= MAX_SIZE ? value : invalid('a number is out of range')
  }
  const digits = text(head, at, length).trim()
  if (digits === '') return 0
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : invalid('a field is not a number')
}
