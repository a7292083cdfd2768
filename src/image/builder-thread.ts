// The builder's thread. Owns its lifetime: it ends when it has answered, takes too long, or is cancelled.
import { Worker } from 'node:worker_threads'
import { packageFile } from '../install/files.js'
import { ImageError } from '../shared/errors.js'
import type { BuilderData, BuilderReply, BuildStep } from '../shared/messages/builder.js'

export interface BuilderOptions {
  /** A build that takes this long is considered hung. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((step: BuildStep) => void) | undefined
}

export type BuilderResult = Exclude<BuilderReply, { readonly progress: BuildStep }>

/** Large enough that deep recursion in packages' code reaches CPython's limit before V8's, as in slots. */
const STACK_MB = 64

/** @throws ImageError if the thread fails; the signal's reason if it is aborted */
export async function runBuilder(
  workerData: BuilderData,
  { deadlineMs, signal, onProgress }: BuilderOptions,
): Promise<BuilderResult> {
  signal?.throwIfAborted()
  const worker = new Worker(packageFile('builder'), {
    workerData,
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { stackSizeMb: STACK_MB },
  })
  let deadline: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  try {
    return await new Promise<BuilderResult>((resolve, reject) => {
      worker.on('message', (reply: BuilderReply) => {
        if ('progress' in reply) onProgress?.(reply.progress)
        else resolve(reply)
      })
      worker.once('error', (cause) =>
        reject(new ImageError('the builder of the Python image failed', { cause })),
      )
      worker.once('exit', (code) => {
        // Naming `workerData` here keeps the base image, and so its file open, as long as the thread runs (keep-open.ts).
        const what = workerData.kind === 'packages' ? 'the Python image with packages' : 'the Python image'
        reject(
          new ImageError(
            `the builder of ${what} ended (exit code ${code}); check that the process has enough memory`,
          ),
        )
      })
      deadline = setTimeout(
        () =>
          reject(
            new ImageError(
              `the builder of the Python image did not end within ${deadlineMs} ms; give the process more CPU, or build the image ahead of time (docs/deployment.md)`,
            ),
          ),
        deadlineMs,
      )
      onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  } finally {
    clearTimeout(deadline)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}
