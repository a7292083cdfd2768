// What the commands that serve sessions share: the options of their manager, key files, and when they stop. Owns the names and defaults of
// these options.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { deferred } from '../deferred.js'
import { Image } from '../image.js'
import { SessionManager } from '../manager.js'
import { messageOf } from '../shared/thrown.js'
import type { SnapshotStore } from '../store/store.js'
import { type CommandInput, integerOf, type Option, textOf, UsageError } from './command.js'
import { openStore } from './open-store.js'
import { PACKAGE_OPTIONS, packageOptions } from './package-options.js'

const MiB = 2 ** 20
/** Short, because a server that is restarted after a crash waits for the old one's leases. */
const LEASE_MS = 10_000

export const SERVING_OPTIONS: Readonly<Record<string, Option>> = {
  store: { type: 'string', value: 'STORE', help: 'where sessions are kept' },
  timeout: { type: 'string', value: 'SECONDS', help: 'how long code may run by default; default: 30' },
  memory: { type: 'string', value: 'MIB', help: 'memory of a session; default: 256' },
  slots: { type: 'string', value: 'N', help: 'sessions that run at a time; default: 4 for each core' },
  image: { type: 'string', value: 'FILE', help: 'an image file of `brumate image build`' },
  ...PACKAGE_OPTIONS,
}

/** A manager as the command line configures it, with its store. */
export interface Serving extends AsyncDisposable {
  readonly manager: SessionManager
  readonly timeoutMs: number
  readonly memoryBytes: number
}

/**
 * @param command name of the command, for messages
 * @throws UsageError, and what opening the store, the image and the manager throws
 */
export async function openServing(command: string, input: CommandInput): Promise<Serving> {
  const { values, progress } = input
  const timeoutSeconds = integerOf(values, 'timeout', 1, 86_400) ?? 30
  const memoryMiB = integerOf(values, 'memory', 64, 4096) ?? 256
  const slots = integerOf(values, 'slots', 1, 1024)
  const cacheDir = textOf(values, 'cache-dir')
  const store = await storeOf(command, values)
  try {
    progress.show('opening the image …')
    const image = await imageOf(input)
    const manager = await SessionManager.create({
      ...(image === undefined ? {} : { image }),
      ...(slots === undefined ? {} : { slots }),
      ...(store === undefined ? {} : { store, durability: 'checkpoint' as const }),
      ...(cacheDir === undefined || image !== undefined ? {} : { cacheDir }),
      leaseMs: LEASE_MS,
    })
    return {
      ...{ manager, timeoutMs: timeoutSeconds * 1000, memoryBytes: memoryMiB * MiB },
      async [Symbol.asyncDispose]() {
        try {
          await manager.close()
        } finally {
          await store?.close?.()
        }
      },
    }
  } catch (error) {
    await store?.close?.()
    throw error
  }
}

/** Clients and service managers stop a server with SIGTERM. Sessions are then stored before the process ends. */
export function untilStopped(
  signal: AbortSignal,
): readonly [stopped: Promise<void>, stopListening: () => void] {
  const { promise: stopped, resolve } = deferred<void>()
  const stop = () => resolve()
  process.once('SIGTERM', stop)
  signal.addEventListener('abort', stop, { once: true })
  return [stopped, () => process.off('SIGTERM', stop)]
}

async function storeOf(command: string, values: CommandInput['values']): Promise<SnapshotStore | undefined> {
  const given = textOf(values, 'store') ?? process.env.BRUMATE_STORE
  if (given === undefined || given === '') return undefined
  const onDamaged = (error: Error) => process.stderr.write(`brumate ${command}: ${error.message}\n`)
  return openStore(expandHome(given), values, { onDamaged, makesMissing: true })
}

async function imageOf(input: CommandInput): Promise<Image | undefined> {
  const { values } = input
  const file = textOf(values, 'image')
  const wants = ['package', 'requirements'].some((name) => values[name] !== undefined)
  if (file !== undefined && wants) throw new UsageError('--image has its own packages: give no -p and no -r')
  if (file !== undefined) return Image.load(expandHome(file))
  return wants ? Image.build(packageOptions(input)) : undefined
}

/** Expands `~/`, because clients start the program without a shell. */
export function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
}

/** @throws UsageError */
export async function readKeys(option: string, file: string): Promise<string> {
  try {
    return await readFile(expandHome(file), 'utf8')
  } catch (cause) {
    throw new UsageError(`--${option}: ${messageOf(cause, file)}`)
  }
}

/**
 * Parses lines of a tenant and its key. Empty lines and lines that begin with `#` are skipped.
 *
 * @throws UsageError
 */
export function keyLines(option: string, content: string, what: string): Record<string, string> {
  const keys: Record<string, string> = Object.create(null)
  for (const [i, line] of content.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    const [tenant, key] = words
    if (tenant === undefined || key === undefined || words.length > 2 || tenant in keys)
      throw new UsageError(`--${option}: line ${i + 1}: expected TENANT ${what}, each tenant once`)
    keys[tenant] = key
  }
  return keys
}
