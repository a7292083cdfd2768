// Flags of Node for processes that tests start and that end within seconds.

/**
 * Leave WebAssembly as it is compiled first. By default V8 compiles functions that run often a second time, in the background: that takes
 * a short process a third of a second of processor time, and saves it nothing.
 */
export const BRIEF: readonly string[] = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']
