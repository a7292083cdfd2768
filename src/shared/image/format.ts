// The bytes of an image file. Owns the layout and its checks; image.ts owns the meaning of the parts, cache.ts owns where the file
// is. Layout: the head (magic, u32 format version, u32 length of the header, u32 length of the head, u32 zero, header as JSON,
// padding, sections at multiples of 8), the head's sha-256, which is the image's id, and the contents of all files. The head lists the
// hashes of their blocks (file-blocks.ts), so the id covers them, and each block can be checked when it is read.
import { createHash } from 'node:crypto'
import { dataModuleLength } from './data-module.js'
import { BLOCK_HASH_BYTES, blockCount, FILE_BLOCK_BYTES, isBlock } from './file-blocks.js'
import type { Image, ImageLibrary, ImagePackage, NativeCode } from './image.js'

/** The contents of an image file: an image whose modules are not compiled yet. */
export interface ImageContents
  extends Omit<
    Image,
    | 'id'
    | 'codeBytes'
    | 'module'
    | 'trampolineModule'
    | 'stackProbeModule'
    | 'pageXorModule'
    | 'dataModule'
    | 'fileSource'
  > {
  readonly moduleBytes: Uint8Array<ArrayBuffer>
  readonly trampolineBytes: Uint8Array<ArrayBuffer>
  /** The result of `dataModuleBytes` for the bytes of the runs, the table of the files, and the hashes of their blocks. */
  readonly dataBytes: Uint8Array<ArrayBuffer>
  /** Contents of the files. Null if only the head of the image's file was read. */
  readonly fileBytes: Uint8Array<ArrayBuffer> | null
}

/** The bytes are not an image that this version of brumate wrote. */
export class ImageFormatError extends Error {
  override readonly name = 'ImageFormatError'
}

export const IMAGE_FORMAT_VERSION = 6
/** Largest image file. V8 compiles no larger module, and an image that is in no file keeps the contents of its files in a module. */
export const MAX_IMAGE_BYTES = 2 ** 30
const MAGIC = 'BRUMATE\n'
/** Length of the fields before the header. */
export const FIXED_HEAD_BYTES = 24
export const HASH_BYTES = 32
/** Hashing this many bytes takes two or three milliseconds. */
const HASHED_AT_ONCE_BYTES = 4 * 1024 * 1024
const BLOCKS_AT_ONCE = HASHED_AT_ONCE_BYTES / FILE_BLOCK_BYTES
const ALIGNMENT = 8
const PAGE_BYTES = 4096
const WASM_PAGE_BYTES = 65_536
const MOST_MEMORY_BYTES = 2 ** 32

const SECTION_NAMES = ['moduleBytes', 'trampolineBytes', 'runs', 'callable', 'dataBytes'] as const
type SectionName = (typeof SECTION_NAMES)[number]
type Header = Omit<ImageContents, SectionName | 'native' | 'fileBytes'> & {
  readonly libraries: readonly ImageLibrary[] | null
  readonly sections: Readonly<Record<SectionName, [number, number]>>
}

export async function encodeImage(contents: ImageContents): Promise<Uint8Array<ArrayBuffer>> {
  const { moduleBytes, trampolineBytes, runs, dataBytes, fileBytes, native, ...rest } = contents
  if (fileBytes === null) throw new ImageFormatError('the contents of the image’s files were not read')
  const parts: Record<SectionName, Uint8Array> = {
    moduleBytes,
    trampolineBytes,
    runs: new Uint8Array(runs.buffer, runs.byteOffset, runs.byteLength),
    callable: native?.callable ?? new Uint8Array(0),
    dataBytes,
  }
  const lengths = SECTION_NAMES.map((name) => parts[name].length)
  // Offsets count from the end of the header, so that the header's own length does not change them.
  let end = 0
  const sections = Object.fromEntries(
    SECTION_NAMES.map((name, i) => {
      const offset = end
      const length = lengths[i] ?? 0
      end = align(offset + length)
      return [name, [offset, length]]
    }),
  )
  const header = new TextEncoder().encode(
    JSON.stringify({ ...rest, libraries: native?.libraries ?? null, sections }),
  )
  const start = align(FIXED_HEAD_BYTES + header.length)
  const filesAt = start + end + HASH_BYTES
  const length = filesAt + fileBytes.length
  if (length > MAX_IMAGE_BYTES)
    throw new ImageFormatError(
      `the image has ${length} bytes, more than ${MAX_IMAGE_BYTES}: take packages out of it`,
    )
  const bytes = new Uint8Array(length)
  bytes.set(new TextEncoder().encode(MAGIC))
  const head = new DataView(bytes.buffer)
  head.setUint32(8, IMAGE_FORMAT_VERSION, true)
  head.setUint32(12, header.length, true)
  head.setUint32(16, start + end, true)
  bytes.set(header, FIXED_HEAD_BYTES)
  for (const name of SECTION_NAMES) bytes.set(parts[name], start + (sections[name]?.[0] ?? 0))
  bytes.set(await sha256(bytes.subarray(0, start + end)), start + end)
  bytes.set(fileBytes, filesAt)
  return bytes
}

export interface DecodedImage {
  readonly id: string
  readonly contents: ImageContents
  /** Offset of the files' contents in the image's file. */
  readonly filesAt: number
  /** Checks the bytes against the id, in slices of a few milliseconds. Do not use the image before this has resolved. */
  verify(): Promise<void>
}

/** Number of bytes before the id. @param start - the first `FIXED_HEAD_BYTES` of a file. @throws ImageFormatError */
export function headLength(start: Uint8Array): number {
  if (start.length < FIXED_HEAD_BYTES) throw new ImageFormatError('the file is too short')
  const head = new DataView(start.buffer, start.byteOffset, start.length)
  if (Buffer.from(start.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC)
    throw new ImageFormatError('the file is not an image')
  const version = head.getUint32(8, true)
  if (version !== IMAGE_FORMAT_VERSION) throw new ImageFormatError(`the file has format version ${version}`)
  return head.getUint32(16, true)
}

/**
 * Checks lengths, alignment and ranges; `verify` then checks the hash. Both throw ImageFormatError.
 *
 * @param bytes - the whole file, or its head with the id
 * @param size - of the file
 */
export function decodeImage(bytes: Uint8Array<ArrayBuffer>, size = bytes.length): DecodedImage {
  const bodyLength = headLength(bytes)
  const filesAt = bodyLength + HASH_BYTES
  check(filesAt <= bytes.length && filesAt <= size, 'its head is cut off')
  // Not `bytes.subarray`, which would return a Buffer for a Buffer.
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset, bodyLength)
  const stated = Buffer.from(bytes.subarray(bodyLength, filesAt))

  const headerLength = new DataView(body.buffer, body.byteOffset).getUint32(12, true)
  const start = align(FIXED_HEAD_BYTES + headerLength)
  check(start <= body.length, 'header')
  let header: Header
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(
        body.subarray(FIXED_HEAD_BYTES, FIXED_HEAD_BYTES + headerLength),
      ),
    )
  } catch (cause) {
    throw new ImageFormatError('the header of the file cannot be read', { cause })
  }
  const section = (name: SectionName) => {
    const [offset = -1, length = -1] = header.sections?.[name] ?? []
    check(isCount(offset) && isCount(length) && offset % ALIGNMENT === 0, name)
    check(start + offset + length <= body.length, name)
    return body.subarray(start + offset, start + offset + length)
  }
  const runSection = section('runs').slice()
  check(runSection.length % 8 === 0, 'runs')
  const { sections: _, libraries, ...rest } = header
  // A copy, because it is sent to every thread: for a view, each would get a copy of the whole file.
  const callable = section('callable').slice()
  const contents: ImageContents = {
    ...rest,
    moduleBytes: section('moduleBytes'),
    trampolineBytes: section('trampolineBytes'),
    runs: new Uint32Array(runSection.buffer),
    dataBytes: section('dataBytes'),
    fileBytes:
      bytes.length < size ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + filesAt, size - filesAt),
    native: libraries === null ? null : { libraries, callable },
  }
  checkContents(contents)
  check(filesAt + contents.fileContents.length === size, 'its length')
  return {
    id: stated.toString('hex'),
    contents,
    filesAt,
    async verify() {
      if (!stated.equals(await sha256InSlices(body)) || !(await areFilesWhole(contents)))
        throw new ImageFormatError('the file is damaged: its checksum is wrong')
    },
  }
}

/** Checks the files' contents. True if they were not read, because then each block is checked when it is read. */
async function areFilesWhole(contents: ImageContents): Promise<boolean> {
  const { fileBytes } = contents
  if (fileBytes === null) return true
  const hashes = hashesOf(contents)
  for (let block = 0; block < blockCount(fileBytes.length); block += 1) {
    const at = block * FILE_BLOCK_BYTES
    if (!isBlock(fileBytes.subarray(at, at + FILE_BLOCK_BYTES), block, hashes)) return false
    if (block % BLOCKS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return true
}

/** The hashes of the blocks of the files' contents. */
export function hashesOf({ dataBytes, fileContents }: ImageContents): Uint8Array {
  const data = dataBytes.subarray(dataBytes.length - (dataModuleLength(dataBytes) ?? 0))
  return data.subarray(fileContents.hashes)
}

function checkContents(contents: ImageContents): void {
  const { memoryBytes, runs, dataBytes, tableLength, stackPointer, dispatch, fileTable, fileContents, env } =
    contents
  check(
    isCount(memoryBytes) && memoryBytes % WASM_PAGE_BYTES === 0 && memoryBytes <= MOST_MEMORY_BYTES,
    'memoryBytes',
  )
  let total = 0
  let previousEnd = -1
  for (let i = 0; i < runs.length; i += 2) {
    const offset = runs[i] ?? 0
    const length = runs[i + 1] ?? 0
    check(offset % PAGE_BYTES === 0 && length % PAGE_BYTES === 0 && length > 0, 'runs')
    check(offset > previousEnd && offset + length <= memoryBytes, 'runs')
    previousEnd = offset + length
    total += length
  }
  const dataLength = dataModuleLength(dataBytes)
  check(dataLength !== undefined && total <= dataLength, 'dataBytes')
  check(isCount(tableLength) && tableLength < 2 ** 24, 'tableLength')
  check(isCount(stackPointer) && stackPointer <= memoryBytes && stackPointer % 16 === 0, 'stackPointer')
  check(isCount(dispatch) && dispatch > 0 && dispatch < memoryBytes, 'dispatch')
  const { stackLow, mallocState, dataStack, internedStrings } = contents.landmarks ?? {}
  for (const address of [stackLow, mallocState, dataStack, internedStrings])
    check(isCount(address) && address < memoryBytes && address % 4 === 0, 'landmarks')
  check(typeof contents.pyodideVersion === 'string' && typeof contents.pythonVersion === 'string', 'versions')
  const { packages, native } = contents
  check(Array.isArray(packages) && packages.every(isPackage), 'packages')
  check(native === null || isNative(native, tableLength), 'libraries')
  check(isPath(contents.cwd), 'cwd')
  check(contents.codeKey === undefined || typeof contents.codeKey === 'string', 'codeKey')
  check(
    typeof env === 'object' && env !== null && Object.values(env).every((v) => typeof v === 'string'),
    'env',
  )
  // The table starts where the memory's bytes end, as workers/image-bytes.ts assumes.
  check(fileTable?.offset === total && isCount(fileTable.length), 'fileTable')
  check(fileTable.offset + fileTable.length <= dataLength, 'fileTable')
  check(isCount(fileContents?.length) && isCount(fileContents.hashes), 'fileContents')
  const hashesEnd = fileContents.hashes + blockCount(fileContents.length) * BLOCK_HASH_BYTES
  check(hashesEnd <= dataLength, 'fileContents')
}

function isPackage(given: ImagePackage): boolean {
  const { name, version, sha256 } = given ?? {}
  return typeof name === 'string' && typeof version === 'string' && /^[0-9a-f]{64}$/.test(sha256)
}

function isNative({ libraries, callable }: NativeCode, tableLength: number): boolean {
  const isSymbol = (symbol: unknown) =>
    Array.isArray(symbol) && typeof symbol[0] === 'string' && isCount(symbol[1]) && symbol[1] < 2 ** 32
  return (
    callable.length === Math.ceil(tableLength / 8) &&
    Array.isArray(libraries) &&
    libraries.every(({ path, symbols }) => isPath(path) && Array.isArray(symbols) && symbols.every(isSymbol))
  )
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^\/(?!.*\0)/s.test(path) && !path.split('/').includes('..')
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ImageFormatError(`the file is not a valid image: ${what}`)
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT
}

/** Does not use Web Crypto, which copies all bytes on this thread before it hashes on another: that copy alone takes as long as this. */
async function sha256InSlices(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE_BYTES) {
    hash.update(bytes.subarray(at, at + HASHED_AT_ONCE_BYTES))
    await new Promise((resolve) => setImmediate(resolve))
  }
  return hash.digest()
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes))
}
