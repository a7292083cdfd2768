// Makes a zip archive of stored files with a fixed date. Owns the format. Files are not compressed, because the bytes would then depend on
// Node's version of zlib.
import { crc32 } from 'node:zlib'

/** 1980-01-01, the earliest date that the format supports. */
const DOS_DATE = (1 << 5) | 1

/** @param {readonly (readonly [name: string, bytes: Uint8Array])[]} files */
export function zip(files) {
  const locals = []
  const directory = []
  let offset = 0
  for (const [name, bytes] of files) {
    const nameBytes = Buffer.from(name)
    // The part that the local header and the directory entry share, from "version needed" to "length of extra".
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(DOS_DATE, 8)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    const entryTail = Buffer.alloc(14)
    entryTail.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, entryTail, nameBytes)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, bytes])
    locals.push(local)
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, entries, end])
}
