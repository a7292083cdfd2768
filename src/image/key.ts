// The key of an image: what it is made from. Owns which inputs those are; two processes with the same key may share a
// file, anything else makes a new one.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IMAGE_FORMAT_VERSION } from '../shared/image/format.js'

/** Folder of the compiled workers/. */
const WORKERS = fileURLToPath(new URL('../../workers/', import.meta.url))
export const BUILDER_ENTRY = join(WORKERS, 'builder.js')
export const KERNEL_DIRECTORY = join(WORKERS, 'kernel')
export const TIME_ZONE_FILE = join(WORKERS, 'tzdata.zip')
export const STANDARD_LIBRARY_FILE = join(WORKERS, 'stdlib.zip')

/** The parts of brumate that decide what an image's bytes are. */
const CODE = [
  'builder.js',
  'builder',
  'interpreter/clear.js',
  'interpreter/dead-memory.js',
  'host/abi.js',
  'interpreter/exports.js',
  'interpreter/interned-strings.js',
  'interpreter/link.js',
  'interpreter/malloc.js',
  'interpreter/stack-frames.js',
  'interpreter/trampoline.js',
  'interpreter/wasm-binary.js',
  'linker',
  'wasm',
]
/**
 * Pyodide's files count by version and size, not by content: hashing 13 MB would cost every start of a process more than
 * reading the image does, and a published version never changes.
 */
const PYODIDE_FILES = ['package.json', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'python_stdlib.zip']

/** The key of an image with packages: the order of the wheels makes no difference, that of `preload` does. */
export function packageImageKey(
  wheels: readonly { readonly name: string; readonly sha256: string }[],
  preload: readonly string[],
): string {
  const packages = wheels
    .map(({ name, sha256 }) => [name, sha256])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([imageKey(), packages, preload]))
    .digest('hex')
}

/** Reads at once: sixty small files take a millisecond or two, and through the thread pool ten times that. */
export function imageKey(): string {
  const manifest = createRequire(import.meta.url).resolve('pyodide/package.json')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const sizes = PYODIDE_FILES.map((name) => `${name} ${statSync(join(dirname(manifest), name)).size}`)
  const hash = createHash('sha256')
  hash.update([`format ${IMAGE_FORMAT_VERSION}`, `pyodide ${version}`, ...sizes].join('\n'))
  const paths = [
    ...CODE.map((name) => join(WORKERS, name)),
    KERNEL_DIRECTORY,
    TIME_ZONE_FILE,
    `${STANDARD_LIBRARY_FILE}.sha256`,
  ]
  for (const path of paths.flatMap(filesBelow)) {
    const bytes = readFileSync(path)
    hash.update(`\n${path.slice(WORKERS.length).replaceAll('\\', '/')} ${bytes.length}\n`)
    hash.update(bytes)
  }
  return hash.digest('hex')
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name !== '__pycache__' && !/\.(map|d\.ts)$/.test(name))
  return names.sort().flatMap((name) => filesBelow(join(path, name)))
}
