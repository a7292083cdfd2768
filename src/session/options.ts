// A session's options with all defaults. Owns the type only; src/options.ts creates it.
import type { ResolvedCallback, ResolvedCallbacks } from '../callbacks/callbacks.js'
import type { AllOutputListener, DisplayListener, OutputListener } from '../options/execution.js'
import type { Limits } from '../options/limits.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { VfsStorage } from '../vfs/storage.js'

export interface ResolvedSessionOptions {
  readonly id: string
  readonly tenant: string
  /** Shown by `manager.list`, which can filter by them. */
  readonly labels: Readonly<Record<string, string>>
  readonly limits: Readonly<Limits>
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
  readonly onOutput: AllOutputListener | undefined
  readonly onDisplay: DisplayListener | undefined
  readonly env: Readonly<Record<string, string>>
  readonly callbacks: ResolvedCallbacks
  /** Answers `input()`. */
  readonly onInput: ResolvedCallback | undefined
  readonly checkpoint: 'auto' | 'manual'
  readonly vfs: { readonly storage: VfsStorage; readonly mountPath: string } | undefined
  readonly from: Snapshot | undefined
  /** If the manager does not have the image of the session's snapshot, restore only its plain values. */
  readonly salvage: boolean
  /** Id of the image; undefined: that of `from`, else the manager's first. */
  readonly image: string | undefined
}
