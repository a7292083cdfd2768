// The files of an image that is being built, as a host reads them. Owns their layout in one buffer.
import { FileIndex } from '../../../src/shared/image/file-index.js'
import type { ImageReader, ReadableImage } from '../../image-bytes.js'
import { imageFiles, type SourceFile } from '../files.js'

/** Reads from one buffer. Unlike an image's reader, it has no limit on the length of a view. */
class BytesReader implements ImageReader {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  view(from: number, count: number): Uint8Array {
    return this.#bytes.subarray(from, from + count)
  }

  read(from: number, into: Uint8Array, at: number, count: number): void {
    into.set(this.#bytes.subarray(from, from + count), at)
  }
}

/** The parts of an image with these files that a host needs. */
export function hostFiles(
  sources: readonly SourceFile[],
  cwd: string,
): { readonly files: FileIndex; readonly bytes: ImageReader } {
  const whole = new Uint8Array(sources.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const { bytes } of sources) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return { files: FileIndex.of(imageFiles(sources, 0), cwd), bytes: new BytesReader(whole) }
}

/** Reads all files of an image. */
export function sourcesOf(image: ReadableImage): SourceFile[] {
  return image.files.files().flatMap((file) => {
    if (file.kind !== 'file') return []
    const bytes = new Uint8Array(file.length)
    image.bytes.read(file.offset, bytes, 0, file.length)
    return [{ path: file.path, bytes }]
  })
}
