// The options of managers and sessions in their resolved form, with all defaults, which the rest of the library uses. They are validated and
// resolved once, here and in src/options/. No other file contains a default.
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { resolveCallbacks } from '../callbacks/callbacks.js'
import { resolveInput } from '../callbacks/input.js'
import { Image } from '../image.js'
import { defaultMaxMemoryBytes, MIN_MEMORY_BYTES } from '../memory/manager-memory.js'
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
} from '../options/check.js'
import { resolveLabels } from '../options/labels.js'
import {
  DEFAULT_LIMITS,
  type Limits,
  MAX_DELAY_MS,
  resolveLimits,
  resolveTimeoutMs,
} from '../options/limits.js'
import { requireSnapshot } from '../options/snapshot.js'
import type { GetOrCreateOptions, ManagerOptions, SessionOptions } from '../options.js'
import { PACKAGE_OPTION_NAMES, type PackageOptions } from '../packages/options.js'
import type { PackageProgress } from '../packages/progress.js'
import type { ResolvedSessionOptions } from '../session/options.js'
import { InvalidOptionError } from '../shared/errors.js'
import { trustOf } from '../shared/snapshot/signature.js'
import type { SlotReuse } from '../slots/pool-options.js'
import type { SnapshotStore } from '../store/store.js'
import { TELEMETRY_METHODS, type Telemetry } from '../telemetry/telemetry.js'
import { checkMountPath } from '../vfs/paths.js'
import { VfsStorage } from '../vfs/storage.js'

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
