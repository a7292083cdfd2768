// Keeps an image's file open for as long as the image is in use: slots read the contents of its files when somebody asks for them. Owns
// closing it: when its manager closes, or when nobody has the image any more. An open file can be read even when its name is gone or means
// another file.
import type { FileHandle } from 'node:fs/promises'
import type { Image } from '../shared/image/image.js'

/** A slot that outlives its image reads nothing wrong: it checks what it reads. */
const unused = new FinalizationRegistry<FileHandle>((file) => void file.close().catch(() => {}))

const files = new WeakMap<object, FileHandle>()

/** @param file - the one that the image reads from */
export function keepOpen(image: Image, file: FileHandle): Image {
  const { fileSource } = image
  files.set(fileSource, file)
  unused.register(fileSource, file, fileSource)
  return image
}

/** Closes the image's file, if it has one, for nobody uses the image any more. */
export async function closeFile({ fileSource }: Image): Promise<void> {
  const file = files.get(fileSource)
  files.delete(fileSource)
  unused.unregister(fileSource)
  await file?.close()
}
