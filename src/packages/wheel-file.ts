// Reads a wheel on disk: its METADATA, the modules that it installs, its hash. Owns no file; zip.ts reads archives.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { MAX_METADATA_BYTES, type Metadata, MetadataError, parseMetadata } from './metadata.js'
import { ZipError, ZipFile } from './zip.js'

/** @throws MetadataError */
export async function readWheelMetadata(path: string): Promise<Metadata> {
  return withWheel(path, async (zip) => {
    const entries = zip.entries.filter((entry) => /^[^/]+\.dist-info\/METADATA$/.test(entry.path))
    const [entry] = entries
    if (entry === undefined || entries.length > 1)
      throw new MetadataError('the wheel has no METADATA, or more than one')
    return parseMetadata(new TextDecoder().decode(await zip.read(entry, MAX_METADATA_BYTES)))
  })
}

/** One text file of the wheel, of at most 1 MiB; undefined if there is no such file. @throws MetadataError */
export async function readWheelText(path: string, file: string): Promise<string | undefined> {
  return withWheel(path, async (zip) => {
    const entry = zip.entries.find((one) => one.path === file)
    return entry && new TextDecoder().decode(await zip.read(entry, 2 ** 20))
  })
}

const MODULE = /^([A-Za-z_][A-Za-z0-9_]*)(?:\/__init__\.py|\.py|(?:\.[A-Za-z0-9_-]+)*\.so)$/
/** Top-level modules for which nobody installs a package. */
const UNWANTED = /^(?:_|tests?$|docs?$|examples?$|setup$|conftest$)/

/** The top-level modules that the wheel installs for import by users, sorted. @throws MetadataError */
export async function readImportNames(path: string): Promise<string[]> {
  return withWheel(path, async (zip) => {
    const names = new Set<string>()
    for (const entry of zip.entries) {
      const name = MODULE.exec(entry.path)?.[1]
      if (name !== undefined && !UNWANTED.test(name)) names.add(name)
    }
    return [...names].sort()
  })
}

/** sha-256 of a file, in hexadecimal digits, and its length. */
export async function hashFile(
  path: string,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    hash.update(chunk)
    sizeBytes += chunk.length
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}

async function withWheel<T>(path: string, read: (zip: ZipFile) => Promise<T>): Promise<T> {
  try {
    await using zip = await ZipFile.open(path)
    return await read(zip)
  } catch (cause) {
    if (!(cause instanceof ZipError)) throw cause
    throw new MetadataError(`the wheel ${path} cannot be read: ${cause.message}`, { cause })
  }
}
