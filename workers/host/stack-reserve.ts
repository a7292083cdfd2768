// Whether enough of the thread's stack is left to run host code. Guest code decides how deep the stack is when it calls an
// import, and where V8 runs out of stack while it compiles or builds something, it can end the whole process. Owns how
// much has to be left; what happens where it is not is guard.ts's.

/** Throws a RangeError if less than the reserve is left. Its argument is 0; it returns 0. */
export type StackProbe = (zero: 0) => number

/**
 * What has to be left above V8's limit, in frames of the probe (64 KB each). Below that limit, Node keeps another 192 KB for
 * native code.
 */
const RESERVED_FRAMES = 2

/**
 * Cheap enough for every import: V8's own check of its stack limit, at the entry of functions with large frames
 * (src/image/stack-probe.ts).
 *
 * @param memory - of the interpreter; the probe never reads it
 */
export function stackProbe(module: WebAssembly.Module, memory: WebAssembly.Memory): StackProbe {
  const instance = (next: unknown) =>
    new WebAssembly.Instance(module, { env: { memory, next: next as StackProbe } }).exports
  let probe = instance(() => 0).last
  for (let i = 0; i < RESERVED_FRAMES; i++) probe = instance(probe).probe
  return probe as StackProbe
}
