// A process that will be killed. It opens the sessions of the process before it, reports what it found in each, and then executes in all of
// them at once. It prints `opened ID N ISWHOLE` for what it found, and `ack ID N` for each execution that was acknowledged.
import { SessionManager, SessionOwnedError } from 'brumate'
import { begun, pause, say } from './say.js'
import { openStore, type StoreAddress } from './stores.js'

export interface KillsOptions {
  readonly store: StoreAddress
  readonly sessions: number
  readonly slots: number
  readonly leaseMs: number
  /** If false, it waits until the leases of the process before it have expired. */
  readonly takeOver: boolean
  /** Whether to report what it found, and end. */
  readonly isLast: boolean
  readonly cacheDir?: string
}

const LARGE_BYTES = 2_000_000

const options = JSON.parse(process.argv[2] ?? '') as KillsOptions
const store = await openStore(options.store)
const { slots, leaseMs, cacheDir } = options
const manager = await SessionManager.create({
  ...{ store, slots, leaseMs, durability: 'checkpoint' },
  ...(cacheDir === undefined ? {} : { cacheDir }),
})
await begun()
await Promise.all(
  Array.from({ length: options.sessions }, (_, number) => run(`session-${number}`, number % 2 === 1)),
)
await manager.close()
process.exit(0)

/** @param isLarge whether the session has so much data besides the counter that the store gets deltas */
async function run(id: string, isLarge: boolean): Promise<void> {
  const session = await open(id)
  const look = `
import random, zlib
n = globals().get('n', 0); log = globals().get('log', [])
if 'ballast' not in globals(): ballast = random.randbytes(${isLarge ? LARGE_BYTES : 0}); mark = zlib.crc32(ballast)
[n, log == list(range(1, n + 1)) and zlib.crc32(ballast) == mark]`
  const [found = 0, isWhole = false] = (await session.execute(look)).value as [number, boolean]
  say('opened', id, found, isWhole)
  while (!options.isLast) {
    const { value } = await session.execute('n += 1; log.append(n); n')
    say('ack', id, value as number)
  }
}

async function open(id: string) {
  for (;;)
    try {
      return await manager.getOrCreate(id, { takeOver: options.takeOver })
    } catch (error) {
      if (!(error instanceof SessionOwnedError)) throw error
      await pause(20)
    }
}
