// The last step to an image: compiles its modules. Owns nothing else; the bytes come from a file (src/image/open.ts), or directly from the
// recorder (in the builder's check).
import { dataModuleBytes } from './data-module.js'
import { type DecodedImage, type ImageContents, ImageFormatError } from './format.js'
import type { FileSource, Image } from './image.js'
import { pageXorModuleBytes } from './page-xor-module.js'
import { stackProbeBytes } from './stack-probe.js'

/**
 * Compiles on other threads. Rejects if a module is not valid.
 *
 * @param source - where slots read files; if undefined, from a module that is made of the contents
 */
export async function loadImage(id: string, contents: ImageContents, source?: FileSource): Promise<Image> {
  const { moduleBytes, trampolineBytes, dataBytes, fileBytes, ...rest } = contents
  const [module, trampolineModule, dataModule, stackProbeModule, pageXorModule, fileSource] =
    await Promise.all([
      WebAssembly.compile(moduleBytes),
      WebAssembly.compile(trampolineBytes),
      WebAssembly.compile(dataBytes),
      WebAssembly.compile(stackProbeBytes()),
      WebAssembly.compile(pageXorModuleBytes()),
      source ?? inModule(fileBytes),
    ])
  const codeBytes = moduleBytes.length
  return {
    ...rest,
    ...{ id, codeBytes, module, trampolineModule, dataModule, stackProbeModule, pageXorModule, fileSource },
  }
}

async function inModule(fileBytes: Uint8Array | null): Promise<FileSource> {
  if (fileBytes === null) throw new ImageFormatError('the contents of the image’s files were not read')
  return { kind: 'module', module: await WebAssembly.compile(dataModuleBytes([fileBytes])) }
}

/**
 * The image of a file, if the file is not damaged. Hashes and compiles at the same time.
 *
 * @param descriptor - of the file, if only its head was read
 * @throws ImageFormatError
 */
export async function loadVerified(decoded: DecodedImage, descriptor?: number): Promise<Image> {
  const { id, contents, filesAt, verify } = decoded
  const loading = loadImage(
    id,
    contents,
    descriptor === undefined ? undefined : { kind: 'file', descriptor, offset: filesAt },
  )
  // The code of a damaged file often does not compile. The error to report is then the damage.
  loading.catch(() => {})
  await verify()
  try {
    return await loading
  } catch (cause) {
    throw new ImageFormatError(`the file is not a valid image: ${String(cause)}`, { cause })
  }
}
