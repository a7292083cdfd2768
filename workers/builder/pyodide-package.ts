// Reads the files of the pyodide package. realm.ts runs them.
import { readFile } from 'node:fs/promises'
import type { PyodidePaths } from '../../src/shared/messages/builder.js'

export interface PyodidePackage {
  readonly version: string
  /** Emscripten's and Pyodide's JavaScript: one ES module. */
  readonly script: string
  readonly wasm: Uint8Array
  readonly standardLibrary: Uint8Array
}

export async function readPyodidePackage(paths: PyodidePaths): Promise<PyodidePackage> {
  const [json, script, wasm, standardLibrary] = await Promise.all([
    readFile(paths.manifest, 'utf8'),
    readFile(paths.script, 'utf8'),
    readFile(paths.wasm),
    readFile(paths.standardLibrary),
  ])
  const { version } = JSON.parse(json) as { version: string }
  return { version, script, wasm, standardLibrary }
}
