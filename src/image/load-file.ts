// Opens an image file by its path. Owns the thread that reads, checks and compiles its head: the head of a large image has a hundred
// megabytes, and the main thread never copies more than a few at once (H1).
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { packageFile } from '../install/files.js'
import { ImageError } from '../shared/errors.js'
import { blockCount, FILE_BLOCK_BYTES, isBlock } from '../shared/image/file-blocks.js'
import { decodeImage, hashesOf, MAX_IMAGE_BYTES } from '../shared/image/format.js'
import type { Image } from '../shared/image/image.js'
import { type ReadFile, readHead } from '../shared/image/read-head.js'
import type { LoaderReply, LoaderRequest } from '../shared/messages/image-loader.js'
import { messageOf } from '../shared/thrown.js'
import { keepOpen } from './keep-open.js'

/** Opening a pipe must not wait for its other end. Windows has no such flag. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/** Hint for the end of error messages. */
export const HOW_TO_MAKE =
  'make an image file with `npx brumate image build --standard -o FILE`, with `-p NAME` instead of `--standard` for packages, or with Image.build() and save()'

/**
 * Loads an image file. The file contains code that sessions run, so trust it only as far as its author. Its hash, which is the image's id,
 * only shows that the file is not damaged.
 *
 * @throws ImageError if there is no such file, or it is damaged or not an image of this version
 */
export async function loadImageFile(path: string): Promise<Image> {
  let file: FileHandle
  try {
    file = await open(path, READ)
  } catch (cause) {
    throw new ImageError(`the image cannot be opened: ${messageOf(cause, path)}; ${HOW_TO_MAKE}`, { cause })
  }
  let image: Image | undefined
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > MAX_IMAGE_BYTES)
      throw new ImageError(
        `${path} is not an image: expected a file of at most ${MAX_IMAGE_BYTES} bytes; ${HOW_TO_MAKE}`,
      )
    const reply = await loadAside({ descriptor: file.fd, bytes: stats.size })
    if (!reply.ok) throw new ImageError(`${path} cannot be loaded: ${reply.reason}; ${HOW_TO_MAKE}`)
    image = keepOpen(reply.image, file)
    return image
  } finally {
    if (image === undefined) await file.close()
  }
}

async function loadAside(request: LoaderRequest): Promise<LoaderReply> {
  const worker = new Worker(packageFile('imageLoader'), { env: {}, argv: [], execArgv: [] })
  try {
    return await new Promise<LoaderReply>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', (cause) =>
        reject(new ImageError('the thread that loads images failed', { cause })),
      )
      worker.once('exit', (code) =>
        reject(new ImageError(`the thread that loads images ended (code ${code})`)),
      )
      worker.postMessage(request)
    })
  } finally {
    await worker.terminate()
  }
}

/**
 * Checks that a whole file, including the contents of the image's files, is the image with this id.
 *
 * @throws Error if it is a different image, or damaged
 */
export async function verifyImageFile(path: string, id: string): Promise<void> {
  const file = await open(path, READ)
  try {
    const { size } = await file.stat()
    const head = await readHead(readerOf(file), size)
    const { id: found, contents, filesAt, verify } = decodeImage(head, size)
    await verify()
    const hashes = hashesOf(contents)
    const block = new Uint8Array(FILE_BLOCK_BYTES)
    let isWhole = found === id
    for (let index = 0; isWhole && index < blockCount(contents.fileContents.length); index += 1) {
      const length = Math.min(FILE_BLOCK_BYTES, contents.fileContents.length - index * FILE_BLOCK_BYTES)
      const { bytesRead } = await file.read(block, 0, length, filesAt + index * FILE_BLOCK_BYTES)
      isWhole = bytesRead === length && isBlock(block.subarray(0, length), index, hashes)
    }
    if (!isWhole) throw new Error(`${path} has changed; build the image again`)
  } finally {
    await file.close()
  }
}

/** Returns a function that reads from the file by position, as a session's slot does. */
export function readerOf(file: FileHandle): ReadFile {
  return async (into, at, count, position) => (await file.read(into, at, count, position)).bytesRead
}
