// Flags of Node for processes that tests start and that run little Python.

/**
 * Leave WebAssembly as it is compiled first. By default V8 compiles functions that run often a second time, in the background: that takes
 * at least a third of a second of processor time, which a short process never earns back.
 */
export const BRIEF: readonly string[] = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']
