// The native libraries of real wheels. Owns reading a folder of wheels, whatever wheels it contains.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import type { LibraryFile } from '../../../workers/linker/link.js'

/** Folder of wheels for tests; undefined if there is none. */
export const WHEELS: string | undefined = process.env.BRUMATE_WHEELS

const SITE_PACKAGES = '/lib/python3.14/site-packages'
const MAGIC = 0x6d736100

/** Reads the libraries of all wheels in the folder whose names start with one of `packages`, using the last version of each. */
export function librariesOf(folder: string, packages?: readonly string[]): LibraryFile[] {
  const libraries = new Map<string, LibraryFile>()
  for (const wheel of readdirSync(folder).toSorted()) {
    const wanted = packages === undefined || packages.some((name) => wheel.startsWith(`${name}-`))
    if (!wanted || !/_wasm32\.whl$/.test(wheel)) continue
    for (const [name, bytes] of filesOf(readFileSync(join(folder, wheel)))) {
      const path = `${SITE_PACKAGES}/${name.replace(/^[^/]+\.data\/(?:purelib|platlib)\//, '')}`
      if (bytes.length > 8 && Buffer.from(bytes).readUInt32LE() === MAGIC)
        libraries.set(path, { path, bytes, wheel })
    }
  }
  return [...libraries.values()]
}

/** Yields the files of a zip archive, as listed in its directory. */
function* filesOf(zip: Buffer): Iterable<[name: string, bytes: Uint8Array]> {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      zip.readUInt16LE(at + offset),
    )
    const name = zip.toString('utf8', at + 46, at + 46 + (nameLength ?? 0))
    const local = zip.readUInt32LE(at + 42)
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20))
    yield [name, new Uint8Array(zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed))]
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0)
  }
}
