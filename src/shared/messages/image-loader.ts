// Messages to and from the thread that loads an image. Owns no behaviour.
import type { Image } from '../image/image.js'

export interface LoaderRequest {
  /** A `FileHandle`, which is moved to the thread. */
  readonly file: object
  readonly bytes: number
}

export type LoaderReply =
  | { readonly ok: true; readonly image: Image }
  | { readonly ok: false; readonly reason: string }
