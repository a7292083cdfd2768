// WebAssembly as the thread began with it: seal.ts takes the global away, and a slot whose memory has grown needs a new instance
// after that. Owns nothing; reachable from this thread's own code only.
export const {
  Instance: WasmInstance,
  Memory: WasmMemory,
  Module: WasmModule,
  Global: WasmGlobal,
  Table: WasmTable,
  Exception: WasmException,
} = WebAssembly
