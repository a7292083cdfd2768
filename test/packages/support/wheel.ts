// Wheels for tests: zip archives written byte by byte, so that they can be malformed in any way. Owns their layout.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { WheelFile } from '../../../src/shared/messages/builder.js'

export interface Entry {
  readonly name: string
  readonly bytes: Uint8Array | string
  /** The Unix file mode, in the upper half of the external attributes. */
  readonly mode?: number
  readonly flags?: number
  readonly method?: number
  /** The size stated in the archive's directory. */
  readonly statedBytes?: number
  /** What the directory says of the bytes before compression. Default: that of `bytes`. */
  readonly statedCrc?: number
}

export interface WheelParts {
  readonly name: string
  readonly version?: string
  readonly files: Readonly<Record<string, Uint8Array | string>>
}

/** Makes an archive of exactly these entries, uncompressed. */
export function zip(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, bytes, mode = 0, flags = 0x800, method = 0, statedBytes, statedCrc } of entries) {
    const content = Buffer.from(bytes as string)
    const text = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(statedCrc ?? crc32(content), 10)
    common.writeUInt32LE(content.length, 14)
    common.writeUInt32LE(statedBytes ?? content.length, 18)
    common.writeUInt16LE(text.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, text, content])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((mode << 16) >>> 0, 6)
    tail.writeUInt32LE(at, 10)
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 3]), common, tail, text)
    parts.push(local)
    at += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, central, end])
}

export function metadata({ name, version = '1.0' }: Pick<WheelParts, 'name' | 'version'>): Entry[] {
  const folder = `${name.replaceAll('-', '_')}-${version}.dist-info`
  return [
    { name: `${folder}/METADATA`, bytes: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n` },
    { name: `${folder}/WHEEL`, bytes: 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' },
    { name: `${folder}/RECORD`, bytes: '' },
  ]
}

export function wheelBytes(parts: WheelParts): Buffer {
  const files = Object.entries(parts.files).map(([name, bytes]) => ({ name, bytes }))
  return zip([...files, ...metadata(parts)])
}

/** Writes a wheel into a directory. */
export function wheelFile(directory: string, parts: WheelParts, bytes = wheelBytes(parts)): WheelFile {
  const { name, version = '1.0' } = parts
  const path = join(directory, `${name}-${version}-py3-none-any.whl`)
  writeFileSync(path, bytes)
  return { name, version, path, sha256: createHash('sha256').update(bytes).digest('hex') }
}
