// Writes dist/workers/image.json: the key of the image that this build creates, and the version of Pyodide that creates it. The key
// covers every byte that the builder runs or puts into the image.
import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { IMAGE_FORMAT_VERSION } from '../dist/src/shared/image/format.js'

const workers = new URL('../dist/workers/', import.meta.url)
/** The standard library counts by its hash, which scripts/stdlib.mjs stores beside it. */
const INPUTS = ['builder.bundle.cjs', 'kernel.json', 'tzdata.zip', 'stdlib.zip.sha256']
/** Published versions of Pyodide never change, so sizes are enough. */
const PYODIDE_FILES = ['package.json', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'python_stdlib.zip']

const manifest = createRequire(import.meta.url).resolve('pyodide/package.json')
const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
const sizes = PYODIDE_FILES.map((name) => `${name} ${statSync(join(dirname(manifest), name)).size}`)
const hash = createHash('sha256')
hash.update([`format ${IMAGE_FORMAT_VERSION}`, `pyodide ${version}`, ...sizes].join('\n'))
for (const name of INPUTS) {
  const bytes = readFileSync(new URL(name, workers))
  hash.update(`\n${name} ${bytes.length}\n`).update(bytes)
}
const facts = { key: hash.digest('hex'), pyodideVersion: version }
writeFileSync(new URL('image.json', workers), `${JSON.stringify(facts)}\n`)
