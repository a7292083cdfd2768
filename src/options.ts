// Options of managers and sessions: what a caller may say, and the resolved form with every default that the rest of the library
// sees. Resolving happens once, here and in options/; nobody else checks an option or knows a default.
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { resolveCallbacks } from './callbacks/callbacks.js'
import { defaultMaxMemoryBytes, MIN_MEMORY_BYTES } from './memory/manager-memory.js'
import {
  isEnvironment,
  isFunction,
  isOneOf,
  isSecretBytes,
  isText,
  known,
  numberOption,
} from './options/check.js'
import { type OutputListener, requireSnapshot } from './options/execution.js'
import {
  DEFAULT_LIMITS,
  type Limits,
  MAX_DELAY_MS,
  resolveLimits,
  resolveTimeoutMs,
} from './options/limits.js'
import type { ResolvedSessionOptions } from './session/options.js'
import type { Callbacks } from './session.js'
import { InvalidOptionError } from './shared/errors.js'
import { trustOf } from './shared/snapshot/signature.js'
import type { Snapshot } from './shared/snapshot/snapshot.js'
import type { SlotReuse } from './slots/pool-options.js'
import { checkMountPath } from './vfs/paths.js'
import { VfsStorage } from './vfs/storage.js'

export interface ManagerOptions {
  /** Most live interpreters, 1 to 1,024. Default max(8, 4 × availableParallelism()). Booted ahead of need, not all at once. */
  readonly slots?: number
  /** Most callers waiting for a slot; one more is refused with PoolExhaustedError. 0 to 1,000,000. Default 1,024. */
  readonly maxQueued?: number
  /**
   * Longest wait for other sessions to give a slot back, in ms. Time in which a slot boots or is renewed for the caller does not count.
   * Default 30,000; Infinity waits for ever.
   */
  readonly acquireTimeoutMs?: number
  /**
   * Whom a slot's thread serves after its first session. Between two sessions its interpreter becomes the image again, every byte.
   * `any`: whoever comes next; a new session's first second is then as fast as its hundredth. `tenant`: sessions of the same tenant
   * only; an attacker who has broken out of WebAssembly into a slot's thread never meets another tenant there. `never`: nobody; each
   * session's thread ends with its lease. The last two boot an interpreter, a tenth of a second of a core, where `any` takes
   * milliseconds. Default `any`.
   */
  readonly slotReuse?: 'any' | 'tenant' | 'never'
  /**
   * How long a session keeps its slot with nothing to do, in ms from the end of its last call; then it goes dormant, and its next
   * call wakes it. 0 to 2,147,483,647; Infinity: until somebody waits for the slot. Default 60,000.
   */
  readonly idleTimeoutMs?: number
  /**
   * Most memory that the manager's sessions may make the process hold, in bytes, at least 256 MiB; `null`: no bound. It covers
   * interpreters, private files, output, snapshots that sessions hold, and values on their way; not storages (`VfsStorage` has
   * `maxBytes`), nor what your own code keeps. Where it is reached, Python gets MemoryError or OSError ENOSPC, checkpoints are
   * refused, and a new session is refused with LimitError. Each manager has its own. Default: three quarters of the memory that the
   * process may use (its container's limit, else the machine's).
   */
  readonly maxMemoryBytes?: number | null
  /** Directory for the image, made when missing. Default: `brumate` in the OS cache directory. */
  readonly cacheDir?: string
  /**
   * 32 bytes. Snapshots are then signed (HMAC-SHA256) for their tenant, and only those are restored. Default: neither.
   */
  readonly snapshotKey?: Uint8Array
  /** Defaults for every session. */
  readonly limits?: Partial<Limits>
}

export interface SessionOptions {
  /** Unique in its manager; letters, digits, `_` and `-`, 1 to 128. Default: a random UUID. */
  readonly id?: string
  /** Who the session belongs to; see `slotReuse`. 1 to 256 characters of well-formed Unicode. Default: the session's id. */
  readonly tenant?: string
  /** Short for `limits.executionTimeoutMs`, and wins over it. Can be changed on the session. */
  readonly executionTimeoutMs?: number | null
  /** Over the manager's defaults. */
  readonly limits?: Partial<Limits>
  /** Heard for every execution of the session, beside the execution's own listeners. */
  readonly onStdout?: OutputListener
  readonly onStderr?: OutputListener
  /** For `os.environ`, at most 1,000,000 characters in all; `TZ` (an IANA name) also sets the session's time zone. */
  readonly env?: Readonly<Record<string, string>>
  /** Host functions that the session's Python awaits, by name. Replaced on a live session with `setCallbacks`. */
  readonly callbacks?: Callbacks
  /**
   * `auto`: what completed executions leave is captured when the session falls idle, and before the next one where time
   * allows (a twentieth of a busy session's time, after a burst of half a second), so that a lost worker loses nothing.
   * `manual`: a lost worker's session goes on from its last `snapshotState()`. Default `auto`.
   */
  readonly checkpoint?: 'auto' | 'manual'
  /** Files that the session shares with others and with the host. They are in no snapshot, and stay when it ends. */
  readonly vfs?: VfsStorage
  /** Where Python finds them: absolute, not in a directory of the image's. Default `/data`. */
  readonly vfsMountPath?: string
  /** Start as this snapshot instead of empty; any number of sessions may. */
  readonly from?: Snapshot | Uint8Array
}

export interface ResolvedManagerOptions {
  readonly slots: number
  readonly maxQueued: number
  readonly acquireTimeoutMs: number
  readonly slotReuse: SlotReuse
  readonly idleTimeoutMs: number
  readonly maxMemoryBytes: number | null
  readonly cacheDir: string | undefined
  readonly snapshotKey: Uint8Array | undefined
  readonly limits: Readonly<Limits>
}

const SNAPSHOT_KEY_BYTES = 32

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
      'snapshotKey',
    ],
    'limits',
  ])
  const slots = numberOption({ min: 1, max: 1024, integer: true })
  const maxQueued = numberOption({ min: 0, max: 1_000_000, integer: true })
  const waitMs = numberOption({ min: 0, max: MAX_DELAY_MS, unit: 'milliseconds', infinite: true })
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
    snapshotKey: isSecretBytes('snapshotKey', options.snapshotKey, SNAPSHOT_KEY_BYTES),
    limits: resolveLimits(options.limits, DEFAULT_LIMITS),
  }
}

export function resolveSessionOptions(
  options: SessionOptions | undefined,
  defaults: ResolvedManagerOptions,
): ResolvedSessionOptions {
  const given = options === undefined ? {} : options
  known('options', given, [
    ...['id', 'tenant', 'executionTimeoutMs', 'limits', 'onStdout', 'onStderr', 'env'],
    ...['callbacks', 'checkpoint', 'vfs', 'vfsMountPath', 'from'],
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
    limits: {
      ...limits,
      executionTimeoutMs: resolveTimeoutMs(
        'executionTimeoutMs',
        given.executionTimeoutMs,
        limits.executionTimeoutMs,
      ),
    },
    onStdout: isFunction('onStdout', given.onStdout),
    onStderr: isFunction('onStderr', given.onStderr),
    env: isEnvironment('env', given.env),
    callbacks: resolveCallbacks('callbacks', given.callbacks),
    checkpoint: isOneOf('checkpoint', given.checkpoint, ['auto', 'manual']) ?? 'auto',
    vfs: resolveVfs(given),
    from:
      given.from === undefined
        ? undefined
        : requireSnapshot('from', given.from, trustOf(defaults.snapshotKey, tenant)),
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
