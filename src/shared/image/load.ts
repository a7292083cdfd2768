// The last step to an image: compiles its modules. Owns nothing else; the bytes come from a file (src/image/open.ts) or straight from the
// recorder (the builder's check).
import type { ImageContents } from './format.js'
import type { Image } from './image.js'
import { pageXorModuleBytes } from './page-xor-module.js'
import { stackProbeBytes } from './stack-probe.js'

/** Compiles outside the calling thread. Rejects if a module is not valid. */
export async function loadImage(id: string, contents: ImageContents): Promise<Image> {
  const { moduleBytes, trampolineBytes, dataBytes, ...rest } = contents
  const [module, trampolineModule, dataModule, stackProbeModule, pageXorModule] = await Promise.all([
    WebAssembly.compile(moduleBytes),
    WebAssembly.compile(trampolineBytes),
    WebAssembly.compile(dataBytes),
    WebAssembly.compile(stackProbeBytes()),
    WebAssembly.compile(pageXorModuleBytes()),
  ])
  const codeBytes = moduleBytes.length
  return { ...rest, id, codeBytes, module, trampolineModule, dataModule, stackProbeModule, pageXorModule }
}
