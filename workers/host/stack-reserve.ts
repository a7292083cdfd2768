// Whether enough of the thread's stack is left to run host code. Guest code decides how deep the stack is when it calls an
// import, and where V8 runs out of stack while it compiles or builds something, it can end the whole process. Owns the
// question; how much has to be left is src/shared/image/stack-probe.ts's, what happens where it is not is guard.ts's.

import { WasmInstance } from '../web-assembly.js'

/**
 * Throws a RangeError if less than 128 KB are left above V8's limit. Below that limit, Node keeps another 192 KB for native code. Its
 * argument is 0; it returns 0.
 */
export type StackProbe = (zero: 0) => number

/**
 * Cheap enough for every import: V8's own check of its limit, at the entry of a function with a large frame.
 *
 * @param module - `Image.stackProbeModule`
 * @param memory - of the interpreter; the probe never reads it
 */
export function stackProbe(module: WebAssembly.Module, memory: WebAssembly.Memory): StackProbe {
  const instance = (next: StackProbe) =>
    new WasmInstance(module, { env: { memory, next } }).exports as {
      readonly probe: StackProbe
      readonly last: StackProbe
    }
  return instance(instance(() => 0).last).probe
}

/**
 * Whether there is stack for what Intl makes, which takes more than is kept for an import: half a megabyte. V8 checks its limit before it
 * pushes the arguments of a call.
 */
export function hasStackForIntl(): boolean {
  try {
    return Reflect.apply(returnTrue, undefined, INTL_ARGUMENTS)
  } catch {
    return false
  }
}

/** Eight bytes each. */
const INTL_ARGUMENTS = { length: 65_000 }

function returnTrue(): boolean {
  return true
}
