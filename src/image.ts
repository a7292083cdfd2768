// Image: what sessions start from, as users hold it. Owns the image's file; making one with packages is src/packages, the standard one
// src/image.
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
  /** Of its wheel, in hexadecimal digits. */
  readonly sha256: string
}

/**
 * A booted Python interpreter, with the packages it was built with, that any number of sessions can start from. The same packages and
 * `preload` give the same image on every machine. Snapshots can be restored only into sessions of the image they were taken of.
 */
export class Image {
  readonly #opened: OpenedImage

  private constructor(opened: OpenedImage) {
    if (opened === undefined)
      throw notConstructible('Image', 'await Image.build(options) or await Image.load(path)')
    this.#opened = opened
  }

  /**
   * An image with packages: from the cache, or built, which takes some seconds to a minute. Without packages: the standard image.
   *
   * @throws InvalidOptionError
   * @throws PackageError when a package cannot be had, or cannot be part of an image
   * @throws ImageError when the image cannot be built for another reason
   * @throws the signal's reason if it aborts
   */
  static async build(options: ImageOptions = {}): Promise<Image> {
    const { openImageWith } = await import('./packages/open.js')
    return new Image(await openImageWith(resolveImageOptions(options)))
  }

  /**
   * An image that was saved. Its file decides what sessions run, so it must come from somebody you trust. Sessions read the contents of
   * packages from it when they need them: it may be removed or replaced meanwhile, but not be written to.
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

  /** sha-256 of all that it is made of, in hexadecimal digits. */
  get id(): string {
    return this.#opened.image.id
  }

  /** Sorted by name. */
  get packages(): readonly PackageInfo[] {
    return this.#opened.image.packages
  }

  /** @internal What slots are made of. */
  get booted(): BootedImage {
    return this.#opened.image
  }

  /**
   * Writes the image's file, in one step: a reader sees the old file or the new one.
   *
   * @throws ImageError when it cannot be written, or the file in the cache was removed or changed since
   */
  async save(path: string): Promise<void> {
    const target = resolve(requirePath(path))
    const temporary = `${target}.${randomUUID()}.tmp`
    const { file, bytes } = this.#opened
    try {
      if (bytes) await writeFile(temporary, bytes, { flag: 'wx' })
      else if (file !== undefined) {
        // `copyFile` would copy the cache's permissions, too: only its owner may read it, and a server is often another user.
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
