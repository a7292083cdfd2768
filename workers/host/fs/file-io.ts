// Reads, writes and seeks in an open file of any kind. Owns positions, append, and which operations each kind of node allows. The guest's
// memory is just a Uint8Array here.
import { randomFillSync } from 'node:crypto'
import { O, SEEK } from '../abi.js'
import { fail } from '../errno.js'
import type { OutputSink } from '../output.js'
import type { OpenFile } from './open-file.js'
import { readPipe, writePipe } from './pipes.js'
import type { PrivateNodes } from './private-nodes.js'
import type { Quota } from './quota.js'

/** Most random bytes per request to the system. */
export const RANDOM_CHUNK_BYTES = 65_536

/** Fills bytes from `start` to `end` with entropy. */
export type RandomSource = (into: Uint8Array, start: number, end: number) => void

export class FileIo {
  /** Serves /dev/urandom and the other sources of random bytes. */
  readonly fillRandom: RandomSource
  readonly #output: OutputSink
  readonly #pipes: PrivateNodes
  readonly #quota: Quota

  constructor(
    output: OutputSink,
    pipes: PrivateNodes,
    quota: Quota,
    fillRandom: RandomSource = fillFromSystem,
  ) {
    this.fillRandom = fillRandom
    this.#output = output
    this.#pipes = pipes
    this.#quota = quota
  }

  /** Reads at the file's position and moves it. */
  read(file: OpenFile, into: Uint8Array, start: number, end: number): number {
    if (file.kind !== 'file') return this.#readStream(file, into, start, end)
    this.requireReadable(file)
    const count = file.store.read(file.node, file.position, into, start, end)
    file.position += count
    return count
  }

  readAt(file: OpenFile, position: number, into: Uint8Array, start: number, end: number): number {
    this.requireReadable(file)
    if (file.kind === 'file') return file.store.read(file.node, position, into, start, end)
    requireSeekable(file)
    return this.#readStream(file, into, start, end)
  }

  /** Writes at the file's position, or its end with O_APPEND, and moves it. */
  write(file: OpenFile, from: Uint8Array, start: number, end: number): number {
    if (file.kind !== 'file') return this.#writeStream(file, from, start, end)
    this.requireWritable(file)
    if ((file.flags & O.APPEND) !== 0) {
      file.position = file.store.append(file.node, from, start, end)
      return end - start
    }
    const count = file.store.write(file.node, file.position, from, start, end)
    file.position += count
    return count
  }

  writeAt(file: OpenFile, position: number, from: Uint8Array, start: number, end: number): number {
    this.requireWritable(file)
    if (file.kind === 'file') {
      if ((file.flags & O.APPEND) === 0) return file.store.write(file.node, position, from, start, end)
      file.store.append(file.node, from, start, end)
      return end - start
    }
    requireSeekable(file)
    return this.#writeStream(file, from, start, end)
  }

  seek(file: OpenFile, offset: number, whence: number): number {
    requireSeekable(file)
    // Ask for the size only if it matters.
    const size = file.kind === 'file' && whence >= SEEK.END ? file.store.status(file.node).size : 0
    const position = seekTarget(file, offset, whence, size)
    if (position < 0) fail('EINVAL')
    if (!Number.isSafeInteger(position)) fail('EOVERFLOW')
    if (file.kind === 'device') return 0
    // A listing that starts over includes entries added since.
    if (file.kind === 'directory' && position === 0) file.listEnd = 0
    file.position = position
    return position
  }

  requireReadable({ flags }: OpenFile): void {
    if ((flags & O.ACCESS_MODE) === O.WRONLY || (flags & O.PATH) !== 0) fail('EBADF')
  }

  requireWritable({ flags }: OpenFile): void {
    if ((flags & O.ACCESS_MODE) === O.RDONLY || (flags & O.PATH) !== 0) fail('EBADF')
  }

  #readStream(file: OpenFile, into: Uint8Array, start: number, end: number): number {
    this.requireReadable(file)
    if (file.kind === 'directory') fail('EISDIR')
    if (file.kind === 'pipe') return readPipe(this.#pipes.pipe(file.node), into, start, end)
    switch (file.device) {
      case 'zero':
        into.fill(0, start, end)
        return end - start
      case 'random':
        this.fillRandom(into, start, end)
        return end - start
      default:
        // stdin is at its end, null is empty, and outputs have nothing to read.
        return 0
    }
  }

  #writeStream(file: OpenFile, from: Uint8Array, start: number, end: number): number {
    this.requireWritable(file)
    if (file.kind === 'pipe') return writePipe(this.#pipes.pipe(file.node), this.#quota, from, start, end)
    if (file.kind !== 'device') fail('EISDIR')
    switch (file.device) {
      case 'stdout':
        this.#output.write(1, from, start, end)
        break
      case 'stderr':
        this.#output.write(2, from, start, end)
        break
      case 'stdin':
        fail('EBADF')
    }
    return end - start
  }
}

function fillFromSystem(into: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += RANDOM_CHUNK_BYTES) {
    randomFillSync(into, at, Math.min(RANDOM_CHUNK_BYTES, end - at))
  }
}

function requireSeekable({ kind, device }: OpenFile): void {
  const isStream = device === 'stdin' || device === 'stdout' || device === 'stderr'
  if (kind === 'pipe' || isStream) fail('ESPIPE')
}

function seekTarget(file: OpenFile, offset: number, whence: number, size: number): number {
  switch (whence) {
    case SEEK.SET:
      return offset
    case SEEK.CUR:
      return file.position + offset
    case SEEK.END:
      return size + offset
    case SEEK.DATA:
      // Holes are not reported: everything is data, and the only hole is at the end.
      return offset < size && offset >= 0 ? offset : fail('ENXIO')
    case SEEK.HOLE:
      return offset < size && offset >= 0 ? size : fail('ENXIO')
    default:
      return fail('EINVAL')
  }
}
