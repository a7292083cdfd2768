// The WebAssembly module that tests whether a thread has stack left (workers/host/stack-reserve.ts uses it). Owns its bytes.
// The module is the same for every image, so image files do not contain it.
import { section, text, unsigned } from './wasm-encoding.js'

/**
 * Stack that `probe` requires, plus a few hundred bytes. Imports need at most a third of it, even if V8 compiles their JavaScript at that
 * moment.
 */
export const PROBE_FRAME_BYTES = 128 * 1024
const V128_BYTES = 16

const OP = {
  if: 0x04,
  end: 0x0b,
  return: 0x0f,
  call: 0x10,
  localGet: 0x20,
  i32Const: 0x41,
  i32Eqz: 0x45,
  simd: 0xfd,
} as const
const SIMD = { load: 0x00, splat: 0x11, xor: 0x51, anyTrue: 0x53 } as const
const I32 = 0x7f
const NO_RESULT = 0x40
/** Index of the imported `next` among the module's functions. */
const NEXT = 0

/**
 * A module that imports `env.memory` (at least `PROBE_FRAME_BYTES`) and `env.next`, an (i32) → i32, and exports two functions of the
 * same type. `last` returns its argument. `probe` calls `next`, which has to return 0, and returns 0.
 *
 * V8 has no API for the depth of the stack, but it does check the stack limit when a function is entered: for a frame of
 * more than 4 KB it compares the limit with the frame's size, in both of its compilers. The frame of `probe` is large
 * because of a block that never runs: there, `PROBE_FRAME_BYTES` loaded from memory have to outlive a call. The call of
 * `next` on the path that does run makes the optimizing compiler build the frame on that path, too, and since `next` is
 * an import it cannot be inlined away. That path returns before the block: V8 optimizes a function sooner the further into its
 * code it returns, and this one takes the compiler half a second.
 */
export function stackProbeBytes(): Uint8Array<ArrayBuffer> {
  const probe = probeCode()
  const last = [0, OP.localGet, 0, OP.end]
  const probeHead = [2, ...unsigned(probe.length)]
  const head = [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 1, I32, 1, I32]),
    ...section(2, [2, ...text('env'), ...text('memory'), 2, 0, 1, ...text('env'), ...text('next'), 0, 0]),
    ...section(3, [2, 0, 0]),
    ...section(7, [2, ...text('probe'), 0, 1, ...text('last'), 0, 2]),
    ...[10, ...unsigned(probeHead.length + probe.length + 1 + last.length), ...probeHead],
  ]
  const bytes = new Uint8Array(head.length + probe.length + 1 + last.length)
  bytes.set(head)
  bytes.set(probe, head.length)
  bytes.set([last.length, ...last], head.length + probe.length)
  return bytes
}

/** Writes byte by byte, for speed: these are some ten thousand instructions, written on the main thread when an image is opened. */
function probeCode(): Uint8Array {
  const values = PROBE_FRAME_BYTES / V128_BYTES
  const code = new Uint8Array(16 * values)
  const start = [0, OP.localGet, 0, OP.call, NEXT, OP.i32Eqz, OP.if, NO_RESULT]
  start.push(OP.i32Const, 0, OP.return, OP.end)
  code.set(start)
  let at = start.length
  for (let offset = 0; offset < PROBE_FRAME_BYTES; offset += V128_BYTES) {
    code[at++] = OP.localGet
    code[at++] = 0
    code[at++] = OP.simd
    code[at++] = SIMD.load
    code[at++] = 0
    let rest = offset
    for (; rest >= 0x80; rest >>>= 7) code[at++] = (rest & 0x7f) | 0x80
    code[at++] = rest
  }
  // The first operand comes from the call, so that the compiler cannot combine values before it.
  for (const byte of [OP.localGet, 0, OP.call, NEXT, OP.simd, SIMD.splat]) code[at++] = byte
  for (let i = 0; i < values; i++) {
    code[at++] = OP.simd
    code[at++] = SIMD.xor
  }
  for (const byte of [OP.simd, SIMD.anyTrue, OP.end]) code[at++] = byte
  return code.subarray(0, at)
}
