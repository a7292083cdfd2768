// The WebAssembly module that compares pages and XORs them: a capture's innermost loop. In JavaScript that loop costs each new thread
// 20 ms of CPU until V8 has optimized it there; a compiled module is shared by all threads. Owns its bytes (workers/page-xor.ts
// uses it). It depends on nothing in an image, so image files do not hold it.

const OP = {
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  brIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  const: 0x41,
  ne: 0x47,
  add: 0x6a,
  sub: 0x6b,
  or: 0x72,
  shl: 0x74,
  simd: 0xfd,
} as const
const SIMD = { load: 0x00, store: 0x0b, const: 0x0c, or: 0x50, xor: 0x51, anyTrue: 0x53 } as const
const I32 = 0x7f
const V128 = 0x7b
const NO_RESULT = 0x40
/** 4096 as a signed LEB128. */
const PAGE = [0x80, 0x20] as const
/** 16-byte alignment, no offset. */
const ALIGNED = [4, 0] as const

/** Parameters and locals of the function. */
const [A, B, COUNT, OUT, MASK, BIT, PAGE_END, ANY, WORDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const

export type XorPages = (a: number, b: number, count: number, out: number) => number

/**
 * A module that imports `env.memory` and exports `xor(a, b, count, out)`: compares `count` pages (1 to 16) at `a` with those at `b`,
 * writes the XOR of those that differ to `out`, one after the other, and returns which they are, a bit for each page.
 */
export function pageXorModuleBytes(): Uint8Array<ArrayBuffer> {
  const step = (local: number, by: readonly number[], op: number = OP.add) => [
    ...[OP.get, local, OP.const, ...by, op, OP.set, local],
  ]
  const eachVector = [
    ...[OP.loop, NO_RESULT, OP.get, OUT],
    ...[OP.get, A, OP.simd, SIMD.load, ...ALIGNED, OP.get, B, OP.simd, SIMD.load, ...ALIGNED],
    ...[OP.simd, SIMD.xor, OP.tee, WORDS, OP.simd, SIMD.store, ...ALIGNED],
    ...[OP.get, ANY, OP.get, WORDS, OP.simd, SIMD.or, OP.set, ANY],
    ...[...step(A, [16]), ...step(B, [16]), ...step(OUT, [16])],
    ...[OP.get, A, OP.get, PAGE_END, OP.ne, OP.brIf, 0, OP.end],
  ]
  const eachPage = [
    ...[OP.loop, NO_RESULT, OP.simd, SIMD.const, ...new Array<number>(16).fill(0), OP.set, ANY],
    ...[OP.get, A, OP.const, ...PAGE, OP.add, OP.set, PAGE_END, ...eachVector],
    ...[OP.get, ANY, OP.simd, SIMD.anyTrue, OP.if, NO_RESULT],
    ...[OP.get, MASK, OP.get, BIT, OP.or, OP.set, MASK, OP.else, ...step(OUT, PAGE, OP.sub), OP.end],
    ...step(BIT, [1], OP.shl),
    ...[OP.get, COUNT, OP.const, 1, OP.sub, OP.tee, COUNT, OP.brIf, 0, OP.end],
  ]
  const locals = [2, 3, I32, 2, V128]
  const body = [...locals, OP.const, 1, OP.set, BIT, ...eachPage, OP.get, MASK, OP.end]
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 4, I32, I32, I32, I32, 1, I32]),
    ...section(2, [1, ...text('env'), ...text('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('xor'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  )
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

/** LEB128 of a u32. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** An ASCII name of fewer than 128 characters. */
function text(value: string): number[] {
  return [value.length, ...Array.from(value, (letter) => letter.charCodeAt(0))]
}
