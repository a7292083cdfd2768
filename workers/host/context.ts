// What the families of imports share: the parts of one host. Owns nothing; `fileSystem` is a new one after a reset, so it is
// read at each call.
import type { Clock } from './clock.js'
import type { FileSystem } from './file-system.js'
import type { Ending } from './guard.js'
import type { GuestMemory } from './guest-memory.js'
import type { HostCallDoor } from './host-calls.js'
import type { MemoryGrowth } from './memory.js'
import type { Signals } from './signals.js'
import type { TimeZone } from './time-zone.js'

/** What the host calls in the interpreter; see workers/interpreter/exports.ts. */
export interface BoundExports {
  readonly memory: WebAssembly.Memory
  readonly __indirect_function_table: WebAssembly.Table
  readonly tzname?: WebAssembly.Global<'i32'>
  emscripten_builtin_memalign(alignment: number, size: number): number
  free(pointer: number): void
}

export interface HostContext {
  readonly memory: GuestMemory
  readonly ending: Ending
  readonly clock: Clock
  readonly signals: Signals
  readonly growth: MemoryGrowth
  readonly fileSystem: FileSystem
  readonly zone: TimeZone
  /** Undefined where nobody answers host calls. */
  readonly door: HostCallDoor | undefined
  /** Undefined until the module is instantiated. */
  readonly exports: BoundExports | undefined
}
