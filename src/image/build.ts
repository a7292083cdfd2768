// Builds the standard image, which has no packages. Owns the request to the builder; builder-thread.ts runs its thread, and
// workers/builder.ts does the work.
import { packageFile } from '../install/files.js'
import { requirePyodide } from '../install/pyodide.js'
import { ImageError } from '../shared/errors.js'
import { runBuilder } from './builder-thread.js'
import { imageKey } from './key.js'

/** A build takes 2 to 5 seconds. */
const DEADLINE_MS = 180_000

/** Returns the bytes of a new image file. */
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
