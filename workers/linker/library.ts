// A library to be linked. Owns the shapes: what a caller gives, and that with its module read.
import type { SideModule } from './side-module.js'

/** A native library out of a wheel. */
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
