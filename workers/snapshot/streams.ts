// Compresses whole pieces with zlib and zstd. Streams are created under the thread's shield: terminating a thread between the creation of a
// stream and its initialization ends the whole process (src/shared/threads/shield.ts). Owns every zlib stream of a slot's thread;
// blocks.ts chooses the codec and handles errors.
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { firstFrame } from './zstd.js'

/** Calls `make` while this thread cannot be terminated. `make` must return at once. */
export type Shielded = <T>(make: () => T) => T

/** For threads that are never terminated. */
export const UNSHIELDED: Shielded = (make) => make()

/** `_processChunk` is what `deflateRawSync` and the like call after creating a stream. It has had this name since Node's first versions. */
interface Engine extends Transform {
  _processChunk(chunk: Uint8Array, flush: number): Buffer
  readonly bytesWritten: number
}

type Make = (options: object) => unknown

/** Available from Node 22.15 on. */
interface Zstd {
  createZstdCompress: Make
  createZstdDecompress: Make
  constants: { ZSTD_c_compressionLevel: number; ZSTD_e_end: number }
}
const { createZstdCompress, createZstdDecompress, constants } = zlib as unknown as Partial<Zstd>
const { Z_FINISH } = zlib.constants

export const HAS_ZSTD = createZstdCompress !== undefined && createZstdDecompress !== undefined

/** Processes all input at once, and returns all output. */
function run(engine: Engine, bytes: Uint8Array, finish: number): Buffer {
  return engine._processChunk(bytes, finish)
}

export function deflate(bytes: Uint8Array, options: zlib.ZlibOptions, shielded: Shielded): Buffer {
  return run(shielded(() => zlib.createDeflateRaw(options)) as unknown as Engine, bytes, Z_FINISH)
}

/** Compresses in one of Node's own threads. `bytes` must not change meanwhile. */
export function deflateAside(
  bytes: Uint8Array,
  options: zlib.ZlibOptions,
  shielded: Shielded,
): Promise<Buffer> {
  const stream = shielded(() => zlib.createDeflateRaw(options))
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('end', () => resolve(Buffer.concat(pieces)))
    stream.on('error', reject)
    stream.end(bytes)
  })
}

/** `readBytes`: how many of the bytes belong to the stream. */
export function inflate(
  bytes: Uint8Array,
  options: zlib.ZlibOptions,
  shielded: Shielded,
): { readonly raw: Buffer; readonly readBytes: number } {
  const engine = shielded(() => zlib.createInflateRaw(options)) as unknown as Engine
  const raw = run(engine, bytes, Z_FINISH)
  return { raw, readBytes: engine.bytesWritten }
}

/** Undefined if this Node has no zstd. */
export function compressZstd(bytes: Uint8Array, level: number, shielded: Shielded): Uint8Array | undefined {
  if (!createZstdCompress || !constants) return undefined
  const params = { [constants.ZSTD_c_compressionLevel]: level }
  const engine = shielded(() => createZstdCompress({ params })) as Engine
  // Node (24 and 26) appends an empty frame if the first one ends exactly where an output chunk does.
  return firstFrame(run(engine, bytes, constants.ZSTD_e_end))
}

/** Undefined if this Node has no zstd. */
export function unzstd(bytes: Uint8Array, options: zlib.ZlibOptions, shielded: Shielded): Buffer | undefined {
  if (!createZstdDecompress || !constants) return undefined
  return run(shielded(() => createZstdDecompress(options)) as Engine, bytes, constants.ZSTD_e_end)
}
