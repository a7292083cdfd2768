// Where the pyodide package is installed. Owns finding it; what its files mean is for those who read them.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImageError, InstallationError } from '../shared/errors.js'
import { imageFacts } from './image-facts.js'

/**
 * Directory of the installed pyodide package.
 *
 * @throws InstallationError if it is not installed
 * @throws ImageError if it is another version than brumate is made for
 */
export async function pyodideDirectory(): Promise<string> {
  const directory = findPyodide()
  const { pyodideVersion } = imageFacts()
  const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
    version: string
  }
  if (version !== pyodideVersion)
    throw new ImageError(
      `pyodide ${version} is installed in ${directory}, and this version of brumate needs ${pyodideVersion}: ` +
        'remove what overrides it (`overrides` or `resolutions` in package.json), and install again',
    )
  return directory
}

function findPyodide(): string {
  // A bundler may have moved this module, so the program's own directory counts as well.
  for (const from of [() => import.meta.url, () => join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(from()).resolve('pyodide/package.json'))
    } catch {
      // It is not there, or `import.meta.url` is not a file's.
    }
  }
  try {
    return tracedDirectory()
  } catch (cause) {
    throw new InstallationError(
      'the pyodide package is not installed where brumate runs, and there is no image in the cache. Install it, ' +
        'or make an image with `brumate image build --standard -o FILE`, ship it, and pass its path as `image`; see docs/deployment.md',
      { cause },
    )
  }
}

/** One call for each file that is read at run time: file tracing (Next, Lambda) finds the files by these. */
function tracedDirectory(): string {
  import.meta.resolve('pyodide/pyodide.asm.wasm')
  import.meta.resolve('pyodide/python_stdlib.zip')
  import.meta.resolve('pyodide/pyodide-lock.json')
  import.meta.resolve('pyodide/pyodide.mjs')
  import.meta.resolve('pyodide/pyodide.asm.mjs')
  return dirname(fileURLToPath(import.meta.resolve('pyodide/package.json')))
}
