// What the families of imports share: the parts of one host. Owns nothing; `fileSystem` is a new one after a reset, so it is
// read at each call. A part whose imports this file would have to import in turn (clock, signals …) names what it needs itself.
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
  /** Chooses another `zone`. False if there is none of that name. */
  readonly setTimeZone: (name: string) => boolean
  /** Undefined, like `callable`, where the image has no packages. */
  readonly libraries: Libraries | undefined
  /** Which functions of the table JavaScript may call; see `NativeCode.callable`. */
  readonly callable: Uint8Array | undefined
  /** Undefined where nobody answers host calls. */
  readonly door: HostCallDoor | undefined
  readonly displays: DisplaySink
  /** Undefined until the module is instantiated. */
  readonly exports: BoundExports | undefined
}
