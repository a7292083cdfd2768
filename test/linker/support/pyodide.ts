// Loads the interpreter's module as Pyodide ships it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export function pyodideModule(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm')))
}
