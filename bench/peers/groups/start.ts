// From nothing to a result: a new process, a further session, its first execution, and tenants that come and go. A pause between two
// sessions lets a peer get ready whatever it prepares ahead of need; there is none between two tenants.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Group, warmUpsOf } from '../group.js'
import type { Peer, Step } from '../peer.js'
import { type Measured, repeated } from '../samples.js'

const PROCESSES = 3
const SESSIONS = 16
const WARM_UP = 6
const PAUSE_MS = 80
const TENANTS = 60
const EARLY_TENANTS = 240

const BOOTED = 'plain Pyodide and python3 have run `None` before: they say by that that they have booted'

export const start: Group = {
  name: 'start',
  title: 'Starting',
  rounds: 3,
  rows: [
    { id: 'process', title: 'new process to its first result', unit: 'ms', state: 'cold' },
    { id: 'first-cold', title: 'first execution of a process', unit: 'ms', state: 'cold', note: BOOTED },
    { id: 'create', title: 'a further session', unit: 'ms', state: 'warm' },
    { id: 'first', title: 'its first execution', unit: 'ms', state: 'warm', note: BOOTED },
    { id: 'tenants-cold', title: `the first ${TENANTS} fresh tenants`, unit: 'per s', state: 'cold' },
    { id: 'tenants', title: 'fresh tenants: created, used once, closed', unit: 'per s', state: 'warm' },
  ],
  async measure(peer, samples) {
    const few = peer.mostSessions < SESSIONS
    for (let n = 0; n < (few ? 2 : PROCESSES); n++) samples.add('process', await firstResultMs(peer))
    await samples.take(peer, [
      { do: 'create', session: 'first' },
      { do: 'execute', session: 'first', code: 'x = 1', as: 'first-cold' },
      { do: 'close', session: 'first' },
    ])
    const tenantsPerSecond = async (name: string, count: number) => {
      const steps = repeated(count, (n): Step[] => [
        { do: 'create', session: `${name}-${n}` },
        { do: 'execute', session: `${name}-${n}`, code: 'x = 1' },
        { do: 'close', session: `${name}-${n}` },
      ])
      const done = await peer.perform(steps)
      return count / (done.reduce((sum, { ms }) => sum + ms, 0) / 1000)
    }
    const tenants = few ? 1 : TENANTS
    samples.add('tenants-cold', await tenantsPerSecond('first', tenants))
    if (!few) await tenantsPerSecond('early', warmUpsOf(peer, EARLY_TENANTS))
    samples.add('tenants', await tenantsPerSecond('warm', tenants))

    const session = (n: number): Measured[] => {
      const measured = few || n >= WARM_UP
      return [
        { do: 'create', session: 'further', ...(measured ? { as: 'create' } : {}) },
        { do: 'execute', session: 'further', code: 'x = 1', ...(measured ? { as: 'first' } : {}) },
        { do: 'close', session: 'further' },
        { do: 'sleep', forMs: PAUSE_MS },
      ]
    }
    await samples.take(peer, repeated(few ? 1 : SESSIONS, session))
  },
}

async function firstResultMs({ firstResult: [command, ...args] }: Peer): Promise<number> {
  const startedMs = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [line] = await Promise.race([once(child.stdout, 'data'), exited])
  const durationMs = performance.now() - startedMs
  if (!Buffer.isBuffer(line)) throw new Error(`${command} ended without a first result`)
  child.kill('SIGKILL')
  await exited
  return durationMs
}
