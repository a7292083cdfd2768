// The parts of one host, which the families of imports share. Owns nothing. A reset replaces `fileSystem`, so read it at each call.
// Families in files that this one imports (clock, signals …) declare a context of their own, so that there is no import cycle.
import type { BoundExports } from './bound-exports.js'
import type { Clock } from './clock.js'
import type { DisplaySink } from './displays.js'
import type { FileSystem } from './file-system.js'
import type { Ending } from './guard.js'
import type { GuestMemory } from './guest-memory.js'
import type { HostCallDoor } from './host-calls.js'
import type { Libraries } from './libraries.js'
import type { MemoryGrowth } from './memory.js'
import type { Signals } from './signals.js'
import type { TimeZone } from './time-zone.js'

export interface HostContext {
  readonly memory: GuestMemory
  readonly ending: Ending
  readonly clock: Clock
  readonly signals: Signals
  readonly growth: MemoryGrowth
  readonly fileSystem: FileSystem
  readonly zone: TimeZone
  /** Replaces `zone`. Returns false if no zone has that name. */
  readonly setTimeZone: (name: string) => boolean
  /** Undefined, like `callable`, if the image has no packages. */
  readonly libraries: Libraries | undefined
  /** Which functions of the table JavaScript may call; see `NativeCode.callable`. */
  readonly callable: Uint8Array | undefined
  /** Undefined if nothing answers host calls. */
  readonly door: HostCallDoor | undefined
  readonly displays: DisplaySink
  /** Undefined until the module is instantiated. */
  readonly exports: BoundExports | undefined
}
