// Messages to and from the builder's thread. Owns no behaviour.
import type { Image } from '../image/image.js'

/** Its `workerData`. */
export type BuilderData = StandardBuilderData | PackageBuilderData

/** The image without packages. */
export interface StandardBuilderData {
  readonly kind: 'standard'
  /** For `Image.codeKey`. */
  readonly codeKey: string
  readonly pyodide: PyodidePaths
  /** File of this machine with the kernel's packages: a JSON object of paths and texts; scripts/build.mjs makes it. */
  readonly kernelFile: string
  /** Zip archive of this machine with the `tzdata` package; scripts/zoneinfo.mjs makes it. */
  readonly timeZoneFile: string
  /** Zip archive of this machine with the standard library and its compiled modules; scripts/stdlib.mjs makes it. */
  readonly standardLibraryFile: string
}

/** An image with packages, made from one without. */
export interface PackageBuilderData {
  readonly kind: 'packages'
  /** For `Image.codeKey`. */
  readonly codeKey: string
  readonly pyodide: PyodidePaths
  readonly base: Image
  readonly wheels: readonly WheelFile[]
  /** Modules to import before memory is recorded, in this order. */
  readonly preload: readonly string[]
  /** Directory of this machine where unpacked wheels are kept. */
  readonly layerDirectory: string
}

/** Files of the installed pyodide package. */
export interface PyodidePaths {
  /** Its package.json. */
  readonly manifest: string
  /** Emscripten's and Pyodide's JavaScript: one ES module. */
  readonly script: string
  readonly wasm: string
  readonly standardLibrary: string
}

/** A wheel that was fetched. */
export interface WheelFile {
  readonly name: string
  readonly version: string
  /** Of its bytes, hex. The builder checks it. */
  readonly sha256: string
  /** Of a file on this machine. */
  readonly path: string
}

export type BuildStep =
  /** `done` of `total` wheels are unpacked and compiled. */
  | { readonly step: 'unpacking'; readonly done: number; readonly total: number }
  | { readonly step: 'linking' }
  /** `done` of `total` modules to preload are imported. */
  | { readonly step: 'importing'; readonly done: number; readonly total: number }
  | { readonly step: 'recording' }

export type BuilderReply =
  /** The last message: the bytes of an image file, or why there is none. */
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `package` has the name of the one that is to blame, `module` that of its module if that is what cannot be preloaded. */
  | { readonly ok: false; readonly reason: string; readonly package?: string; readonly module?: string }
  | { readonly progress: BuildStep }
