// The WebAssembly module that compares pages and XORs them: the innermost loop of a capture. In JavaScript this loop costs each new thread
// 20 ms of CPU time until V8 has optimized it there; a compiled module is shared by all threads. Owns the module's bytes
// (workers/page-xor.ts uses it). The module is the same for every image, so image files do not contain it.
import { section, text, unsigned } from './wasm-encoding.js'

const OP = {
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  brIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  store: 0x36,
  const: 0x41,
  ne: 0x47,
  add: 0x6a,
  sub: 0x6b,
  or: 0x72,
  shl: 0x74,
  simd: 0xfd,
} as const
const SIMD = { load: 0x00, store: 0x0b, xor: 0x51, anyTrue: 0x53 } as const
const I32 = 0x7f
const V128 = 0x7b
const NO_RESULT = 0x40
/** Alignment, as a power of two, and offset. */
const [WORD, VECTOR] = [
  [2, 0],
  [4, 0],
] as const

/** Parameters of the function, and its locals. */
const [A, B, COUNT, OUT, MAPS] = [0, 1, 2, 3, 4]
const [START, MASK, BIT, PAGE_START, MAP_END, K, BITS, SOME, WORDS] = [5, 6, 7, 8, 9, 10, 11, 12, 13]

/** See `pageXorModuleBytes`. */
export type XorPages = (a: number, b: number, count: number, out: number, maps: number) => number

/**
 * A module that imports `env.memory` and exports `xor(a, b, count, out, maps)`, which compares `count` pages (1 to 16) of 4,096 bytes at
 * `a` with those at `b`. For each page that differs, it appends a map of 256 bits to `maps`, with a bit set for each 16 bytes that differ,
 * and the XOR of these bytes to `out`. It returns a bit for each page that differs and, from bit 16 on, the number of 16-byte parts
 * written to `out`. `out` needs room for one more part.
 */
export function pageXorModuleBytes(): Uint8Array<ArrayBuffer> {
  const get = (local: number) => [OP.get, local]
  const set = (local: number) => [OP.set, local]
  /** A number below 64. */
  const number = (value: number) => [OP.const, value]
  const step = (local: number, by: number, op: number = OP.add) => [
    ...[...get(local), ...number(by), op, ...set(local)],
  ]
  const load = (local: number) => [...get(local), OP.simd, SIMD.load, ...VECTOR]
  const eachVector = [
    ...[OP.loop, NO_RESULT, ...get(OUT), ...load(A), ...load(B), OP.simd, SIMD.xor, OP.tee, WORDS],
    ...[OP.simd, SIMD.store, ...VECTOR],
    // A part that is zero is overwritten by the next one.
    ...[
      ...get(OUT),
      ...get(WORDS),
      OP.simd,
      SIMD.anyTrue,
      OP.tee,
      SOME,
      ...number(4),
      OP.shl,
      OP.add,
      ...set(OUT),
    ],
    ...[...get(BITS), ...get(SOME), ...get(K), OP.shl, OP.or, ...set(BITS)],
    ...[...step(A, 16), ...step(B, 16)],
    ...[...get(K), ...number(1), OP.add, OP.tee, K, ...number(32), OP.ne, OP.brIf, 0, OP.end],
  ]
  const eachWord = [
    ...[OP.loop, NO_RESULT, ...number(0), ...set(BITS), ...number(0), ...set(K), ...eachVector],
    ...[...get(MAPS), ...get(BITS), OP.store, ...WORD, ...step(MAPS, 4)],
    ...[...get(MAPS), ...get(MAP_END), OP.ne, OP.brIf, 0, OP.end],
  ]
  const eachPage = [
    ...[OP.loop, NO_RESULT, ...get(OUT), ...set(PAGE_START)],
    ...[...get(MAPS), ...number(32), OP.add, ...set(MAP_END), ...eachWord],
    ...[...get(OUT), ...get(PAGE_START), OP.ne, OP.if, NO_RESULT],
    ...[...get(MASK), ...get(BIT), OP.or, ...set(MASK), OP.else, ...step(MAPS, 32, OP.sub), OP.end],
    ...step(BIT, 1, OP.shl),
    ...[...get(COUNT), ...number(1), OP.sub, OP.tee, COUNT, OP.brIf, 0, OP.end],
  ]
  const body = [
    ...[2, 8, I32, 1, V128, ...get(OUT), ...set(START), ...number(1), ...set(BIT), ...eachPage],
    ...[...get(MASK), ...get(OUT), ...get(START), OP.sub, ...number(12), OP.shl, OP.or, OP.end],
  ]
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 1, I32]),
    ...section(2, [1, ...text('env'), ...text('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('xor'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  )
}
