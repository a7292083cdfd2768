// Reads the list of files and single files of a wheel, which is a zip archive. Owns the limits; the archive is untrusted. The image builder
// unpacks whole wheels. This is not a library because of what hostile archives do to libraries: yauzl 3.4 ends the process if a zip64 record
// is beyond 2 ** 53, fflate 0.8 never returns from one that claims four billion files, and @zip.js/zip.js 2.24, which passes all tests of
// this file, would save 31 lines for 240 KB of code, and needs 0.9 GB to list a directory of 50 MB.
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'

/** The file is not a readable zip archive, or exceeds a limit. The message says which. */
export class ZipError extends Error {
  override readonly name = 'ZipError'
}

export interface ZipEntry {
  readonly path: string
  readonly encrypted: boolean
  readonly method: number
  readonly crc32: number
  readonly packedBytes: number
  readonly bytes: number
  readonly offset: number
}

/** The image builder refuses wheels with more. This many are listed in less than 20 ms, without a pause. */
export const MAX_ENTRIES = 30_000
/** Paths of 230 bytes for all of them. Longer ones would take long to decode, on the caller's thread. */
const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024
const END_BYTES = 22
/** A comment of up to 65,535 bytes may follow the end record. */
const MAX_TAIL_BYTES = END_BYTES + 65_535
const END_MAGIC = 0x06054b50
const ENTRY_MAGIC = 0x02014b50
const ENTRY_BYTES = 46
const LOCAL_MAGIC = 0x04034b50
const LOCAL_BYTES = 30
const STORED = 0
const DEFLATED = 8

const inflate = promisify(inflateRaw)

export class ZipFile implements AsyncDisposable {
  readonly #file: FileHandle
  readonly entries: readonly ZipEntry[]

  private constructor(file: FileHandle, entries: readonly ZipEntry[]) {
    this.#file = file
    this.entries = entries
  }

  /** @throws ZipError, or the error of opening the file */
  static async open(path: string): Promise<ZipFile> {
    const file = await open(path, 'r')
    try {
      return new ZipFile(file, await readDirectory(file))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** @throws ZipError, also if the file is longer than `maxBytes`, or is not what the directory says */
  async read(entry: ZipEntry, maxBytes: number): Promise<Uint8Array> {
    if (entry.bytes > maxBytes || entry.packedBytes > maxBytes)
      throw new ZipError(`${entry.path} is longer than ${maxBytes} bytes`)
    if (entry.encrypted) throw new ZipError(`${entry.path} is encrypted`)
    const head = await readAt(this.#file, entry.offset, LOCAL_BYTES)
    if (head.readUInt32LE(0) !== LOCAL_MAGIC) throw new ZipError(`${entry.path} is not where it should be`)
    const start = entry.offset + LOCAL_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28)
    const bytes = await unpack(entry, await readAt(this.#file, start, entry.packedBytes))
    if (bytes.length !== entry.bytes || crc32(bytes) !== entry.crc32)
      throw new ZipError(`${entry.path} does not have the length and checksum that the directory gives`)
    return bytes
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function unpack(entry: ZipEntry, packed: Buffer): Promise<Buffer> {
  if (entry.method === STORED) return packed
  if (entry.method !== DEFLATED)
    throw new ZipError(`${entry.path} has compression method ${entry.method}; only deflate can be read`)
  try {
    return await inflate(packed, { maxOutputLength: Math.max(1, entry.bytes) })
  } catch (cause) {
    throw new ZipError(`${entry.path} cannot be unpacked`, { cause })
  }
}

async function readDirectory(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const tail = await readAt(file, Math.max(0, size - MAX_TAIL_BYTES), Math.min(size, MAX_TAIL_BYTES))
  let end = tail.length - END_BYTES
  while (end >= 0 && tail.readUInt32LE(end) !== END_MAGIC) end--
  if (end < 0) throw new ZipError('it is not a zip archive, or it is cut off')
  const count = tail.readUInt16LE(end + 10)
  const length = tail.readUInt32LE(end + 12)
  const offset = tail.readUInt32LE(end + 16)
  if (count === 0xffff || offset === 0xffffffff) throw new ZipError('it is a zip64 archive')
  if (count > MAX_ENTRIES) throw new ZipError(`it has ${count} files, more than ${MAX_ENTRIES}`)
  if (length > MAX_DIRECTORY_BYTES || offset + length > size)
    throw new ZipError('its directory has invalid lengths')
  const directory = await readAt(file, offset, length)
  const entries: ZipEntry[] = []
  for (let at = 0; entries.length < count; ) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_MAGIC)
      throw new ZipError('its directory is damaged')
    const nameLength = directory.readUInt16LE(at + 28)
    const next =
      at + ENTRY_BYTES + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
    if (next > directory.length) throw new ZipError('its directory is damaged')
    entries.push({
      path: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength),
      encrypted: (directory.readUInt16LE(at + 8) & 1) !== 0,
      method: directory.readUInt16LE(at + 10),
      crc32: directory.readUInt32LE(at + 16),
      packedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    })
    at = next
  }
  return entries
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new ZipError('it is cut off')
    done += bytesRead
  }
  return bytes
}
