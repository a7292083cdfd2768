// Messages to and from the builder's thread. Owns no behaviour.
import type { Image } from '../image/image.js'

/** The `workerData` of the builder's thread. */
export type BuilderData = StandardBuilderData | PackageBuilderData

/** Data for the image without packages. */
export interface StandardBuilderData {
  readonly kind: 'standard'
  /** Becomes `Image.codeKey`. */
  readonly codeKey: string
  readonly pyodide: PyodidePaths
  /** Local path of the kernel's packages: a JSON object of paths and texts, made by scripts/build.mjs. */
  readonly kernelFile: string
  /** Local path of a zip archive with the `tzdata` package, made by scripts/zoneinfo.mjs. */
  readonly timeZoneFile: string
  /** Local path of a zip archive with the standard library and its compiled modules, made by scripts/stdlib.mjs. */
  readonly standardLibraryFile: string
}

/** Data for an image with packages, which is made from one without. */
export interface PackageBuilderData {
  readonly kind: 'packages'
  /** Becomes `Image.codeKey`. */
  readonly codeKey: string
  readonly pyodide: PyodidePaths
  readonly base: Image
  readonly wheels: readonly WheelFile[]
  /** Modules to import before memory is recorded, in this order. */
  readonly preload: readonly string[]
  /** Local directory where unpacked wheels are kept. */
  readonly layerDirectory: string
}

/** Files of the installed pyodide package. */
export interface PyodidePaths {
  /** Its package.json. */
  readonly manifest: string
  /** Emscripten's and Pyodide's JavaScript, as one ES module. */
  readonly script: string
  readonly wasm: string
  readonly standardLibrary: string
}

/** A downloaded wheel. */
export interface WheelFile {
  readonly name: string
  readonly version: string
  /** SHA-256 of the wheel, in hex. The builder checks it. */
  readonly sha256: string
  /** Local path of the wheel. */
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
  /** The last message: the bytes of an image file, or the reason why there is none. */
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `package` is the package that caused the failure; `module` is its module that could not be preloaded, if that is the failure. */
  | { readonly ok: false; readonly reason: string; readonly package?: string; readonly module?: string }
  | { readonly progress: BuildStep }
