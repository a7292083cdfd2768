// zlib and zstd over whole pieces, by streams that are made under the thread's shield: ending a thread between the making of a
// stream and its initialization ends the whole process (src/shared/threads/shield.ts). Owns every zlib stream of a slot's thread;
// which codec a piece gets, and what to make of an error, is blocks.ts's.
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** Calls `make` where nothing ends this thread, which it must return from at once. */
export type Shielded = <T>(make: () => T) => T

/** For threads that nobody ends. */
export const UNSHIELDED: Shielded = (make) => make()

/** What `deflateRawSync` and its kind do after making a stream, with Node's own name for it since its first versions. */
interface Engine extends Transform {
  _processChunk(chunk: Uint8Array, flush: number): Buffer
  readonly bytesWritten: number
}

type Make = (options: object) => unknown

/** Node has zstd from 22.15 on. */
interface Zstd {
  createZstdCompress: Make
  createZstdDecompress: Make
  constants: { ZSTD_c_compressionLevel: number; ZSTD_e_end: number }
}
const { createZstdCompress, createZstdDecompress, constants } = zlib as unknown as Partial<Zstd>
const { Z_FINISH } = zlib.constants

export const HAS_ZSTD = createZstdCompress !== undefined && createZstdDecompress !== undefined

/** All input at once, and all output. */
function run(engine: Engine, bytes: Uint8Array, finish: number): Buffer {
  return engine._processChunk(bytes, finish)
}

export function deflate(bytes: Uint8Array, options: zlib.ZlibOptions, shielded: Shielded): Buffer {
  return run(shielded(() => zlib.createDeflateRaw(options)) as unknown as Engine, bytes, Z_FINISH)
}

/** In a thread of Node's own: `bytes` must stay as they are meanwhile. */
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

/** Undefined where this Node has no zstd. */
export function compressZstd(bytes: Uint8Array, level: number, shielded: Shielded): Buffer | undefined {
  if (!createZstdCompress || !constants) return undefined
  const params = { [constants.ZSTD_c_compressionLevel]: level }
  const engine = shielded(() => createZstdCompress({ params })) as Engine
  return run(engine, bytes, constants.ZSTD_e_end)
}

/** Undefined where this Node has no zstd. */
export function unzstd(bytes: Uint8Array, options: zlib.ZlibOptions, shielded: Shielded): Buffer | undefined {
  if (!createZstdDecompress || !constants) return undefined
  return run(shielded(() => createZstdDecompress(options)) as Engine, bytes, constants.ZSTD_e_end)
}
