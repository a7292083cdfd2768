// The trampoline. WebAssembly traps if a function is called with a wrong number of arguments, which CPython does. So it calls C
// functions of extension types through one function that knows how many arguments each takes. Owns the bytes of that function;
// the builder lists the signatures, and the interpreter makes the instance.
import { concatenate, section, signed, unsigned, vector } from '../wasm/encoding.js'

/** Exports of an instance of `Image.trampolineModule`. */
export interface TrampolineExports {
  /** CPython's TrampolineFunc, which goes into the interpreter's table at `Image.tableLength`. */
  readonly trampoline: (...args: number[]) => number
  /** The same for the import `_PyEM_TrampolineCall_JS`: without a success flag, and 0 if the function cannot be called. */
  readonly call: (func: number, a: number, b: number, c: number) => number
}

/** The code of a function is its number of i32 parameters, 0 to 3, plus 4 if it returns nothing. */
export const TRAMPOLINE_CODE = { parameters: 0, returnsNothing: 4, unsupported: 255 } as const

const OP = {
  if: 0x04,
  end: 0x0b,
  return: 0x0f,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  i32Load8u: 0x2d,
  i32Store: 0x36,
  i32Const: 0x41,
  i32Eq: 0x46,
  i32LtU: 0x49,
} as const
const I32 = 0x7f
const NO_RESULT = 0x40
const TYPE = { trampoline: 8, call: 9 } as const

/**
 * Makes the module. It imports the interpreter's memory and table by Emscripten's names for them. `address` is where the interpreter's
 * memory has the codes, one byte per table index. They are in that memory so that slots need no second one (each reserves 8 GiB of
 * address space). A program that overwrites the codes gets a trap, as from any wild function pointer.
 */
export function trampolineModuleBytes(address: number, length: number): Uint8Array<ArrayBuffer> {
  const types = [
    ...[0, 1, 2, 3].map((n) => type(n, 1)),
    ...[0, 1, 2, 3].map((n) => type(n, 0)),
    type(5, 1),
    type(4, 1),
  ]
  const imports = [
    concatenate([name('env'), name('memory'), Uint8Array.of(0x02, 0x00, 0x01)]),
    concatenate([name('env'), name('__indirect_function_table'), Uint8Array.of(0x01, 0x70, 0x00, 0x01)]),
  ]
  const exports = [
    concatenate([name('trampoline'), Uint8Array.of(0x00, 0x00)]),
    concatenate([name('call'), Uint8Array.of(0x00, 0x01)]),
  ]
  const fail = Uint8Array.of(OP.localGet, 0, OP.i32Const, 0, OP.i32Store, 2, 0)
  const bodies = [body(address, length, 1, fail), body(address, length, 0, new Uint8Array(0))]
  return concatenate([
    Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
    section(1, vector(types)),
    section(2, vector(imports)),
    section(3, vector([Uint8Array.of(TYPE.trampoline), Uint8Array.of(TYPE.call)])),
    section(7, vector(exports)),
    section(10, vector(bodies)),
  ])
}

/** A function whose parameter `first` is the table index and whose next three are the arguments. */
function body(address: number, length: number, first: number, fail: Uint8Array): Uint8Array {
  const code = first + 4
  // Most calls take three arguments (self, args, kwargs) or two, so test for those first.
  const order = [2, 3, 1, 0, 6, 7, 5, 4]
  const cases = order.map((value) => {
    const parameters = value & 3
    const call: number[] = []
    for (let n = 1; n <= parameters; n++) call.push(OP.localGet, first + n)
    call.push(OP.localGet, first, OP.callIndirect, value, 0x00)
    if (value >= TRAMPOLINE_CODE.returnsNothing) call.push(OP.i32Const, 0)
    return Uint8Array.of(
      OP.localGet,
      code,
      OP.i32Const,
      value,
      OP.i32Eq,
      OP.if,
      NO_RESULT,
      ...call,
      OP.return,
      OP.end,
    )
  })
  const content = concatenate([
    Uint8Array.of(1, 1, I32), // one local: the code
    concatenate([Uint8Array.of(OP.localGet, first, OP.i32Const), signed(length)]),
    Uint8Array.of(OP.i32LtU, OP.if, NO_RESULT, OP.localGet, first, OP.i32Load8u, 0),
    unsigned(address),
    Uint8Array.of(OP.localSet, code),
    ...cases,
    Uint8Array.of(OP.end),
    fail,
    Uint8Array.of(OP.i32Const, 0, OP.end),
  ])
  return concatenate([unsigned(content.length), content])
}

function type(parameters: number, results: number): Uint8Array {
  const i32s = (count: number) => [count, ...new Array<number>(count).fill(I32)]
  return Uint8Array.of(0x60, ...i32s(parameters), ...i32s(results))
}

function name(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  return concatenate([unsigned(bytes.length), bytes])
}
