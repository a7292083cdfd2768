// Messages to and from the thread that loads an image. Owns no behaviour.
import type { Image } from '../image/image.js'

export interface LoaderRequest {
  /** File descriptor of the image's file. The main thread keeps it open. */
  readonly descriptor: number
  /** Size of the file. */
  readonly bytes: number
}

export type LoaderReply =
  | { readonly ok: true; readonly image: Image }
  | { readonly ok: false; readonly reason: string }
