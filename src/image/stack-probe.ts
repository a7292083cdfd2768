// The WebAssembly module that tells whether a thread has stack left (workers/host/stack-reserve.ts uses it). Owns its bytes.
// It depends on nothing in an image, so image files do not hold it.

/** Stack that one instance's `probe` asks for: a few hundred bytes more than this. */
export const PROBE_FRAME_BYTES = 65_536
const V128_BYTES = 16

const OP = {
  if: 0x04,
  end: 0x0b,
  return: 0x0f,
  call: 0x10,
  localGet: 0x20,
  i32Const: 0x41,
  simd: 0xfd,
} as const
const SIMD = { load: 0x00, splat: 0x11, xor: 0x51, anyTrue: 0x53 } as const
const I32 = 0x7f
const NO_RESULT = 0x40
/** Index of the imported `next` among the module's functions. */
const NEXT = 0

/**
 * A module that imports `env.memory` (at least `PROBE_FRAME_BYTES`) and `env.next`, an (i32) → i32, and exports two functions of the
 * same type. `last` returns its argument. `probe` calls `next` and returns 0, as long as `next` returns 0.
 *
 * V8 has no API for the depth of the stack, but it does check the stack limit when a function is entered: for a frame of
 * more than 4 KB it compares the limit with the frame's size, in both of its compilers. The frame of `probe` is large
 * because of a block that never runs: there, `PROBE_FRAME_BYTES` loaded from memory have to outlive a call. The call of
 * `next` on the path that does run makes the optimizing compiler build the frame on that path, too, and since `next` is
 * an import it cannot be inlined away.
 */
export function stackProbeBytes(): Uint8Array<ArrayBuffer> {
  const values = PROBE_FRAME_BYTES / V128_BYTES
  const code = new Writer(16 * values)
  code.put(0, OP.localGet, 0, OP.call, NEXT, OP.if, NO_RESULT)
  for (let i = 0; i < values; i++) {
    code.put(OP.localGet, 0, OP.simd, SIMD.load, 0)
    code.unsigned(i * V128_BYTES)
  }
  // The first operand comes from the call, so that nothing can be combined before it.
  code.put(OP.localGet, 0, OP.call, NEXT, OP.simd, SIMD.splat)
  for (let i = 0; i < values; i++) code.put(OP.simd, SIMD.xor)
  code.put(OP.simd, SIMD.anyTrue, OP.return, OP.end, OP.i32Const, 0, OP.end)
  const probe = code.bytes
  const module = new Writer(probe.length + 256)
  module.put(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  module.section(1, [1, 0x60, 1, I32, 1, I32])
  module.section(2, [2, ...text('env'), ...text('memory'), 0x02, 0, 1, ...text('env'), ...text('next'), 0, 0])
  module.section(3, [2, 0, 0])
  module.section(7, [2, ...text('probe'), 0, 1, ...text('last'), 0, 2])
  const last = [0, OP.localGet, 0, OP.end]
  const bodies = new Writer(probe.length + 16)
  bodies.put(2)
  bodies.unsigned(probe.length)
  bodies.append(probe)
  bodies.put(last.length, ...last)
  module.section(10, bodies.bytes)
  return module.bytes
}

/** An ASCII name of fewer than 128 characters. */
function text(value: string): number[] {
  return [value.length, ...Array.from(value, (letter) => letter.charCodeAt(0))]
}

class Writer {
  readonly #room: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(maxBytes: number) {
    this.#room = new Uint8Array(maxBytes)
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#room.slice(0, this.#length)
  }

  put(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#room[this.#length++] = byte
  }

  append(bytes: ArrayLike<number>): void {
    this.#room.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** LEB128 of a u32. */
  unsigned(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) this.put((rest & 0x7f) | 0x80)
    this.put(rest)
  }

  section(id: number, content: ArrayLike<number>): void {
    this.put(id)
    this.unsigned(content.length)
    this.append(content)
  }
}
