// The release of the installed pyodide package: its version, its lock file, and the folder on the web with its wheels.
// Owns reading these from the package; this repository contains no address of a folder.
import { readFile } from 'node:fs/promises'
import { findPyodide } from '../install/pyodide.js'
import { PackageError } from '../shared/errors.js'
import { type PyodideLock, parsePyodideLock } from './pyodide-lock.js'

/** Matches the template of the folder's address in Pyodide's JavaScript: `https://…/v${version}/full/`. */
const FOLDER = /`(https:\/\/[^`$\s]+\/v)\$\{[A-Za-z_$][\w$.]*\}(\/[^`$\s]*)`/

export class PyodideRelease {
  readonly version: string
  readonly lock: PyodideLock
  readonly #script: string

  private constructor(version: string, lock: PyodideLock, script: string) {
    this.version = version
    this.lock = lock
    this.#script = script
  }

  static async read(): Promise<PyodideRelease> {
    const files = findPyodide()
    const [json, lock, script] = await Promise.all([
      readFile(files.manifest, 'utf8'),
      readFile(files.lock, 'utf8'),
      readFile(files.api, 'utf8'),
    ])
    const { version } = JSON.parse(json) as { version: string }
    return new PyodideRelease(version, parsePyodideLock(lock, 'the lock file of the pyodide package'), script)
  }

  /**
   * Address of a file of a release.
   *
   * @param version of the release; default: the installed one
   * @throws PackageError if the pyodide package does not name the folder
   */
  urlOf(file: string, version = this.version): string {
    const [, before, after] = FOLDER.exec(this.#script) ?? []
    if (before === undefined || after === undefined)
      throw new PackageError(
        undefined,
        `pyodide ${this.version} does not say where the files of its release are; download them, and give their directory as wheels`,
      )
    return new URL(file, `${before}${version}${after}`).href
  }
}
