// The last step to an image: compiles its modules and puts its bytes into shared memory. Owns nothing else; the bytes
// come from a file (open.ts) or straight from the recorder (the builder's check).
import type { ImageContents } from './format.js'
import type { Image } from './image.js'

/** Compiles outside the calling thread. Rejects if a module is not valid. */
export async function loadImage(id: string, contents: ImageContents): Promise<Image> {
  const { moduleBytes, trampolineBytes, runBytes, fileBytes, ...rest } = contents
  const compiled = Promise.all([WebAssembly.compile(moduleBytes), WebAssembly.compile(trampolineBytes)])
  const bytes = { runBytes: shared(runBytes), fileBytes: shared(fileBytes) }
  const [module, trampolineModule] = await compiled
  return { ...rest, id, module, trampolineModule, ...bytes }
}

function shared(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
