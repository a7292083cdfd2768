// Entry of the thread that loads a large image: reads its head, checks its hash and compiles its modules. Each of these steps would block
// the main thread for longer than is allowed (H1). Owns nothing afterwards: threads share compiled modules, and the file belongs to the
// main thread.
import { readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { decodeImage } from '../src/shared/image/format.js'
import { loadVerified } from '../src/shared/image/load.js'
import { readHead } from '../src/shared/image/read-head.js'
import type { LoaderReply, LoaderRequest } from '../src/shared/messages/image-loader.js'

parentPort?.once('message', (request: LoaderRequest) => {
  load(request).then(
    (reply) => parentPort?.postMessage(reply),
    (error: unknown) => parentPort?.postMessage({ ok: false, reason: String(error) } satisfies LoaderReply),
  )
})

async function load({ descriptor, bytes: size }: LoaderRequest): Promise<LoaderReply> {
  const read = (into: Uint8Array, at: number, count: number, position: number) =>
    readSync(descriptor, into, at, count, position)
  const head = await readHead(read, size)
  return { ok: true, image: await loadVerified(decodeImage(head, size), descriptor) }
}
