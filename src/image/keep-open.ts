// Keeps an image's file open while the image is in use, because slots read the contents of the image's files on demand. Owns closing it:
// when its manager closes, or when the image is garbage-collected. An open file can be read even after its path was removed or replaced.
import type { FileHandle } from 'node:fs/promises'
import type { Image } from '../shared/image/image.js'

/** Closes the files of unused images. A slot that outlives its image cannot read wrong data, because it verifies what it reads. */
const unused = new FinalizationRegistry<FileHandle>((file) => void file.close().catch(() => {}))

const files = new WeakMap<object, FileHandle>()

/** @param file - the file that the image reads from */
export function keepOpen(image: Image, file: FileHandle): Image {
  const { fileSource } = image
  files.set(fileSource, file)
  unused.register(fileSource, file, fileSource)
  return image
}

/** Closes the image's file, if it has one. Call it when the image is no longer used. */
export async function closeFile({ fileSource }: Image): Promise<void> {
  const file = files.get(fileSource)
  files.delete(fileSource)
  unused.unregister(fileSource)
  await file?.close()
}
