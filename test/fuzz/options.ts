// Random options and arguments to the public API: each is accepted, or rejected with an InvalidOptionError (a TypeError if the contract
// says so) that names the option. No other error is allowed, and no session or process may be lost.
import {
  BrumateError,
  ConversionError,
  InvalidOptionError,
  SessionManager,
  Snapshot,
  VfsStorage,
} from 'brumate'
import { Random } from '../../chaos/random.js'
import type { FuzzOptions, FuzzReport } from './support/fuzzer.js'

export const name = 'options'

const MANAGER = [
  ...[
    'slots',
    'maxQueued',
    'acquireTimeoutMs',
    'idleTimeoutMs',
    'cacheDir',
    'snapshotKey',
    'limits',
    'slotReuse',
  ],
  ...['store', 'durability', 'isolation', 'unknown', '__proto__'],
]
const SESSION = [
  ...['id', 'tenant', 'callbacks', 'vfs', 'vfsMountPath', 'executionTimeoutMs', 'limits', 'checkpoint'],
  ...['onStdout', 'onStderr', 'env', 'from', 'unknown', 'constructor'],
]
const LIMITS = [
  ...['executionTimeoutMs', 'interruptGraceMs', 'callbackTimeoutMs', 'callbackInvocations', 'memoryBytes'],
  ...['outputBytes', 'fileBytes', 'snapshotBytes', 'unknown'],
]

/** Values that are wrong for nearly every option, in nearly every way. */
const VALUES: readonly (() => unknown)[] = [
  ...[() => undefined, () => null, () => true, () => '', () => 'x', () => '\ud800', () => '64MB', () => '\0'],
  ...[() => 'x'.repeat(200), () => '/data', () => '../..', () => '/a/../b', () => 'Europe/Lisbon'],
  ...[
    () => 0,
    () => -1,
    () => 1,
    () => 2.5,
    () => Number.NaN,
    () => Infinity,
    () => -0,
    () => 2 ** 53,
    () => 1e308,
  ],
  ...[() => 10n, () => Symbol('x'), () => () => {}, () => async () => {}, () => new Date(Number.NaN)],
  ...[
    () => [],
    () => [[]],
    () => new Map(),
    () => new Uint8Array(32),
    () => new Uint8Array(31),
    () => new ArrayBuffer(8),
  ],
  ...[
    () => Object.create(null),
    () => JSON.parse('{"then": 5}'),
    () => JSON.parse('{"__proto__": {"x": 1}}'),
  ],
  () => ({
    get x() {
      throw new Error('a getter')
    },
  }),
  () => ({ toString: () => ({}), valueOf: () => ({}) }),
]

function options(random: Random, names: readonly string[], depth = 0): unknown {
  if (random.chance(0.08)) return random.pick(VALUES)()
  const given: Record<string, unknown> = {}
  for (let left = random.integer(1, 3); left > 0; left--) {
    const key = random.pick(names)
    const nested = depth === 0 && key === 'limits' && random.chance(0.7)
    const value = nested ? options(random, LIMITS, 1) : random.pick(VALUES)()
    Object.defineProperty(given, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return given
}

export async function run({
  seed,
  deadlineMs,
  maxCases,
  cacheDir,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed)
  const counts: Record<string, number> = {}
  const faults: string[] = []
  const base = { slots: 2, ...(cacheDir === undefined ? {} : { cacheDir }) }
  const manager = await SessionManager.create(base)
  const session = await manager.createSession()
  const bytes = (await session.snapshotState()).toBytes()
  // biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
  const wrong = (names: readonly string[]) => options(random, names) as any
  const value = () => random.pick(VALUES)() as never
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    // `slots: 0` is invalid: creating a real manager would boot a slot each time.
    ['create', async () => (await SessionManager.create({ ...wrong(MANAGER), slots: 0 })).close()],
    ['createSession', async () => (await manager.createSession(wrong(SESSION))).close()],
    [
      'execute',
      () => session.execute(random.chance(0.5) ? value() : '1', wrong(['timeoutMs', 'signal', 'onStdout'])),
    ],
    ['get', () => session.get(value())],
    ['set', () => session.set(random.chance(0.5) ? value() : 'x', value())],
    ['setCallbacks', () => session.setCallbacks(wrong(['echo', 'a b', 'class', '__proto__']))],
    ['restoreState', () => session.restoreState(value(), wrong(['salvage']))],
    ['resume', () => session.resume(wrong(['results', 'errors']))],
    ['fromBytes', async () => Snapshot.fromBytes(random.chance(0.5) ? value() : bytes)],
    ['storage', async () => new VfsStorage(wrong(['maxBytes'])).close()],
    ['directory', async () => VfsStorage.directory(value(), wrong(['readOnly'])).close()],
  ]
  let cases = 0
  while (performance.now() < deadlineMs && cases < (maxCases ?? Infinity)) {
    const [call, attempt] = random.pick(calls)
    // The getters above throw their own error whenever an option is read.
    const outcome = await attempt().then(
      () => 'taken',
      (error: unknown) => outcomeOf(error),
    )
    cases++
    counts[outcome] = (counts[outcome] ?? 0) + 1
    if (outcome.startsWith('untyped')) faults.push(`case ${cases}, ${call}: ${outcome}`)
    onProgress(cases)
  }
  const { value: six } = await session.execute('2 * 3')
  if (six !== 6) faults.push(`the session then said ${String(six)}`)
  await manager.close()
  return { cases, counts, faults }
}

function outcomeOf(error: unknown): string {
  if (error instanceof InvalidOptionError) return 'InvalidOptionError'
  // A TypeError by contract.
  if (error instanceof BrumateError || error instanceof ConversionError) return error.name
  if (error instanceof Error && error.message === 'a getter') return 'a getter of its own'
  return `untyped: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 500) : String(error)}`
}
