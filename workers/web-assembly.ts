// WebAssembly as it was when the thread started: seal.ts removes the global, but a slot whose memory has grown needs a new instance
// after that. Owns nothing. Only this thread's own code can reach it.
export const {
  Instance: WasmInstance,
  Memory: WasmMemory,
  Module: WasmModule,
  Global: WasmGlobal,
  Table: WasmTable,
  Exception: WasmException,
  RuntimeError: WasmRuntimeError,
} = WebAssembly
