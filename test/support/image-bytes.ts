// An image's bytes for tests that have no image. Owns nothing.
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { ImageBytes } from '../../workers/image-bytes.js'

export function imageBytes(bytes: Uint8Array): ImageBytes {
  return new ImageBytes(new WebAssembly.Module(dataModuleBytes([bytes])))
}
