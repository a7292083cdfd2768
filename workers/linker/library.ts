// A library to be linked. Owns its types: as the caller passes it, and with its module parsed.
import type { SideModule } from './side-module.js'

/** A native library from a wheel. */
export interface LibraryFile {
  /** Absolute path in the image, by which Python opens it and other libraries find it. */
  readonly path: string
  readonly bytes: Uint8Array
  /** File name of the wheel, for error messages. */
  readonly wheel: string
}

export interface Library {
  readonly path: string
  readonly wheel: string
  readonly module: SideModule
}
