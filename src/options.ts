// Options: what a caller may say, and the resolved form with every default that the rest of the library sees.
// Resolving happens once, here; nobody else checks an option or knows a default.
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type Callbacks, type ResolvedCallbacks, resolveCallbacks } from './callbacks/callbacks.js'
import { InvalidOptionError } from './errors.js'
import { defaultMaxMemoryBytes, MIN_MEMORY_BYTES } from './memory/manager-memory.js'
import {
  isBoolean,
  isEnvironment,
  isFunction,
  isOneOf,
  isRecord,
  isSecretBytes,
  isSignal,
  isText,
  known,
  numberOption,
} from './options/check.js'
import { type Trust, trustOf } from './snapshot/signature.js'
import { Snapshot } from './snapshot/snapshot.js'
import { checkMountPath } from './vfs/paths.js'
import { VfsStorage } from './vfs/storage.js'

/** Bounds of one session. `null` removes a bound. */
export interface Limits {
  /** Longest run of one execution in ms, its clock starting with the execution, host-call waits included. Default 30,000. */
  executionTimeoutMs: number | null
  /** How long interrupted code may take to end before its worker is ended, in ms, 0 to 60,000. Default 250. */
  interruptGraceMs: number
  /**
   * Longest run of one host call in ms, its clock starting when the call arrives. Past it Python gets TimeoutError and the
   * callback's signal aborts. Default 10,000.
   */
  callbackTimeoutMs: number | null
  /** Most host calls of one execution. Past it Python gets RuntimeError. Default 1,000. */
  callbackInvocations: number | null
  /** Memory of the interpreter in bytes, at least 64 MiB. Past it Python gets MemoryError. Default 256 MiB. */
  memoryBytes: number | null
  /** Output of one execution in bytes, stdout and stderr each. Default 8 MiB. */
  outputBytes: number | null
  /** The session's own files in bytes. Past it Python gets OSError ENOSPC. Default 64 MiB. */
  fileBytes: number | null
  /** One snapshot in bytes, packed. A session past it cannot be captured. Default 256 MiB. */
  snapshotBytes: number | null
}

/** Gets text as it is written, in order; chunks end anywhere. What it throws rejects the execution once that ends. */
export type OutputListener = (chunk: string) => void

export interface ManagerOptions {
  /** Most live interpreters, 1 to 1,024. Default max(8, 4 × availableParallelism()). Booted ahead of need, not all at once. */
  readonly slots?: number
  /** Most callers waiting for a slot; one more is refused with PoolExhaustedError. 0 to 1,000,000. Default 1,024. */
  readonly maxQueued?: number
  /** Longest wait for a slot in ms, from the call on. Default 30,000; Infinity waits for ever. */
  readonly acquireTimeoutMs?: number
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
  /** Who the session belongs to; a slot never serves two tenants. 1 to 256 characters of well-formed Unicode. Default: the session's id. */
  readonly tenant?: string
  /** Short for `limits.executionTimeoutMs`, and wins over it. Can be changed on the session. */
  readonly executionTimeoutMs?: number | null
  /** Over the manager's defaults. */
  readonly limits?: Partial<Limits>
  /** Heard for every execution of the session, beside the execution's own listeners. */
  readonly onStdout?: OutputListener
  readonly onStderr?: OutputListener
  /** For `os.environ`; `TZ` (an IANA name) also sets the session's time zone. */
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

export interface RestoreOptions {
  /** Take the plain values of the globals where the memory cannot be restored, for want of its image. Default false. */
  readonly salvage?: boolean
}

/** Answers of pending host calls, by their id; all or some. */
export interface ResumeOptions extends ExecuteOptions {
  /** Values that the calls return. */
  readonly results?: Readonly<Record<string, unknown>>
  /** Errors that the calls raise, as if their callbacks had thrown them. */
  readonly errors?: Readonly<Record<string, unknown>>
}

export interface ExecuteOptions {
  /** Longest run of this execution in ms; default: the session's `executionTimeoutMs`. `null`: no bound. */
  readonly timeoutMs?: number | null
  /** Aborting takes a queued execution out of the queue and interrupts a running one. */
  readonly signal?: AbortSignal
  readonly onStdout?: OutputListener
  readonly onStderr?: OutputListener
}

export interface ResolvedManagerOptions {
  readonly slots: number
  readonly maxQueued: number
  readonly acquireTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxMemoryBytes: number | null
  readonly cacheDir: string | undefined
  readonly snapshotKey: Uint8Array | undefined
  readonly limits: Readonly<Limits>
}

export interface ResolvedSessionOptions {
  readonly id: string
  readonly tenant: string
  readonly limits: Readonly<Limits>
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
  readonly env: Readonly<Record<string, string>>
  readonly callbacks: ResolvedCallbacks
  readonly checkpoint: 'auto' | 'manual'
  readonly vfs: { readonly storage: VfsStorage; readonly mountPath: string } | undefined
  readonly from: Snapshot | undefined
}

export interface ResolvedExecuteOptions {
  readonly timeoutMs: number | null
  readonly signal: AbortSignal | undefined
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
}

type ByteLimit = 'memoryBytes' | 'outputBytes' | 'fileBytes' | 'snapshotBytes'

const MiB = 1024 * 1024
const SNAPSHOT_KEY_BYTES = 32
/** setTimeout's own bound: a longer delay would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

const DEFAULT_LIMITS: Readonly<Limits> = {
  executionTimeoutMs: 30_000,
  interruptGraceMs: 250,
  callbackTimeoutMs: 10_000,
  callbackInvocations: 1000,
  memoryBytes: 256 * MiB,
  outputBytes: 8 * MiB,
  fileBytes: 64 * MiB,
  snapshotBytes: 256 * MiB,
}

const timeoutMs = numberOption({ min: 1, max: MAX_DELAY_MS, unit: 'milliseconds', nullable: true })

const invocations = numberOption({ min: 0, max: 1_000_000_000, integer: true, nullable: true })

const graceMs = numberOption({ min: 0, max: 60_000, unit: 'milliseconds' })

export function resolveManagerOptions(options: ManagerOptions = {}): ResolvedManagerOptions {
  known('options', options, [
    ...[
      'slots',
      'maxQueued',
      'acquireTimeoutMs',
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
  const given = options ?? {}
  known('options', given, [
    ...['id', 'tenant', 'executionTimeoutMs', 'limits', 'onStdout', 'onStderr', 'env'],
    ...['callbacks', 'checkpoint', 'vfs', 'vfsMountPath', 'from'],
  ])
  const id = isText('id', given.id, { pattern: /^[A-Za-z0-9_-]{1,128}$/ }) ?? randomUUID()
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
  if (vfs.isClosed) throw new InvalidOptionError('vfs', 'a VfsStorage that is open', vfs)
  return { storage: vfs, mountPath }
}

/**
 * With a key, bytes that were not signed with it are refused before anything else is read of them.
 *
 * @throws SnapshotError when they are bytes, but not of a snapshot that may be taken
 */
export function requireSnapshot(
  name: string,
  value: Snapshot | Uint8Array,
  trust: Trust | undefined,
): Snapshot {
  if (value instanceof Snapshot) return value
  if (value instanceof Uint8Array) return Snapshot.read(value, trust)
  throw new InvalidOptionError(name, 'a Snapshot or the bytes of one', value)
}

/** @throws InvalidOptionError */
export function resolveResumeOptions(options: ResumeOptions | undefined, defaultTimeoutMs: number | null) {
  const given = options ?? {}
  const { results = {}, errors = {}, ...rest } = given
  known('options', given, ['results', 'errors', 'timeoutMs', 'signal', 'onStdout', 'onStderr'])
  return {
    results: isRecord('results', results),
    errors: isRecord('errors', errors),
    execute: resolveExecuteOptions(rest, defaultTimeoutMs),
  }
}

/** Whether to salvage. */
export function resolveRestoreOptions(options: RestoreOptions | undefined): boolean {
  const given = options ?? {}
  known('options', given, ['salvage'])
  return isBoolean('salvage', given.salvage) ?? false
}

export function resolveExecuteOptions(
  options: ExecuteOptions | undefined,
  defaultTimeoutMs: number | null,
): ResolvedExecuteOptions {
  const given = options ?? {}
  known('options', given, ['timeoutMs', 'signal', 'onStdout', 'onStderr'])
  return {
    timeoutMs: resolveTimeoutMs('timeoutMs', given.timeoutMs, defaultTimeoutMs),
    signal: isSignal('signal', given.signal),
    onStdout: isFunction('onStdout', given.onStdout),
    onStderr: isFunction('onStderr', given.onStderr),
  }
}

/** An execution's time limit in ms, or `null` for none. */
export function resolveTimeoutMs(
  name: string,
  value: number | null | undefined,
  fallback: number | null,
): number | null {
  return timeoutMs<number | null>(name, value, fallback)
}

function resolveLimits(limits: Partial<Limits> | undefined, defaults: Readonly<Limits>): Limits {
  const given = limits ?? {}
  known('limits', given, Object.keys(DEFAULT_LIMITS))
  const bytes = (name: ByteLimit, min: number, max: number) =>
    numberOption({ min, max, unit: 'bytes', integer: true, nullable: true })<number | null>(
      `limits.${name}`,
      given[name],
      defaults[name],
    )
  return {
    executionTimeoutMs: resolveTimeoutMs(
      'limits.executionTimeoutMs',
      given.executionTimeoutMs,
      defaults.executionTimeoutMs,
    ),
    interruptGraceMs: graceMs('limits.interruptGraceMs', given.interruptGraceMs, defaults.interruptGraceMs),
    callbackTimeoutMs: resolveTimeoutMs(
      'limits.callbackTimeoutMs',
      given.callbackTimeoutMs,
      defaults.callbackTimeoutMs,
    ),
    callbackInvocations: invocations<number | null>(
      'limits.callbackInvocations',
      given.callbackInvocations,
      defaults.callbackInvocations,
    ),
    memoryBytes: bytes('memoryBytes', 64 * MiB, 4096 * MiB),
    outputBytes: bytes('outputBytes', 0, 2 ** 31),
    fileBytes: bytes('fileBytes', 0, 2 ** 40),
    snapshotBytes: bytes('snapshotBytes', 64 * 1024, 2 ** 30),
  }
}
