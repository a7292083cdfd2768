// One of two processes that take sessions of one store from each other. Its code appends a token to the session's log. It prints
// `ran ID TOKEN COUNT` for each execution that was acknowledged (COUNT is the length of the log), `lost ID TOKEN` for each that was not,
// and `busy` if it could not get the session. The token names the process, the opening of the session, and the execution.
import {
  type Session,
  SessionClosedError,
  SessionManager,
  SessionMovedError,
  SessionOwnedError,
} from 'brumate'
import { Random } from '../random.js'
import { begun, say } from './say.js'
import { openStore, type StoreAddress } from './stores.js'

export interface MovesOptions {
  readonly store: StoreAddress
  readonly name: string
  readonly seed: number
  readonly sessions: number
  readonly slots: number
  readonly leaseMs: number
  readonly atOnce: number
  readonly runMs: number
  readonly cacheDir?: string
}

/** Probabilities: of closing the session after a call, and of taking the session from its owner when opening it. */
const CLOSE = 0.1
const TAKE_OVER = 0.4

const options = JSON.parse(process.argv[2] ?? '') as MovesOptions
const store = await openStore(options.store)
const { name, slots, leaseMs, cacheDir } = options
const manager = await SessionManager.create({
  ...{ store, slots, leaseMs, durability: 'checkpoint' },
  ...(cacheDir === undefined ? {} : { cacheDir }),
})
const random = new Random(options.seed)
/** Each opening of a session has its own object. */
const openings = new WeakMap<Session, number>()
let opened = 0
let executed = 0
await begun()
const endMs = performance.now() + options.runMs
await Promise.all(Array.from({ length: options.atOnce }, work))
await manager.close()
process.exit(0)

async function work(): Promise<void> {
  while (performance.now() < endMs) await once(`s-${random.integer(1, options.sessions)}`)
}

async function once(id: string): Promise<void> {
  let session: Session
  try {
    session = await manager.getOrCreate(id, { takeOver: random.chance(TAKE_OVER) })
  } catch (error) {
    if (!isMove(error)) throw error
    say('busy')
    return
  }
  const opening = openings.get(session) ?? ++opened
  openings.set(session, opening)
  const token = `${name}/${opening}/${++executed}`
  try {
    const code = `log = [*globals().get('log', []), ${JSON.stringify(token)}]; len(log)`
    const { value } = await session.execute(code)
    say('ran', id, token, value as number)
    if (random.chance(CLOSE)) await session.close()
  } catch (error) {
    if (!isMove(error)) throw error
    say('lost', id, token)
  }
}

/** Whether another process has the session, or another call of this process has closed it. */
function isMove(error: unknown): boolean {
  return (
    error instanceof SessionMovedError ||
    error instanceof SessionOwnedError ||
    error instanceof SessionClosedError
  )
}
