// The files that the package reads or runs beside its code. Owns where they are. Each is named by a literal `new URL(…, import.meta.url)`,
// which bundlers and file tracing can follow. Paths hold in the modules and in the bundle: both lie two folders below dist/.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InstallationError } from '../shared/errors.js'
import { requireFrom } from './require.js'

/** A function of ours, because file tracing does not look into arguments of `fileURLToPath`. */
const pathOf = (url: URL): string => fileURLToPath(url)

const FILES = {
  /** Entry of a slot's worker, and what Piscina loads in it. */
  thread: () => pathOf(new URL('../../workers/thread.bundle.cjs', import.meta.url)),
  slot: () => pathOf(new URL('../../workers/slot.bundle.cjs', import.meta.url)),
  /** Entries of the other threads. */
  storage: () => pathOf(new URL('../../workers/storage.bundle.cjs', import.meta.url)),
  imageLoader: () => pathOf(new URL('../../workers/image-loader.bundle.cjs', import.meta.url)),
  builder: () => pathOf(new URL('../../workers/builder.bundle.cjs', import.meta.url)),
  /** What the builder puts into the image. */
  kernel: () => pathOf(new URL('../../workers/kernel.json', import.meta.url)),
  timeZones: () => pathOf(new URL('../../workers/tzdata.zip', import.meta.url)),
  standardLibrary: () => pathOf(new URL('../../workers/stdlib.zip', import.meta.url)),
  /** Packages that are loaded when they are first needed; in a checkout they are in node_modules. */
  ajv: () => pathOf(new URL('../../packages/ajv.cjs', import.meta.url)),
  msgpackr: () => pathOf(new URL('../../packages/msgpackr.cjs', import.meta.url)),
  /** Which image this package has. */
  imageFacts: () => pathOf(new URL('../../workers/image.json', import.meta.url)),
} satisfies Record<string, () => string>

export type PackageFile = keyof typeof FILES

/**
 * Path of a file.
 *
 * @throws InstallationError if the library was moved without it
 */
export function packageFile(name: PackageFile): string {
  let path: string | undefined
  try {
    path = FILES[name]()
  } catch {
    // Bundlers leave out `import.meta.url` in CommonJS, or make it a path of the web.
  }
  if (path !== undefined && existsSync(path)) return path
  throw new InstallationError(
    `brumate was bundled without the files it runs (${path ?? `the file for "${name}"`} is missing). ` +
      "Keep it out of the bundle: in esbuild `external: ['brumate']`, in rolldown and Rollup `external: ['brumate']`, " +
      "in webpack `externals: { brumate: 'module brumate' }`, in Vite `ssr.external: ['brumate']`, " +
      "in Next `serverExternalPackages: ['brumate']`; see docs/deployment.md",
  )
}

/** What a CommonJS file of the package exports. @throws InstallationError */
export function loadFile(name: 'ajv' | 'msgpackr'): unknown {
  const path = packageFile(name)
  return requireFrom(path)(path)
}
