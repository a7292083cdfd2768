// How deep C code may recurse before CPython stops it. Owns that limit. CPython's own assumes one stack for everything, but a slot's thread
// has two: the C stack, in the interpreter's memory, has the variables whose address is taken; V8's stack has everything else. Code that
// uses up V8's stack ends the interpreter.
import { withStackFrame } from '../interpreter/stack-frames.js'
import type { StockExports } from './realm.js'

/**
 * C stack that guarded recursion may use. With either of V8's compilers, a call uses at most about 17 times as much of V8's stack as of
 * this one (comparing nested lists), so this one runs out before `STACK_MB` of src/slots/slot-threads.ts, 64 MB. It is enough for lists
 * nested 24,000 deep (`repr`) to 196,000 deep (`json.loads`, `==`), and for 1,400 (`sorted` with a key) to 6,700 (`__getattr__`) Python
 * calls through C code.
 */
const C_STACK_BYTES = 3 * 1024 * 1024
/**
 * C stack that each call takes in addition to its own frame:
 * - A deallocation. CPython postpones further ones when the C stack is nearly used up, but most of them use none of it. This way, at most
 *   24,576 are nested.
 * - A `repr`. CPython compares each object with all objects around it. With only its own 32 bytes per call, 80,000 nested ones took 4 s.
 */
const FRAMES = { _Py_Dealloc: 128, PyObject_Repr: 96 }
/**
 * A thread state has `c_stack_top`, `c_stack_soft_limit` and `c_stack_hard_limit`, in this order. The two limits are at most this far above
 * the stack's end.
 */
const MOST_MARGIN_BYTES = 65_536

export function withCountedRecursion(wasm: Uint8Array): Uint8Array {
  return Object.entries(FRAMES).reduce((code, [name, bytes]) => withStackFrame(code, name, bytes), wasm)
}

/** Moves the soft limit, beyond which calls raise RecursionError. The hard limit, beyond which CPython aborts, stays. */
export function limitRecursion(
  memory: Uint8Array,
  { __stack_low, __stack_high }: Pick<StockExports, '__stack_low' | '__stack_high'>,
): void {
  const low = __stack_low.value >>> 0
  const high = __stack_high.value >>> 0
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4)
  const isMargin = (address = 0) => address > low && address < low + MOST_MARGIN_BYTES
  const found: number[] = []
  for (let at = words.indexOf(high); at !== -1; at = words.indexOf(high, at + 1)) {
    const soft = words[at + 1] ?? 0
    const hard = words[at + 2] ?? 0
    if (isMargin(soft) && isMargin(hard) && soft > hard) found.push(at + 1)
  }
  const [limit, ...others] = found
  if (limit === undefined || others.length > 0)
    throw new Error(`expected one thread state with limits of the C stack, found ${found.length}`)
  words[limit] = high - C_STACK_BYTES
}
