// Image bytes for tests that have no image. Owns nothing.
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { pageXorModuleBytes } from '../../src/shared/image/page-xor-module.js'
import { ImageBytes } from '../../workers/image-bytes.js'

export function imageBytes(bytes: Uint8Array): ImageBytes {
  const compiled = [dataModuleBytes([bytes]), pageXorModuleBytes()].map(
    (code) => new WebAssembly.Module(code),
  )
  return new ImageBytes(...(compiled as [WebAssembly.Module, WebAssembly.Module]))
}
