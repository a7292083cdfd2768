// Finds the files of the pyodide package. Does not interpret them.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImageError, InstallationError } from '../shared/errors.js'
import type { PyodidePaths } from '../shared/messages/builder.js'
import { imageFacts } from './image-facts.js'
import { requireFrom } from './require.js'

export interface PyodideFiles extends PyodidePaths {
  /** Path of the lock file, which lists the packages of the Pyodide release. */
  readonly lock: string
  /** Path of the JavaScript API, which names the folder of the release. */
  readonly api: string
}

/**
 * Like `findPyodide`, for code that runs Pyodide: also checks the version.
 *
 * @throws InstallationError if pyodide is not installed
 * @throws ImageError if its version is not the one that brumate needs
 */
export async function requirePyodide(): Promise<PyodideFiles> {
  const files = findPyodide()
  const { pyodideVersion } = imageFacts()
  const { version } = JSON.parse(await readFile(files.manifest, 'utf8')) as { version: string }
  if (version !== pyodideVersion)
    throw new ImageError(
      `pyodide ${version} is installed (${files.manifest}), and this version of brumate needs ${pyodideVersion}: ` +
        'remove what overrides it (`overrides` or `resolutions` in package.json), and install again',
    )
  return files
}

/** Returns the paths of the installed pyodide package's files. @throws InstallationError if it is not installed */
export function findPyodide(): PyodideFiles {
  const ways = [
    literally,
    () => requiredFrom(import.meta.url),
    () => requiredFrom(join(process.cwd(), 'package.json')),
  ]
  for (const way of ways) {
    try {
      const files = way()
      if (Object.values(files).every((path) => existsSync(path))) return files
    } catch {
      // Try the next way: test runners lack `import.meta.resolve`, and bundlers move this module.
    }
  }
  throw new InstallationError(
    'the pyodide package is not installed where brumate runs, and there is no image in the cache. Install it, ' +
      'or make an image with `brumate image build --standard -o FILE`, ship it, and pass its path as `image`; see docs/deployment.md',
  )
}

/** Resolves each file by a literal name, which bundlers and file tracing can follow. */
function literally(): PyodideFiles {
  return {
    manifest: fileURLToPath(import.meta.resolve('pyodide/package.json')),
    script: fileURLToPath(import.meta.resolve('pyodide/pyodide.asm.mjs')),
    wasm: fileURLToPath(import.meta.resolve('pyodide/pyodide.asm.wasm')),
    standardLibrary: fileURLToPath(import.meta.resolve('pyodide/python_stdlib.zip')),
    lock: fileURLToPath(import.meta.resolve('pyodide/pyodide-lock.json')),
    api: fileURLToPath(import.meta.resolve('pyodide/pyodide.mjs')),
  }
}

function requiredFrom(from: string): PyodideFiles {
  const { resolve } = requireFrom(from)
  return {
    manifest: resolve('pyodide/package.json'),
    script: resolve('pyodide/pyodide.asm.mjs'),
    wasm: resolve('pyodide/pyodide.asm.wasm'),
    standardLibrary: resolve('pyodide/python_stdlib.zip'),
    lock: resolve('pyodide/pyodide-lock.json'),
    api: resolve('pyodide/pyodide.mjs'),
  }
}
