// The bytes of an image file. Owns the layout and its checks; what the parts mean is image.ts, where the file lies is
// cache.ts. Layout: magic, u32 format version, u32 length of the header, header (JSON), padding, sections at multiples
// of 8, sha-256 of everything before it. The last is the image's id.
import { createHash } from 'node:crypto'
import { dataModuleLength } from './data-module.js'
import type { Image, ImageLibrary, ImagePackage, NativeCode } from './image.js'

/** What a file holds: an image whose modules are not compiled yet. */
export interface ImageContents
  extends Omit<
    Image,
    'id' | 'codeBytes' | 'module' | 'trampolineModule' | 'stackProbeModule' | 'pageXorModule' | 'dataModule'
  > {
  readonly moduleBytes: Uint8Array<ArrayBuffer>
  readonly trampolineBytes: Uint8Array<ArrayBuffer>
  /** What `dataModuleBytes` makes of the bytes of runs and files. */
  readonly dataBytes: Uint8Array<ArrayBuffer>
}

/** The bytes are not an image that this version of brumate wrote. */
export class ImageFormatError extends Error {
  override readonly name = 'ImageFormatError'
}

export const IMAGE_FORMAT_VERSION = 5
/** A larger file is no image. V8 compiles no larger module, and one module has an image's memory and files. */
export const MAX_IMAGE_BYTES = 2 ** 30
const MAGIC = 'BRUMATE\n'
const HEAD_BYTES = 16
const HASH_BYTES = 32
/** Hashing this many takes two or three milliseconds. */
const HASHED_AT_ONCE_BYTES = 4 * 1024 * 1024
const ALIGNMENT = 8
const PAGE_BYTES = 4096
const WASM_PAGE_BYTES = 65_536
const MOST_MEMORY_BYTES = 2 ** 32

const SECTION_NAMES = ['moduleBytes', 'trampolineBytes', 'runs', 'callable', 'dataBytes'] as const
type SectionName = (typeof SECTION_NAMES)[number]
type Header = Omit<ImageContents, SectionName | 'native'> & {
  readonly libraries: readonly ImageLibrary[] | null
  readonly sections: Readonly<Record<SectionName, [number, number]>>
}

export async function encodeImage(contents: ImageContents): Promise<Uint8Array<ArrayBuffer>> {
  const { moduleBytes, trampolineBytes, runs, dataBytes, native, ...rest } = contents
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
  const start = align(HEAD_BYTES + header.length)
  const length = start + end + HASH_BYTES
  if (length > MAX_IMAGE_BYTES)
    throw new ImageFormatError(
      `the image has ${length} bytes, more than ${MAX_IMAGE_BYTES}: take packages out of it`,
    )
  const bytes = new Uint8Array(length)
  bytes.set(new TextEncoder().encode(MAGIC))
  const head = new DataView(bytes.buffer)
  head.setUint32(8, IMAGE_FORMAT_VERSION, true)
  head.setUint32(12, header.length, true)
  bytes.set(header, HEAD_BYTES)
  for (const name of SECTION_NAMES) bytes.set(parts[name], start + (sections[name]?.[0] ?? 0))
  bytes.set(await sha256(bytes.subarray(0, start + end)), start + end)
  return bytes
}

export interface DecodedImage {
  readonly id: string
  readonly contents: ImageContents
  /** Compares the bytes with the id, in slices of a few milliseconds. Nothing may be used before this has resolved. */
  verify(): Promise<void>
}

/** Checks lengths, alignment and ranges; `verify` then checks the hash. Both throw ImageFormatError. */
export function decodeImage(bytes: Uint8Array<ArrayBuffer>): DecodedImage {
  if (bytes.length < HEAD_BYTES + HASH_BYTES) throw new ImageFormatError('the file is too short')
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC)
    throw new ImageFormatError('the file is not an image')
  const version = head.getUint32(8, true)
  if (version !== IMAGE_FORMAT_VERSION) throw new ImageFormatError(`the file has format version ${version}`)
  // Not `bytes.subarray`: of a Buffer, that is a Buffer.
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length - HASH_BYTES)
  const stated = Buffer.from(bytes.subarray(body.length))

  const headerLength = head.getUint32(12, true)
  const start = align(HEAD_BYTES + headerLength)
  check(start <= body.length, 'header')
  let header: Header
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(body.subarray(HEAD_BYTES, HEAD_BYTES + headerLength)),
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
  // Not a view: it goes to every thread, which would get a copy of the whole file.
  const callable = section('callable').slice()
  const contents: ImageContents = {
    ...rest,
    moduleBytes: section('moduleBytes'),
    trampolineBytes: section('trampolineBytes'),
    runs: new Uint32Array(runSection.buffer),
    dataBytes: section('dataBytes'),
    native: libraries === null ? null : { libraries, callable },
  }
  checkContents(contents)
  return {
    id: stated.toString('hex'),
    contents,
    async verify() {
      if (!stated.equals(await sha256InSlices(body)))
        throw new ImageFormatError('the file is damaged: its checksum is wrong')
    },
  }
}

function checkContents(contents: ImageContents): void {
  const { memoryBytes, runs, dataBytes, tableLength, stackPointer, dispatch, fileTable, env } = contents
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
  check(
    isCount(fileTable?.offset) &&
      isCount(fileTable.length) &&
      fileTable.offset + fileTable.length <= dataLength,
    'fileTable',
  )
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

/** Not with Web Crypto: it copies all bytes on this thread before it hashes on another, and the copy alone takes as long as this. */
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
