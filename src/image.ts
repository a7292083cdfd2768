// The public class `Image`, which sessions start from. Owns loading and saving an image's file; src/packages builds images with packages,
// src/image the standard image.
import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { imageKey } from './image/key.js'
import { HOW_TO_MAKE, loadImageFile, verifyImageFile } from './image/load-file.js'
import type { OpenedImage } from './image/open.js'
import { isText } from './options/check.js'
import { type ImageOptions, resolveImageOptions } from './packages/options.js'
import { ImageError, InvalidOptionError, notConstructible } from './shared/errors.js'
import type { Image as BootedImage } from './shared/image/image.js'
import { messageOf } from './shared/thrown.js'

/** A package of an image. */
export interface PackageInfo {
  readonly name: string
  readonly version: string
  /** SHA-256 of the package's wheel, in hexadecimal digits. */
  readonly sha256: string
}

/**
 * A booted Python interpreter with its packages, as data. Any number of sessions can start from it. The same packages and `preload` give
 * the same image on every machine. A snapshot can be restored only into sessions of the same image.
 */
export class Image {
  readonly #opened: OpenedImage

  private constructor(opened: OpenedImage) {
    if (opened === undefined)
      throw notConstructible('Image', 'await Image.build(options) or await Image.load(path)')
    this.#opened = opened
  }

  /**
   * Returns an image with packages, from the cache or newly built, which takes some seconds to a minute. Without packages, returns the
   * standard image.
   *
   * @throws InvalidOptionError
   * @throws PackageError when a package cannot be found or fetched, or cannot be part of an image
   * @throws ImageError when the image cannot be built for another reason
   * @throws the signal's reason if it aborts
   */
  static async build(options: ImageOptions = {}): Promise<Image> {
    const { openImageWith } = await import('./packages/open.js')
    return new Image(await openImageWith(resolveImageOptions(options)))
  }

  /**
   * Loads a saved image. Its file determines what sessions run, so it must come from a source that you trust. Sessions read the contents of
   * packages from the file when they need them, so do not write to it while the image is in use; removing or replacing it is safe.
   *
   * @throws ImageError when the file is damaged, or was made by another version of brumate
   */
  static async load(path: string): Promise<Image> {
    const file = resolve(requirePath(path))
    const image = await loadImageFile(file)
    if (image.codeKey !== imageKey())
      throw new ImageError(
        `${file} was made by another version of brumate or Pyodide; build it again, from its lock if it has packages: ${HOW_TO_MAKE}`,
      )
    return new Image({ image, file, bytes: undefined })
  }

  /** SHA-256 of everything in the image, in hexadecimal digits. */
  get id(): string {
    return this.#opened.image.id
  }

  /** The image's packages, sorted by name. */
  get packages(): readonly PackageInfo[] {
    return this.#opened.image.packages
  }

  /** @internal The image's data, which slots are made from. */
  get booted(): BootedImage {
    return this.#opened.image
  }

  /**
   * Saves the image as a file, atomically: a reader sees either the old file or the new one.
   *
   * @throws ImageError when the file cannot be written, or the image's own file was removed or changed meanwhile
   */
  async save(path: string): Promise<void> {
    const target = resolve(requirePath(path))
    const temporary = `${target}.${randomUUID()}.tmp`
    const { file, bytes } = this.#opened
    try {
      if (bytes) await writeFile(temporary, bytes, { flag: 'wx' })
      else if (file !== undefined) {
        // `copyFile` would also copy the permissions. Only the owner may read a file in the cache, and a server is often another user.
        await pipeline(createReadStream(file), createWriteStream(temporary, { flags: 'wx' }))
        await verifyImageFile(temporary, this.id)
      }
      await rename(temporary, target)
    } catch (cause) {
      await rm(temporary, { force: true })
      throw new ImageError(
        `the image cannot be saved as ${target}: ${messageOf(cause, 'for an unknown reason')}`,
        {
          cause,
        },
      )
    }
  }
}

function requirePath(path: string): string {
  const checked = isText('path', path, { maxLength: 4096 })
  if (checked === undefined) throw new InvalidOptionError('path', 'the path of a file', path)
  return checked
}
