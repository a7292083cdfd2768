// Options of managers and sessions: what a caller may pass, and the resolved form, with all defaults, that the rest of the library
// uses. Options are validated and resolved once, here and in options/. No other file contains a default.
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { resolveCallbacks } from './callbacks/callbacks.js'
import { resolveInput } from './callbacks/input.js'
import { Image } from './image.js'
import { defaultMaxMemoryBytes, MIN_MEMORY_BYTES } from './memory/manager-memory.js'
import {
  isBoolean,
  isEnvironment,
  isFunction,
  isOneOf,
  isRecord,
  isSecretBytes,
  isText,
  known,
  numberOption,
} from './options/check.js'
import type { AllOutputListener, DisplayListener, OutputListener } from './options/execution.js'
import { resolveLabels } from './options/labels.js'
import {
  DEFAULT_LIMITS,
  type Limits,
  MAX_DELAY_MS,
  resolveLimits,
  resolveTimeoutMs,
} from './options/limits.js'
import { requireSnapshot } from './options/snapshot.js'
import { PACKAGE_OPTION_NAMES, type PackageOptions } from './packages/options.js'
import type { PackageProgress } from './packages/progress.js'
import type { ResolvedSessionOptions } from './session/options.js'
import type { Callbacks, InputFn, TypedCallbacks } from './session.js'
import { InvalidOptionError } from './shared/errors.js'
import { trustOf } from './shared/snapshot/signature.js'
import type { Snapshot } from './shared/snapshot/snapshot.js'
import type { SlotReuse } from './slots/pool-options.js'
import type { SnapshotStore } from './store/store.js'
import { TELEMETRY_METHODS, type Telemetry } from './telemetry/telemetry.js'
import { checkMountPath } from './vfs/paths.js'
import { VfsStorage } from './vfs/storage.js'

/** Options of `SessionManager.create`. */
export interface ManagerOptions extends PackageOptions {
  /**
   * Maximum number of live interpreters, and so of sessions that can run at the same time, 1 to 1,024. They are booted on demand, plus two
   * spares. Default: max(8, 4 × availableParallelism()).
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
   * 0 to 2,147,483,647; Infinity: it keeps the slot until another caller needs it. Default 60,000.
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

export interface ResolvedManagerOptions {
  readonly slots: number
  readonly maxQueued: number
  readonly acquireTimeoutMs: number
  readonly slotReuse: SlotReuse
  readonly idleTimeoutMs: number
  readonly maxMemoryBytes: number | null
  readonly cacheDir: string | undefined
  readonly onProgress: ((progress: PackageProgress) => void) | undefined
  /** Undefined: use one image, described by `packages`. */
  readonly images: readonly (Image | string)[] | undefined
  readonly packages: PackageOptions
  readonly snapshotKey: Uint8Array | undefined
  readonly limits: Readonly<Limits>
  /** Undefined: use a MemoryStore that ends with the manager. */
  readonly store: SnapshotStore | undefined
  readonly durability: 'memory' | 'checkpoint'
  readonly leaseMs: number
  readonly telemetry: Telemetry | undefined
}

const SNAPSHOT_KEY_BYTES = 32
const MAX_IMAGES = 100

export function resolveManagerOptions(options: ManagerOptions = {}): ResolvedManagerOptions {
  known('options', options, [
    ...[
      'slots',
      'maxQueued',
      'acquireTimeoutMs',
      'slotReuse',
      'idleTimeoutMs',
      'maxMemoryBytes',
      'cacheDir',
      'onProgress',
      'snapshotKey',
    ],
    ...['limits', 'store', 'durability', 'leaseMs', 'telemetry', 'image', 'images', ...PACKAGE_OPTION_NAMES],
  ])
  const slots = numberOption({ min: 1, max: 1024, integer: true })
  const maxQueued = numberOption({ min: 0, max: 1_000_000, integer: true })
  const waitMs = numberOption({ min: 0, max: MAX_DELAY_MS, unit: 'milliseconds', infinite: true })
  const leaseMs = numberOption({ min: 100, max: 86_400_000, unit: 'milliseconds' })
  const memoryBytes = numberOption({
    min: MIN_MEMORY_BYTES,
    max: 2 ** 50,
    unit: 'bytes',
    integer: true,
    nullable: true,
  })
  return {
    slots: slots('slots', options.slots, Math.max(8, 4 * availableParallelism())),
    maxQueued: maxQueued('maxQueued', options.maxQueued, 1024),
    acquireTimeoutMs: waitMs('acquireTimeoutMs', options.acquireTimeoutMs, 30_000),
    slotReuse: isOneOf('slotReuse', options.slotReuse, ['any', 'tenant', 'never']) ?? 'any',
    idleTimeoutMs: waitMs('idleTimeoutMs', options.idleTimeoutMs, 60_000),
    maxMemoryBytes: memoryBytes<number | null>(
      'maxMemoryBytes',
      options.maxMemoryBytes,
      defaultMaxMemoryBytes(),
    ),
    cacheDir: isText('cacheDir', options.cacheDir, { maxLength: 4096 }),
    onProgress: isFunction('onProgress', options.onProgress),
    ...resolveImages(options),
    snapshotKey: isSecretBytes('snapshotKey', options.snapshotKey, SNAPSHOT_KEY_BYTES),
    limits: resolveLimits(options.limits, DEFAULT_LIMITS),
    store: isStore('store', options.store),
    telemetry: isTelemetry('telemetry', options.telemetry),
    durability: isOneOf('durability', options.durability, ['memory', 'checkpoint']) ?? 'memory',
    leaseMs: leaseMs('leaseMs', options.leaseMs, 30_000),
  }
}

function isStore(name: string, store: SnapshotStore | undefined): SnapshotStore | undefined {
  if (store === undefined) return undefined
  const methods = ['get', 'put', 'delete', 'list'] as const
  if (
    typeof store !== 'object' ||
    store === null ||
    methods.some((method) => typeof store[method] !== 'function')
  )
    throw new InvalidOptionError(name, `a store with the methods ${methods.join(', ')}`, store)
  return store
}

function isTelemetry(name: string, telemetry: Telemetry | undefined): Telemetry | undefined {
  if (telemetry === undefined) return undefined
  if (
    typeof telemetry !== 'object' ||
    telemetry === null ||
    TELEMETRY_METHODS.some((method) => typeof telemetry[method] !== 'function')
  )
    throw new InvalidOptionError(name, 'what openTelemetry() of brumate/opentelemetry returns', telemetry)
  return telemetry
}

function resolveImages(options: ManagerOptions): Pick<ResolvedManagerOptions, 'images' | 'packages'> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const packages = given.filter(([name]) => (PACKAGE_OPTION_NAMES as readonly string[]).includes(name))
  const { image, images = image === undefined ? undefined : [image] } = options
  const [other] = packages[0] ?? (options.images && image !== undefined ? ['images'] : [])
  if (images && other !== undefined) {
    const name = image === undefined ? 'images' : 'image'
    const message = `${name}: it cannot be combined with ${other}`
    throw new InvalidOptionError(name, `no ${other} option together with it`, images, message)
  }
  if (images && (!Array.isArray(images) || images.length === 0 || images.length > MAX_IMAGES))
    throw new InvalidOptionError('images', `an array of 1 to ${MAX_IMAGES} images`, images)
  for (const [i, one] of (images ?? []).entries()) {
    const name = image === undefined ? `images[${i}]` : 'image'
    if (!(one instanceof Image) && typeof one !== 'string')
      throw new InvalidOptionError(name, 'an Image, or the path of one', one)
    if (typeof one === 'string') isText(name, one, { maxLength: 4096 })
  }
  return { images, packages: Object.fromEntries(packages) }
}

export function resolveSessionOptions(
  options: SessionOptions | undefined,
  defaults: ResolvedManagerOptions,
): ResolvedSessionOptions {
  const given = options === undefined ? {} : options
  known('options', given, [
    ...['id', 'tenant', 'executionTimeoutMs', 'limits', 'onStdout', 'onStderr', 'onOutput', 'onDisplay'],
    ...['onInput', 'env'],
    ...['callbacks', 'checkpoint', 'vfs', 'vfsMountPath', 'from', 'image', 'salvage', 'labels'],
  ])
  const id =
    isText('id', given.id, {
      pattern: /^[A-Za-z0-9_-]{1,128}$/,
      expected: 'a string of 1 to 128 letters, digits, "_" and "-"',
    }) ?? randomUUID()
  const tenant = isText('tenant', given.tenant, { maxLength: 256 }) ?? id
  const limits = resolveLimits(given.limits, defaults.limits)
  return {
    id,
    tenant,
    labels: resolveLabels('labels', given.labels),
    limits:
      given.executionTimeoutMs === undefined
        ? limits
        : {
            ...limits,
            executionTimeoutMs: resolveTimeoutMs(
              'executionTimeoutMs',
              given.executionTimeoutMs,
              limits.executionTimeoutMs,
            ),
          },
    onStdout: isFunction('onStdout', given.onStdout),
    onStderr: isFunction('onStderr', given.onStderr),
    onOutput: isFunction('onOutput', given.onOutput),
    onDisplay: isFunction('onDisplay', given.onDisplay),
    env: isEnvironment('env', given.env),
    callbacks: resolveCallbacks('callbacks', given.callbacks),
    onInput: resolveInput(isFunction('onInput', given.onInput)),
    checkpoint: isOneOf('checkpoint', given.checkpoint, ['auto', 'manual']) ?? 'auto',
    vfs: resolveVfs(given),
    image: isText('image', given.image, {
      pattern: /^[0-9a-f]{64}$/,
      expected: 'the id of an image: 64 hexadecimal digits',
    }),
    from:
      given.from === undefined
        ? undefined
        : requireSnapshot('from', given.from, trustOf(defaults.snapshotKey, tenant)),
    salvage: isBoolean('salvage', given.salvage) ?? false,
  }
}

/** The resolved options of `openSession` and `getOrCreate`. */
export interface ResolvedOpening {
  readonly takeOver: boolean
  /** Undefined: accept any tenant that the store has. */
  readonly tenant: string | undefined
  /** Resolved as for a new session, with all defaults. */
  readonly session: ResolvedSessionOptions
}

/** @param names whether to accept `from` and `labels`, which only a new session can have */
export function resolveOpening(
  id: string,
  options: GetOrCreateOptions | undefined,
  defaults: ResolvedManagerOptions,
  names: 'any' | 'without-new',
): ResolvedOpening {
  if (id === undefined) throw new InvalidOptionError('id', 'the id of a session', id)
  if (options !== undefined) isRecord('options', options)
  const { takeOver, ...rest } = options === undefined ? {} : options
  if ('id' in rest)
    throw new InvalidOptionError('options', 'no id in the options: it is the first argument', rest)
  const forbidden =
    names === 'any' ? [] : (['from', 'labels'] as const).filter((name) => rest[name] !== undefined)
  if (forbidden[0] !== undefined) {
    const message = `${forbidden[0]}: a session that is opened has its own; use createSession or getOrCreate`
    throw new InvalidOptionError(forbidden[0], 'nothing', rest[forbidden[0]], message)
  }
  return {
    takeOver: isBoolean('takeOver', takeOver) ?? false,
    tenant: rest.tenant,
    session: resolveSessionOptions({ ...rest, id }, defaults),
  }
}

function resolveVfs({ vfs, vfsMountPath }: SessionOptions): ResolvedSessionOptions['vfs'] {
  const mountPath = checkMountPath('vfsMountPath', vfsMountPath)
  if (vfs === undefined) {
    if (vfsMountPath === undefined) return undefined
    throw new InvalidOptionError('vfs', 'a VfsStorage for vfsMountPath', vfs)
  }
  if (!(vfs instanceof VfsStorage)) throw new InvalidOptionError('vfs', 'a VfsStorage', vfs)
  if (vfs.isClosed)
    throw new InvalidOptionError('vfs', 'a VfsStorage that is open', vfs, 'vfs: the VfsStorage is closed')
  return { storage: vfs, mountPath }
}
