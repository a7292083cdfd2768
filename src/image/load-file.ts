// Opens an image file by its path. Owns the thread that reads, checks and compiles it: a large image is hundreds of megabytes, and the
// main thread copies no more than a few at once (H1).
import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { packageFile } from '../install/files.js'
import { ImageError } from '../shared/errors.js'
import { MAX_IMAGE_BYTES } from '../shared/image/format.js'
import type { Image } from '../shared/image/image.js'
import type { LoaderReply, LoaderRequest } from '../shared/messages/image-loader.js'
import { messageOf } from '../shared/thrown.js'

/** At the end of a file; see src/shared/image/format.ts. */
const HASH_BYTES = 32
/** Opening a pipe must not wait for its other end. Windows has no such flag. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * The file is trusted as far as its writer: it holds code that sessions run. Its hash tells that it is not damaged, and is the image's id.
 *
 * @throws ImageError if there is no such file, or it is no image of this version, or damaged
 */
export async function loadImageFile(path: string): Promise<Image> {
  let file: FileHandle
  try {
    file = await open(path, READ)
  } catch (cause) {
    const hint =
      'make the file with `npx brumate image build --standard -o FILE`, or Image.build() and save()'
    throw new ImageError(`the image cannot be opened: ${messageOf(cause, path)}; ${hint}`, { cause })
  }
  const stats = await file.stat()
  if (!stats.isFile() || stats.size > MAX_IMAGE_BYTES) {
    await file.close()
    throw new ImageError(`${path} is no image: expected a file of at most ${MAX_IMAGE_BYTES} bytes`)
  }
  const reply = await loadAside(file, stats.size)
  if (!reply.ok) throw new ImageError(`${path} cannot be loaded: ${reply.reason}`)
  return reply.image
}

async function loadAside(file: FileHandle, bytes: number): Promise<LoaderReply> {
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
      const request: LoaderRequest = { file, bytes }
      // A FileHandle can be moved, which its types do not say.
      worker.postMessage(request, [file as unknown as ArrayBuffer])
    })
  } finally {
    await worker.terminate()
  }
}

/**
 * Compares a file with the id that its image has to have.
 *
 * @throws Error if it is another image, or damaged
 */
export async function verifyImageFile(path: string, id: string): Promise<void> {
  const { size } = await stat(path)
  const hash = createHash('sha256')
  const end = size - HASH_BYTES - 1
  if (end > 0)
    for await (const chunk of createReadStream(path, { end, highWaterMark: 2 ** 20 })) hash.update(chunk)
  if (hash.digest('hex') !== id) throw new Error(`${path} has changed; build the image again`)
}
