// Entry of the builder's thread: makes one image and ends. Owns the message it sends; the only thread of brumate in which
// Pyodide's JavaScript runs.
import { parentPort, workerData } from 'node:worker_threads'
import { encodeImage, type ImageContents } from '../src/shared/image/format.js'
import { type RecordOptions, recordImage } from './builder/record.js'
import { verifyImage } from './builder/verify.js'

/** What the builder's thread is started with. */
export type BuilderData = RecordOptions

/** The only message it sends: the bytes of an image file, or why there is none. */
export type BuilderReply =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly reason: string }

try {
  const contents: ImageContents = await recordImage(workerData as BuilderData)
  await verifyImage(contents)
  const bytes = await encodeImage(contents)
  parentPort?.postMessage({ ok: true, bytes } satisfies BuilderReply, [bytes.buffer])
} catch (error) {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  parentPort?.postMessage({ ok: false, reason } satisfies BuilderReply)
}
