// A process that is to be killed. It opens the sessions that the process before it had, says what it found in each, and then executes in
// all of them at once. It says `opened ID N ISWHOLE` for what it found and `ack ID N` for each execution that was acknowledged.
import { SessionManager, SessionOwnedError } from 'brumate'
import { begun, pause, say } from './say.js'
import { openStore, type StoreAddress } from './stores.js'

export interface KillsOptions {
  readonly store: StoreAddress
  readonly sessions: number
  readonly slots: number
  readonly leaseMs: number
  /** Otherwise it waits until the leases of the process before it have ended. */
  readonly takeOver: boolean
  /** Says what it found, and ends. */
  readonly isLast: boolean
  readonly cacheDir?: string
}

const options = JSON.parse(process.argv[2] ?? '') as KillsOptions
const store = await openStore(options.store)
const { slots, leaseMs, cacheDir } = options
const manager = await SessionManager.create({
  ...{ store, slots, leaseMs, durability: 'checkpoint' },
  ...(cacheDir === undefined ? {} : { cacheDir }),
})
await begun()
await Promise.all(Array.from({ length: options.sessions }, (_, number) => run(`session-${number}`)))
await manager.close()
process.exit(0)

async function run(id: string): Promise<void> {
  const session = await open(id)
  const look = "n = globals().get('n', 0); log = globals().get('log', []); [n, log == list(range(1, n + 1))]"
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
