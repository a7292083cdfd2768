// Keeps an image's file open for as long as the image is in use: slots read the contents of its files when somebody asks for them. Owns
// closing it. An open file can be read even when its name is gone or means another file.
import type { FileHandle } from 'node:fs/promises'
import type { Image } from '../shared/image/image.js'

/** A slot that outlives its image reads nothing wrong: it checks what it reads. */
const unused = new FinalizationRegistry<FileHandle>((file) => void file.close().catch(() => {}))

/** @param file - the one that the image reads from */
export function keepOpen(image: Image, file: FileHandle): Image {
  unused.register(image.fileSource, file)
  return image
}
