// Entry of the builder's thread: makes one image and ends. Owns the message it sends; the only thread of brumate in which
// Pyodide's JavaScript runs.
import { parentPort, workerData } from 'node:worker_threads'
import { encodeImage, type ImageContents } from '../src/shared/image/format.js'
import type { BuilderData, BuilderReply } from '../src/shared/messages/builder.js'
import { recordImage } from './builder/record.js'
import { verifyImage } from './builder/verify.js'

try {
  const contents: ImageContents = await recordImage(workerData as BuilderData)
  await verifyImage(contents)
  const bytes = await encodeImage(contents)
  parentPort?.postMessage({ ok: true, bytes } satisfies BuilderReply, [bytes.buffer])
} catch (error) {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  parentPort?.postMessage({ ok: false, reason } satisfies BuilderReply)
}
