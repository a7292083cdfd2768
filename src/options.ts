// Options of managers and sessions: what a caller may pass. manager/options.ts validates them and has their defaults.
import type { Image } from './image.js'
import type { AllOutputListener, DisplayListener, OutputListener } from './options/execution.js'
import type { Limits } from './options/limits.js'
import type { PackageOptions } from './packages/options.js'
import type { PackageProgress } from './packages/progress.js'
import type { Callbacks, InputFn, TypedCallbacks } from './session.js'
import type { Snapshot } from './shared/snapshot/snapshot.js'
import type { SnapshotStore } from './store/store.js'
import type { Telemetry } from './telemetry/telemetry.js'
import type { VfsStorage } from './vfs/storage.js'

/** Options of `SessionManager.create`. */
export interface ManagerOptions extends PackageOptions {
  /**
   * Maximum number of live interpreters, and so of sessions that can run at the same time, 1 to 1,024. They are booted on demand, plus up
   * to two spares. Default: max(8, 4 × availableParallelism()).
   */
  readonly slots?: number
  /**
   * Maximum number of callers that wait for a slot; further callers get PoolExhaustedError. Tenants take turns in the queue. 0 to
   * 1,000,000. Default 1,024.
   */
  readonly maxQueued?: number
  /**
   * Longest wait for other sessions to release a slot, in ms. The time in which a slot boots or is renewed for the caller does not count.
   * 0 to 2,147,483,647; Infinity: no limit. Default 30,000.
   */
  readonly acquireTimeoutMs?: number
  /**
   * Which sessions may use a slot's thread after its first session. Between two sessions, every byte of the interpreter is set back to the
   * image.
   * `any`: sessions of any tenant. A new session then starts in milliseconds, with JavaScript that V8 has already optimized.
   * `tenant`: only sessions of the same tenant. An attacker who breaks out of WebAssembly never shares a thread with another tenant.
   * `never`: none; the thread ends with its session. If no thread can be reused, a new interpreter boots, which takes 0.1 s of CPU time.
   * Default `any`.
   */
  readonly slotReuse?: 'any' | 'tenant' | 'never'
  /**
   * Idle timeout: how long a session keeps its slot after its last call ended, in ms. Then it goes dormant, and its next call wakes it.
   * It goes dormant sooner if a caller waits for a slot, or if recent callers had to wait: then one slot is freed in advance. 0 to
   * 2,147,483,647; Infinity: only these two cases. Default 60,000.
   */
  readonly idleTimeoutMs?: number
  /**
   * Limit for the memory of all sessions of the manager together, in bytes, at least 256 MiB; `null`: no limit. It covers
   * interpreters, private files, output, snapshots that sessions hold, and values in transit; not storages (`VfsStorage` has
   * `maxBytes`), nor what your own code keeps. At the limit, Python gets MemoryError or OSError ENOSPC, and checkpoints are skipped. A
   * call that needs a slot makes idle sessions hibernate, waits up to `acquireTimeoutMs`, and then rejects with LimitError. Default: three
   * quarters of the memory that the process may use (its container's limit, else the machine's).
   */
  readonly maxMemoryBytes?: number | null
  /**
   * Image of the sessions: an `Image`, or the path of a saved one. Default: an image with `packages`, built once and cached; without
   * `packages`, the standard image.
   */
  readonly image?: Image | string
  /** Several images; each session chooses one with its `image` option. The first is the default. At most 100. */
  readonly images?: readonly (Image | string)[]
  /** Directory for images, wheels and locks, created if it does not exist. Default: `brumate` in the OS cache directory. */
  readonly cacheDir?: string
  /** Called with the progress of building the image. Default: one line on stderr, at once on a terminal, elsewhere after two seconds. */
  readonly onProgress?: (progress: PackageProgress) => void
  /**
   * A secret key of 32 bytes. Snapshots are then signed for their tenant (HMAC-SHA256), and others are rejected. Default: no signatures.
   */
  readonly snapshotKey?: Uint8Array
  /** Default limits for every session. */
  readonly limits?: Partial<Limits>
  /**
   * Store for sessions that you give an `id`. Several managers, in any number of processes, can share a store. `manager.close()` does not
   * close it. Default: a `MemoryStore` that ends with the manager.
   */
  readonly store?: SnapshotStore
  /**
   * When a session is written to the store. `memory`: when it goes dormant, and on `close`, `drain` and `manager.close()`; if
   * the process ends in another way, changes since then are lost. `checkpoint`: also after each call that changes the session, before that
   * call resolves. Acknowledged changes are then never lost, but each such call also takes a checkpoint and a write. Default `memory`.
   */
  readonly durability?: 'memory' | 'checkpoint'
  /**
   * How long this manager owns a stored session without renewing its lease, in ms since the last write, by the store's clock. While a
   * session has a slot, its lease is renewed after a third of this time. If the process ends without `close` or `drain`, other managers can
   * open the session once the lease has expired. Must be longer than a write of a session to the store takes. 100 to 86,400,000. Default
   * 30,000.
   */
  readonly leaseMs?: number
  /** Receiver of spans and metrics: `openTelemetry()` of `brumate/opentelemetry`. Default: none. */
  readonly telemetry?: Telemetry
}

/** Options of `manager.createSession`. */
export interface SessionOptions {
  /**
   * 1 to 128 letters, digits, `_` and `-`, unique in the manager and its store. The store keeps a session that has an id. Default: a random
   * UUID, and the session ends with `close`.
   */
  readonly id?: string
  /** The customer that the session belongs to; see `slotReuse`. 1 to 256 characters of well-formed Unicode. Default: the session's id. */
  readonly tenant?: string
  /** Shorthand for `limits.executionTimeoutMs`; takes precedence over it. Can be changed on the session. */
  readonly executionTimeoutMs?: number | null
  /** Limits of this session; missing ones default to the manager's `limits`. */
  readonly limits?: Partial<Limits>
  /** Called with the output of every execution of the session, in addition to the execution's own listeners. */
  readonly onStdout?: OutputListener
  /** Like `onStdout`, for stderr. */
  readonly onStderr?: OutputListener
  /** Like `onStdout`, but for both streams, in the order in which they were written. */
  readonly onOutput?: AllOutputListener
  /** Called with the displays of every execution of the session, in addition to the execution's own listener. */
  readonly onDisplay?: DisplayListener
  /** Variables for `os.environ`, at most 1,000,000 characters in all. `TZ` (an IANA name or a POSIX rule) also sets the time zone. */
  readonly env?: Readonly<Record<string, string>>
  /** Host functions by name, which Python code can call. `setCallbacks` replaces them on a live session. */
  readonly callbacks?: Callbacks
  /**
   * Answers `input(prompt)` and `getpass.getpass(prompt)` with a line, or with `null` for the end of the input (EOFError). It may be async.
   * Like a callback, it may suspend the call; `session.pending` then has a call named `input`. The prompt is not part of stdout.
   * `limits.callbackTimeoutMs` does not apply. Default: none, so `input()` raises EOFError.
   */
  readonly onInput?: InputFn
  /**
   * Which state the session continues from if its worker is lost.
   * `auto`: the last automatic checkpoint. The session saves itself when it becomes idle. If the next call comes first, it saves itself
   * before that call, as long as checkpoints take no more than 5 % of its time (after a first burst of half a second).
   * `manual`: the last `snapshotState()`. Default `auto`.
   */
  readonly checkpoint?: 'auto' | 'manual'
  /** Files that the session shares with other sessions and with the host. Snapshots do not include them, and they outlive the session. */
  readonly vfs?: VfsStorage
  /** Path in Python of the files of `vfs`: absolute, and not in a directory of the image. Default `/data`. */
  readonly vfsMountPath?: string
  /** Id of one of the manager's images. Default: the image of `from`, else the manager's first image. */
  readonly image?: string
  /** Snapshot to start from, instead of an empty state. Any number of sessions may start from the same snapshot. */
  readonly from?: Snapshot | Uint8Array
  /**
   * If the manager does not have the image of the snapshot that the session starts from, restore only the globals that the snapshot stores
   * as plain values; `session.lostGlobals` names the others. Default false: SnapshotError of reason `incompatible`.
   */
  readonly salvage?: boolean
  /**
   * Strings by name, for `manager.list`: at most 32, with names of 1 to 64 and values of at most 256 characters. They are stored when the
   * session is created. Default: none.
   */
  readonly labels?: Readonly<Record<string, string>>
}

export interface TakeOverOptions {
  /**
   * Take the session even if another manager has it and its lease has not expired. From then on, calls on that manager's session reject
   * with SessionMovedError, and state that it has not stored is lost. Default false: SessionOwnedError.
   */
  readonly takeOver?: boolean
}

/**
 * Options that the store does not keep, and that a session needs again when it is opened: callbacks, limits, listeners, `vfs`. If `tenant`
 * is given, it must be the stored one.
 */
export type OpenOptions = Omit<SessionOptions, 'id' | 'from' | 'labels'> & TakeOverOptions

/** `from`, `labels`, `env` and `image` apply only if the session is created. */
export type GetOrCreateOptions = Omit<SessionOptions, 'id'> & TakeOverOptions

/** `SessionOptions` with callbacks written in place, so that TypeScript infers the types of their arguments from their schemas. */
export type TypedSessionOptions<Schemas, Options = SessionOptions> = Omit<Options, 'callbacks'> & {
  readonly callbacks?: TypedCallbacks<Schemas>
}
