// Runs the builder in a thread of its own. Owns that thread's life; what it does is workers/builder.ts.
import { Worker } from 'node:worker_threads'
import { ImageError } from '../shared/errors.js'
import type { BuilderData, BuilderReply } from '../shared/messages/builder.js'
import { BUILDER_ENTRY, KERNEL_DIRECTORY, TIME_ZONE_FILE } from './key.js'

/** A build takes 2 to 5 seconds; one that takes this long hangs. */
const DEADLINE_MS = 180_000

/** The bytes of a new image file. */
export async function buildImage(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted()
  const workerData: BuilderData = { kernelDirectory: KERNEL_DIRECTORY, timeZoneFile: TIME_ZONE_FILE }
  const worker = new Worker(BUILDER_ENTRY, { workerData, env: {}, argv: [], execArgv: [] })
  let deadline: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  try {
    const reply = await new Promise<BuilderReply>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', (cause) =>
        reject(new ImageError('the builder of the Python image failed', { cause })),
      )
      worker.once('exit', (code) =>
        reject(new ImageError(`the builder of the Python image ended (exit code ${code})`)),
      )
      deadline = setTimeout(
        () => reject(new ImageError('the builder of the Python image hangs')),
        DEADLINE_MS,
      )
      onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
    if (!reply.ok) throw new ImageError(`the Python image could not be built: ${reply.reason}`)
    return reply.bytes
  } finally {
    clearTimeout(deadline)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}
