// The image that the steps of this folder measure.
import type { Image } from 'brumate'

export interface PandasImage {
  /** Absolute path of a directory of wheels. */
  readonly wheels: string
  /** Path of the image file. */
  readonly file: string
  readonly image: Image
}
