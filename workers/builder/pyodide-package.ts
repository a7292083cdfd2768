// Reads the files of the pyodide package. Owns which files those are; running them is realm.ts.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface PyodidePackage {
  readonly version: string
  /** Emscripten's and Pyodide's JavaScript: one ES module. */
  readonly script: string
  readonly wasm: Uint8Array
  readonly standardLibrary: Uint8Array
}

export async function readPyodidePackage(directory: string): Promise<PyodidePackage> {
  const file = (name: string) => readFile(join(directory, name))
  const [json, script, wasm, standardLibrary] = await Promise.all([
    file('package.json'),
    file('pyodide.asm.mjs'),
    file('pyodide.asm.wasm'),
    file('python_stdlib.zip'),
  ])
  const { version } = JSON.parse(json.toString('utf8')) as { version: string }
  return { version, script: script.toString('utf8'), wasm, standardLibrary }
}
