// The files that the package reads or runs in addition to its code. Owns their paths. Each is a literal `new URL(…, import.meta.url)`,
// which bundlers and file tracing can follow. The paths are valid in the modules and in the bundle: both are two folders below dist/.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InstallationError } from '../shared/errors.js'
import { requireFrom } from './require.js'

/** A wrapper, because file tracing does not look into the arguments of `fileURLToPath`. */
const pathOf = (url: URL): string => fileURLToPath(url)

const FILES = {
  /** Entry of a slot's worker, and the module that Piscina loads in it. */
  thread: () => pathOf(new URL('../../workers/thread.bundle.cjs', import.meta.url)),
  slot: () => pathOf(new URL('../../workers/slot.bundle.cjs', import.meta.url)),
  /** Entries of the other threads. */
  storage: () => pathOf(new URL('../../workers/storage.bundle.cjs', import.meta.url)),
  imageLoader: () => pathOf(new URL('../../workers/image-loader.bundle.cjs', import.meta.url)),
  builder: () => pathOf(new URL('../../workers/builder.bundle.cjs', import.meta.url)),
  /** Files that the builder puts into the image. */
  kernel: () => pathOf(new URL('../../workers/kernel.json', import.meta.url)),
  timeZones: () => pathOf(new URL('../../workers/tzdata.zip', import.meta.url)),
  standardLibrary: () => pathOf(new URL('../../workers/stdlib.zip', import.meta.url)),
  /** Packages that are loaded when they are first needed. In a checkout, they are in node_modules instead. */
  ajv: () => pathOf(new URL('../../packages/ajv.cjs', import.meta.url)),
  msgpackr: () => pathOf(new URL('../../packages/msgpackr.cjs', import.meta.url)),
  /** Key, version and id of this package's image. */
  imageFacts: () => pathOf(new URL('../../workers/image.json', import.meta.url)),
} satisfies Record<string, () => string>

export type PackageFile = keyof typeof FILES

/**
 * Returns the path of a file of the package.
 *
 * @throws InstallationError if the library was moved without it
 */
export function packageFile(name: PackageFile): string {
  let path: string | undefined
  try {
    path = FILES[name]()
  } catch {
    // In CommonJS, bundlers remove `import.meta.url`, or replace it with a web address.
  }
  if (path !== undefined && existsSync(path)) return path
  throw new InstallationError(
    `brumate was bundled without the files it runs (${path ?? `the file for "${name}"`} is missing). ` +
      "Keep it out of the bundle: in esbuild `external: ['brumate']`, in rolldown and Rollup `external: ['brumate']`, " +
      "in webpack `externals: { brumate: 'module brumate' }`, in Vite `ssr.external: ['brumate']`, " +
      "in Next `serverExternalPackages: ['brumate']`; see docs/deployment.md",
  )
}

/** Returns the exports of a CommonJS file of the package. @throws InstallationError */
export function loadFile(name: 'ajv' | 'msgpackr'): unknown {
  const path = packageFile(name)
  return requireFrom(path)(path)
}
