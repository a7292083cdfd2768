// Entry of the thread that loads a large image: reads the file, compares it with its hash and compiles its modules, each of which would
// keep the main thread busy for longer than anybody may (H1). Owns nothing afterwards: threads share compiled modules.
import type { FileHandle } from 'node:fs/promises'
import { parentPort } from 'node:worker_threads'
import { decodeImage } from '../src/shared/image/format.js'
import { loadImage } from '../src/shared/image/load.js'
import type { LoaderReply, LoaderRequest } from '../src/shared/messages/image-loader.js'

parentPort?.once('message', (request: LoaderRequest) => {
  load(request).then(
    (reply) => parentPort?.postMessage(reply),
    (error: unknown) => parentPort?.postMessage({ ok: false, reason: String(error) } satisfies LoaderReply),
  )
})

async function load({ file, bytes: length }: LoaderRequest): Promise<LoaderReply> {
  const bytes = new Uint8Array(length)
  try {
    await readAll(file as FileHandle, bytes)
  } finally {
    await (file as FileHandle).close()
  }
  const { id, contents, verify } = decodeImage(bytes)
  const [image] = await Promise.all([loadImage(id, contents), verify()])
  return { ok: true, image }
}

/** What the file does not have any more stays zero, which the hash tells. */
async function readAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0, count = 1; at < bytes.length && count > 0; at += count)
    count = (await file.read(bytes, at, bytes.length - at, at)).bytesRead
}
