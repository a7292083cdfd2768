// Calls a function from WebAssembly at a chosen stack depth, as guest code does. Owns the two generated modules and the calibration; the
// caller chooses the function and its arguments.

const TYPE_BYTES = { i: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c, E: 0x6f }
const GLOBAL_TYPES = { i: 'i32', j: 'i64', f: 'f32', d: 'f64' }
/** The part of a worker's stack that Node reserves beyond V8's limit. */
const NATIVE_BYTES = 192 * 1024
/** Parameters of each level of the dive. Large frames keep their number small, because an exception passes many small frames slowly. */
const PARAMETERS = 200
const ZEROS = new Array(PARAMETERS).fill(0)
/** Arguments pushed by the caller. Each shifts the start of the dive by 8 bytes. */
const PADDINGS = Array.from({ length: PARAMETERS + 8 }, (_, count) => new Array(count).fill(0))

export class Diver {
  #table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 })
  #dive
  #levels = 0
  #levelBytes = 0

  /** @param stackBytes size of this thread's stack */
  constructor(stackBytes) {
    const { dive } = new WebAssembly.Instance(new WebAssembly.Module(diveBytes()), { e: { t: this.#table } })
      .exports
    this.#dive = (levels) => dive(levels, ...ZEROS)
    this.#calibrate(stackBytes)
  }

  /** Bytes of one level. */
  get levelBytes() {
    return this.#levelBytes
  }

  /** Calls `call` with about `leftBytes` of stack left above V8's limit; a negative number goes beyond the limit. */
  at(call, leftBytes) {
    const levels = Math.max(0, Math.floor(this.#levels - leftBytes / this.#levelBytes))
    const padding = Math.floor(((this.#levels - levels) * this.#levelBytes - leftBytes) / 8)
    this.#at(call, levels, padding)
  }

  #at(call, levels, padding) {
    this.#table.set(0, call)
    Reflect.apply(this.#dive, undefined, [levels, ...PADDINGS[Math.max(0, Math.min(padding, PARAMETERS))]])
  }

  /** Repeats until the optimizing compiler has finished with the function, because that changes the size of a level. */
  #calibrate(stackBytes) {
    const last = []
    while (last.length < 60 && (last.length < 6 || new Set(last.slice(-6)).size !== 1)) {
      for (let i = 0; i < 100; i++) this.#at(NOOP, 100, 0)
      this.#levels = this.#deepest(0)
      last.push(this.#levels)
    }
    // Measure the remaining fraction of a level.
    let padding = 0
    while (padding < PARAMETERS && this.#reaches(this.#levels, padding)) padding++
    this.#levelBytes = (stackBytes - NATIVE_BYTES - 8 * padding) / this.#levels
    this.#levels += (8 * padding) / this.#levelBytes
  }

  #deepest(padding) {
    let low = 0
    let high = 10_000
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#reaches(middle, padding)) low = middle
      else high = middle
    }
    return low
  }

  #reaches(levels, padding) {
    reached = false
    try {
      this.#at(NOOP, levels, padding)
    } catch {}
    return reached
  }
}

/**
 * Wraps an import so that WebAssembly calls it. `call` uses the arguments given to `set`.
 *
 * @param {string} letters - i and j are 32 and 64 bits, f and d floats, E a reference, which is always null
 */
export function bound(letters, run, result = '') {
  const globals = [...letters].map((letter) =>
    letter === 'E'
      ? null
      : new WebAssembly.Global({ value: GLOBAL_TYPES[letter], mutable: true }, letter === 'j' ? 0n : 0),
  )
  const imports = Object.fromEntries(globals.flatMap((global, i) => (global ? [[`g${i}`, global]] : [])))
  const module = new WebAssembly.Module(boundBytes(letters, result))
  const { call } = new WebAssembly.Instance(module, { e: { f: run, ...imports } }).exports
  return {
    call,
    set: (values) => {
      for (const [i, global] of globals.entries()) if (global) global.value = values[i]
    },
    again: (other) => new WebAssembly.Instance(module, { e: { f: other, ...imports } }).exports.call,
  }
}

/** `call: () → ()` pushes the globals, calls the import and drops its result. */
function boundBytes(letters, result) {
  const types = [...letters].map((letter) => TYPE_BYTES[letter])
  const results = [...result].map((letter) => TYPE_BYTES[letter])
  const scalars = [...letters].flatMap((letter, i) => (letter === 'E' ? [] : [[letter, i]]))
  const push = []
  let global = 0
  for (const letter of letters) push.push(...(letter === 'E' ? [0xd0, 0x6f] : [0x23, global++]))
  const body = [0, ...push, 0x10, 0, ...results.map(() => 0x1a), 0x0b]
  const globals = scalars.map(([letter, i]) => [...name('e'), ...name(`g${i}`), 3, TYPE_BYTES[letter], 1])
  return module([
    [1, [2, 0x60, types.length, ...types, results.length, ...results, 0x60, 0, 0]],
    [2, [1 + globals.length, ...name('e'), ...name('f'), 0, 0, ...globals.flat()]],
    [3, [1, 1]],
    [7, [1, ...name('call'), 0, 1]],
    [10, [1, body.length, ...body]],
  ])
}

/** `dive(levels, …)` calls itself `levels` times with all its parameters, then calls entry 0 of the table. */
function diveBytes() {
  const others = Array.from({ length: PARAMETERS }, (_, i) => [0x20, ...unsigned(i + 1)]).flat()
  const again = [0x20, 0, 0x41, 1, 0x6b, ...others, 0x10, 0]
  const body = [0, 0x20, 0, 0x45, 0x04, 0x40, 0x41, 0, 0x11, 0, 0, 0x05, ...again, 0x0b, 0x0b]
  const i32s = new Array(PARAMETERS + 1).fill(0x7f)
  return module([
    [1, [2, 0x60, 0, 0, 0x60, ...unsigned(i32s.length), ...i32s, 0]],
    [2, [1, ...name('e'), ...name('t'), 1, 0x70, 0, 1]],
    [3, [1, 1]],
    [7, [1, ...name('dive'), 0, 0]],
    [10, [1, ...unsigned(body.length), ...body]],
  ])
}

function module(sections) {
  const all = sections.flatMap(([id, content]) => [id, ...unsigned(content.length), ...content])
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...all])
}

function name(text) {
  return [text.length, ...Buffer.from(text)]
}

function unsigned(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

let reached = false
const NOOP = bound('', () => {
  reached = true
}).call
