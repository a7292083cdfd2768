// Facts about the package's image, recorded by the build. Owns reading their file. They are recorded because the key of the image must not
// depend on files that a deployment may leave out.
import { readFileSync } from 'node:fs'
import { InstallationError } from '../shared/errors.js'
import { packageFile } from './files.js'

export interface ImageFacts {
  /** Hash of the builder's code and of everything that it puts into the image, including Pyodide. */
  readonly key: string
  readonly pyodideVersion: string
  /** Id of the image that a published package was tested with. Undefined in a checkout, whose image changes with its source. */
  readonly id?: string
}

/** @throws InstallationError if the package is incomplete or damaged */
export function imageFacts(): ImageFacts {
  const path = packageFile('imageFacts')
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ImageFacts
  } catch (cause) {
    throw new InstallationError(`the package is damaged: ${path} cannot be read; reinstall brumate`, {
      cause,
    })
  }
}
