// Makes an image with packages from one without: unpacks the wheels, links their libraries, imports the modules to preload, and records
// memory. Owns the order of those steps. The packages' code runs inside the sandbox here, as it does in a session.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ImageContents } from '../../../src/shared/image/format.js'
import type { BuildStep, PackageBuilderData, WheelFile } from '../../../src/shared/messages/builder.js'
import { Host } from '../../host/host.js'
import { InterruptCell } from '../../host/interrupt.js'
import { type ReadableImage, readable } from '../../image-bytes.js'
import { findLandmarks, wipeDeadMemory } from '../../interpreter/dead-memory.js'
import { KernelLink } from '../../interpreter/link.js'
import { imageData, type SourceFile } from '../files.js'
import { recordRuns, wipeFreeMemory } from '../memory.js'
import { readPyodidePackage } from '../pyodide-package.js'
import { Python } from '../python.js'
import { FREEZE, warm } from '../record.js'
import { withCountedRecursion } from '../recursion.js'
import { createdFiles } from './created-files.js'
import { PackageFailure } from './failure.js'
import { hostFiles, sourcesOf } from './file-bytes.js'
import { makeLayer } from './layer.js'
import { LayerStore } from './layer-store.js'
import { type Library, LinkedInterpreter } from './linked.js'
import { type NamedLayer, Preloading } from './preloading.js'
import { stillRandom, stopClocks } from './still-world.js'
import { SITE_PACKAGES } from './unpack-code.js'

/** Spare memory in an image. If a session does not need more, its interpreter can be reverted to the image instead of replaced. */
const SPARE_BYTES = 24 * 1024 * 1024
const WASM_PAGE_BYTES = 65_536
/** Memory limit while packages are imported. */
const MEMORY_BYTES = 2 * 1024 * 1024 * 1024
/** How many of the last lines that packages print during import are kept: an error is at the end. */
const MAX_LOG_LINES = 200
const MAX_LOGGED_BYTES = 4096
/** Most files of all packages together. They count against `MAX_NODES`, of which a session needs some for its own files. */
const MAX_FILES = 40_000

/** Environment variables that packages read when they are imported. Sessions have them, too. */
const ENVIRONMENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // By default, matplotlib looks for a browser's canvas.
  matplotlib: { MPLBACKEND: 'agg' },
}

export async function recordPackages(
  data: PackageBuilderData,
  onProgress: (step: BuildStep) => void,
): Promise<ImageContents> {
  stopClocks()
  const base = readable(data.base)
  const wheels = data.wheels.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const layers = await openLayers(base, wheels, data.layerDirectory, onProgress)
  const sources = [...sourcesOf(base), ...filesOf(layers)]

  onProgress({ step: 'linking' })
  const pyodide = await readPyodidePackage(data.pyodide)
  if (pyodide.version !== base.pyodideVersion)
    throw new Error(`the image is of Pyodide ${base.pyodideVersion}, and ${pyodide.version} is installed`)
  const linked = new LinkedInterpreter(base, withCountedRecursion(pyodide.wasm), librariesOf(layers))

  const files = hostFiles(sources, base.cwd)
  const log: string[] = []
  /** Contents of the file that is being read; undefined if none is. */
  let contents: Uint8Array[] | undefined
  const host = new Host({
    ...files,
    native: linked.native,
    cwd: base.cwd,
    interrupt: new InterruptCell(),
    random: stillRandom(),
    onOutput: (_, from, start, end) => {
      const bytes = Uint8Array.prototype.slice.call(from, start, end)
      if (contents !== undefined) contents.push(bytes)
      else {
        log.push(Buffer.from(bytes.subarray(-MAX_LOGGED_BYTES)).toString('utf8'))
        if (log.length > MAX_LOG_LINES) log.shift()
      }
    },
  })
  const limit = (memoryBytes: number) =>
    host.configure({ memoryBytes, outputBytes: null, fileBytes: null }, 'UTC')
  limit(MEMORY_BYTES)
  const exports = await linked.boot(host)
  const environment = Object.assign({}, ...wheels.map(({ name }) => ENVIRONMENT[name]))
  const python = new Python({ exports, log })
  python.run(prepare(environment))
  const preloading = new Preloading({ python, host, files: files.files, layers })
  for (const [done, module] of data.preload.entries()) {
    onProgress({ step: 'importing', done, total: data.preload.length })
    preloading.import(module)
  }
  // Do what preloaded libraries do on first use, such as loading fonts and formats.
  python.run('from _brumate import hooks\nhooks.warm_up()')
  onProgress({ step: 'recording' })
  const created = createdFiles(host.capture().state.nodes, files.files, (path) => {
    contents = []
    python.run(copyToOutput(path))
    const bytes = Buffer.concat(contents)
    contents = undefined
    return bytes
  })
  warm(new KernelLink(exports, base.dispatch))
  python.run(DROP_CACHES)
  python.run(FREEZE)
  preloading.requireNoOpenFiles()

  const usedBytes = exports.memory.buffer.byteLength
  wipeFreeMemory(
    {
      exports,
      set growthAllowed(isAllowed: boolean) {
        limit(isAllowed ? MEMORY_BYTES : 0)
      },
    },
    Math.ceil((usedBytes + SPARE_BYTES) / WASM_PAGE_BYTES) * WASM_PAGE_BYTES,
  )
  const memory = new Uint8Array(exports.memory.buffer).slice()
  const landmarks = findLandmarks(memory, exports.__stack_low.value >>> 0)
  const stackPointer = exports.__stack_pointer.value >>> 0
  if (stackPointer !== base.stackPointer) throw new Error('something was running when the image was recorded')
  wipeDeadMemory(memory, landmarks, stackPointer)
  const { runs, runBytes } = recordRuns(memory)
  return {
    ...linked.parts,
    pyodideVersion: base.pyodideVersion,
    pythonVersion: base.pythonVersion,
    memoryBytes: memory.length,
    runs,
    ...imageData(runBytes, [...sources, ...created.files], base.cwd, created.directories),
    stackPointer,
    dispatch: base.dispatch,
    landmarks,
    packages: wheels.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    env: { ...base.env, ...environment },
    cwd: base.cwd,
  }
}

/** Drops caches of paths, which keep the archive of the standard library open, and of source lines. */
const DROP_CACHES = `
import importlib.metadata, linecache
importlib.metadata.MetadataPathFinder.invalidate_caches()
linecache.clearcache()
`

async function openLayers(
  base: ReadableImage,
  wheels: readonly WheelFile[],
  directory: string,
  onProgress: (step: BuildStep) => void,
): Promise<NamedLayer[]> {
  const store = new LayerStore(directory, base.id)
  const layers: NamedLayer[] = []
  for (const [done, wheel] of wheels.entries()) {
    onProgress({ step: 'unpacking', done, total: wheels.length })
    let layer = await store.read(wheel.sha256)
    if (layer === undefined) {
      const bytes = await readFile(wheel.path)
      const actual = createHash('sha256').update(bytes).digest('hex')
      if (actual !== wheel.sha256)
        throw new PackageFailure(
          wheel.name,
          `${wheel.path} has the sha-256 ${actual}, expected ${wheel.sha256}`,
        )
      layer = makeLayer(base, wheel, bytes)
      await store.write(wheel.sha256, layer)
    }
    layers.push({ ...layer, packageName: wheel.name })
  }
  return layers
}

/** The files of all layers, sorted by path. @throws PackageFailure if two packages have different files at one path */
function filesOf(layers: readonly NamedLayer[]): SourceFile[] {
  const owners = new Map<string, { readonly packageName: string; readonly bytes: Uint8Array }>()
  /** Paths of native libraries. Their files are empty, so equal bytes do not mean equal libraries. */
  const libraries = new Set(layers.flatMap((layer) => layer.libraries.map(({ path }) => path)))
  const files: SourceFile[] = []
  for (const { packageName, files: own } of layers) {
    for (const { path, bytes } of own) {
      const owner = owners.get(path)
      // Packages that share a namespace often have the same `__init__.py`.
      if (owner !== undefined && !libraries.has(path) && Buffer.compare(owner.bytes, bytes) === 0) continue
      if (owner !== undefined)
        throw new PackageFailure(
          packageName,
          `${owner.packageName} has a file ${path} as well, with other contents: an image can have only one of the two packages`,
        )
      owners.set(path, { packageName, bytes })
      files.push({ path: `${SITE_PACKAGES}/${path}`, bytes })
    }
    if (files.length > MAX_FILES)
      throw new PackageFailure(packageName, `with it, the image has more than ${MAX_FILES} files`)
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function librariesOf(layers: readonly NamedLayer[]): Library[] {
  return layers.flatMap(({ packageName, libraries }) =>
    libraries.map(({ path, bytes }) => ({ packageName, file: { path: `${SITE_PACKAGES}/${path}`, bytes } })),
  )
}

function prepare(environment: Readonly<Record<string, string>>): string {
  return `
# Of the standard library, for programs that ask which packages there are.
import importlib.metadata
import os, sys
if ${JSON.stringify(SITE_PACKAGES)} not in sys.path:
    sys.path.append(${JSON.stringify(SITE_PACKAGES)})
sys.path_importer_cache.clear()
importlib.invalidate_caches()
os.environ.update(${JSON.stringify(environment)})
from _brumate import patches
patches.allow_ctypes()
`
}

function copyToOutput(path: string): string {
  return `
import os
with open(${JSON.stringify(path)}, 'rb') as file:
    data = file.read()
while data:
    data = data[os.write(1, data):]
`
}
