// `node chaos/moves.mjs`: two processes open fifty sessions of one store, and take them from each other at random (D1). Owns the course of
// a run, and the checks after it; see chaos/README.md.
import { parseArgs } from 'node:util'
import { SessionManager } from 'brumate'
import { Random } from '../random.js'
import { Child } from './child.js'
import type { MovesOptions } from './moves-child.js'
import { pause } from './say.js'
import { isStoreKind, makeStore, openStore } from './stores.js'

const PROCESSES = ['a', 'b']
const SESSIONS = 50
const SLOTS = 3
/** Concurrent calls of one process. */
const AT_ONCE = 6
/** Short enough that some leases expire while their session is idle. */
const LEASE_MS = 1500
/** Bounds of the time between two freezes, and of a freeze's duration. Some freezes are longer than a lease. */
const BETWEEN_MS = [300, 3000] as const
const FREEZE_MS = [300, 2500] as const

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'directory' },
    seconds: { type: 'string', default: '60' },
    sessions: { type: 'string', default: `${SESSIONS}` },
    slots: { type: 'string', default: `${SLOTS}` },
    seed: { type: 'string' },
    'cache-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
const runMs = Number(values.seconds) * 1000
const sessions = Number(values.sessions)
const slots = Number(values.slots)
const { store: kind } = values
if (
  !isStoreKind(kind) ||
  !Number.isInteger(seed) ||
  !(runMs > 0) ||
  ![sessions, slots].every((count) => Number.isInteger(count) && count >= 1)
) {
  console.error(
    'usage: node chaos/moves.mjs [--store directory|postgres|redis] [--seconds 60] [--sessions 50] [--slots 3] [--seed N] [--cache-dir PATH] [--json]',
  )
  process.exit(2)
}

const violations: string[] = []
/** By session: the log length with which each token was acknowledged. */
const acknowledged = new Map<string, Map<string, number>>()
/** Tokens of executions that rejected. */
const lost = new Set<string>()
const figures = {
  acknowledged: 0,
  rejected: 0,
  rejectedAndStored: 0,
  notOpened: 0,
  changesOfOwner: 0,
  freezes: 0,
}
const cacheDir = values['cache-dir']
const cached = cacheDir === undefined ? {} : { cacheDir }
const { address, remove } = await makeStore(kind)
const children: Child[] = []
try {
  await run()
  await check()
} finally {
  for (const child of children) child.kill()
  await remove()
}
const ok = violations.length === 0
const report = { ok, seed, store: kind, seconds: runMs / 1000, sessions, violations, ...figures }
console.log(values.json ? JSON.stringify(report, null, 2) : report)
process.exit(ok ? 0 : 1)

async function run(): Promise<void> {
  const random = new Random(seed)
  for (const name of PROCESSES) {
    const options: MovesOptions = {
      ...{ store: address, name, seed: random.integer(0, 2 ** 31), sessions, slots },
      ...{ leaseMs: LEASE_MS, atOnce: AT_ONCE, runMs },
      ...cached,
    }
    children.push(new Child('moves-child.js', options, hear))
  }
  await Promise.all(children.map((child) => child.ready()))
  for (const child of children) child.begin()
  const endMs = performance.now() + runMs
  for (;;) {
    await pause(random.integer(...BETWEEN_MS))
    if (performance.now() >= endMs) break
    await random.pick(children).freeze(random.integer(...FREEZE_MS))
    figures.freezes += 1
  }
  for (const { code, signal, stderr } of await Promise.all(children.map(({ ended }) => ended)))
    if (code !== 0) violations.push(`a process failed (${code ?? signal}):\n${stderr}`)
}

function hear(line: string): void {
  const [what, id = '', token = '', count] = line.split(' ')
  if (what === 'busy') figures.notOpened += 1
  else if (what === 'lost') {
    figures.rejected += 1
    lost.add(token)
  } else {
    figures.acknowledged += 1
    const ofSession = acknowledged.get(id) ?? new Map<string, number>()
    acknowledged.set(id, ofSession.set(token, Number(count)))
  }
}

async function check(): Promise<void> {
  const store = await openStore(address)
  const manager = await SessionManager.create({ store, slots: 1, ...cached })
  for (const [id, counts] of acknowledged) {
    const session = await manager.openSession(id, { takeOver: true })
    const log = (await session.get('log')) as string[]
    await session.close()
    checkLog(id, log, counts)
  }
  await manager.close()
}

function checkLog(id: string, log: readonly string[], counts: ReadonlyMap<string, number>): void {
  for (const [token, count] of counts)
    if (log[count - 1] !== token)
      violations.push(`${id}: ${token} was acknowledged as number ${count}, which is ${log[count - 1]}`)
  if (new Set(log).size !== log.length) violations.push(`${id}: an execution is there twice`)
  const before = new Set<string>()
  let last: string | undefined
  for (const token of log) {
    if (!counts.has(token)) {
      if (lost.has(token)) figures.rejectedAndStored += 1
      else violations.push(`${id}: nobody executed ${token}`)
    }
    // A process that lost a session opens it again before it writes, so the tokens of one opening must be contiguous.
    const opening = token.slice(0, token.lastIndexOf('/'))
    if (opening === last) continue
    if (before.has(opening))
      violations.push(`${id}: ${token} was written after its process had lost the session`)
    if (last !== undefined && last[0] !== opening[0]) figures.changesOfOwner += 1
    before.add(opening)
    last = opening
  }
}
