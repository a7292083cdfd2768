// brumate itself, through its public API, with default options except for checkpoints: a session takes them only in rows about them,
// because no peer does that work. Each session name in the steps is a tenant of its own.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, type ManagerOptions, type Session, SessionManager, type Snapshot } from 'brumate'
import { firstResultHere, type Peer, type PeerOptions, type Purpose, performHere } from './peer.js'

const DEADLINE_MS = 300

export async function openBrumate({ sessions: count, wheels }: PeerOptions): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), 'brumate-bench-'))
  const packages =
    wheels === undefined ? {} : { packages: ['numpy', 'pandas'], preload: [], wheels, indexUrl: null }
  const make = (options: ManagerOptions) =>
    SessionManager.create({ ...packages, ...(count === undefined ? {} : { slots: count }), ...options })
  const manager = await make({})
  let durable: SessionManager | undefined
  const sessions = new Map<string, Session>()
  const session = (name: string) => {
    const found = sessions.get(name)
    if (found === undefined) throw new Error(`no session ${name}`)
    return found
  }
  let taken: Snapshot | undefined

  const create = async (id: string, purpose?: Purpose): Promise<void> => {
    if (purpose === 'durability')
      durable ??= await make({ durability: 'checkpoint', store: new DirectoryStore(folder) })
    const owner = purpose === 'durability' && durable ? durable : manager
    const options = {
      checkpoint: purpose === 'durability' || purpose === 'checkpoints' ? 'auto' : 'manual',
      ...(purpose === 'callbacks'
        ? { callbacks: { add: ({ a, b }: { a: number; b: number }) => a + b } }
        : {}),
      ...(purpose === 'deadline' ? { executionTimeoutMs: DEADLINE_MS } : {}),
    } as const
    const made = purpose === 'durability' ? owner.getOrCreate(id, options) : owner.createSession(options)
    sessions.set(id, await made)
  }
  const execute = async (name: string, code: string) => {
    const { value, repr, stdout } = await session(name).execute(code)
    return { value: stdout || (typeof value === 'string' ? value : (repr ?? '')) }
  }
  return {
    name: 'brumate',
    call: 'await add(a=1, b=1)',
    files: '/tmp/',
    mostSessions: 64,
    firstResult: firstResultHere('brumate'),
    version: async () => {
      const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
      await create('version')
      const { value } = await execute('version', 'import platform; platform.python_version()')
      return `${version} (CPython ${value})`
    },
    perform: (steps) =>
      performHere(steps, {
        create: (step) => create(step.session, step.for),
        execute: (step) => execute(step.session, step.code),
        cell: (step) => execute(step.session, step.code),
        snapshot: async (step) => {
          taken = await session(step.session).snapshotState()
          return { bytes: taken.size }
        },
        restore: async (step) => {
          if (taken) await session(step.session).restoreState(taken)
        },
        // Nothing to do: the session continues by itself.
        recover: () => {},
        rest: (step) => session(step.session).hibernate(),
        close: async (step) => {
          await session(step.session).close()
          sessions.delete(step.session)
        },
      }),
    close: async () => {
      await manager.close()
      await durable?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
