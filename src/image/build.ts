// Builds the image without packages. Owns what the builder is told; its thread's life is builder-thread.ts's, what it does is
// workers/builder.ts.
import { packageFile } from '../install/files.js'
import { requirePyodide } from '../install/pyodide.js'
import { ImageError } from '../shared/errors.js'
import { runBuilder } from './builder-thread.js'
import { imageKey } from './key.js'

/** A build takes 2 to 5 seconds. */
const DEADLINE_MS = 180_000

/** The bytes of a new image file. */
export async function buildImage(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const reply = await runBuilder(
    {
      kind: 'standard',
      codeKey: imageKey(),
      pyodide: await requirePyodide(),
      kernelFile: packageFile('kernel'),
      timeZoneFile: packageFile('timeZones'),
      standardLibraryFile: packageFile('standardLibrary'),
    },
    { deadlineMs: DEADLINE_MS, signal },
  )
  if (!reply.ok) throw new ImageError(`the Python image could not be built: ${reply.reason}`)
  return reply.bytes
}
