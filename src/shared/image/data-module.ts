// The WebAssembly module that holds an image's bytes. Owns its encoding. All threads share the one copy that V8 keeps of a
// module's data segment, and no JavaScript can write to it, so code in one slot cannot change what another slot runs.

/**
 * Everything before the bytes. Its length is fixed, because the numbers that depend on how many bytes follow are padded. So
 * `dataModuleBytes` wrote a module if and only if the module begins with this head.
 */
function head(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
    ...[0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00], // type 0: (i32, i32, i32) -> ()
    ...[0x02, 0x0f, 0x01, ...name('env'), ...name('memory'), 0x02, 0x00, 0x00], // import memory
    ...[0x03, 0x02, 0x01, 0x00], // function 0 has type 0
    ...[0x07, 0x08, 0x01, ...name('copy'), 0x00, 0x00], // export it
    ...[0x0c, 0x01, 0x01], // one data segment
    // copy(from, target, count): memory.init of segment 0
    ...[0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x01, 0x20, 0x00, 0x20, 0x02, 0xfc, 0x08, 0x00, 0x00, 0x0b],
    ...[0x0b, ...padded(length + SEGMENT_HEAD_BYTES), 0x01, 0x01, ...padded(length)], // passive segment
  )
}

/** Length of the data section before the bytes: number of segments, kind of the first, its length. */
const SEGMENT_HEAD_BYTES = 7
const HEAD_BYTES = head(0).length

/** A module that holds all parts, one after another. */
export function dataModuleBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const module = new Uint8Array(HEAD_BYTES + length)
  module.set(head(length))
  let at = HEAD_BYTES
  for (const part of parts) {
    module.set(part, at)
    at += part.length
  }
  return module
}

/** Number of bytes that the module holds; undefined if `dataModuleBytes` did not write it. */
export function dataModuleLength(module: Uint8Array): number | undefined {
  const length = module.length - HEAD_BYTES
  if (length < 0) return undefined
  return head(length).every((byte, i) => byte === module[i]) ? length : undefined
}

/** LEB128 of a u32, padded to five bytes. */
function padded(value: number): number[] {
  return [0, 7, 14, 21].map((shift) => ((value >>> shift) & 0x7f) | 0x80).concat(value >>> 28)
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)]
}
