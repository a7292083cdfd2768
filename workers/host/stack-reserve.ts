// Checks whether enough of the thread's stack is left to run host code. Guest code decides how deep the stack is when it calls an
// import, and if V8 runs out of stack while it compiles or builds something, it can end the whole process. Owns the check;
// src/shared/image/stack-probe.ts says how much must be left, and guard.ts what happens otherwise.

import { WasmInstance } from '../web-assembly.js'

/**
 * Throws a RangeError if less than 128 KB are left above V8's limit. Below that limit, Node keeps another 192 KB for native code. The
 * argument is 0, and so is the result.
 */
export type StackProbe = (zero: 0) => number

/**
 * Makes a probe that is cheap enough for every import: V8's own stack check at the entry of a function with a large frame.
 *
 * @param module - `Image.stackProbeModule`
 * @param memory - the interpreter's memory; the probe never reads it
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
 * Whether there is enough stack to create Intl objects. That takes half a megabyte, more than is reserved for an import. The check is a
 * call with that many bytes of arguments: V8 checks its limit before it pushes them.
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
