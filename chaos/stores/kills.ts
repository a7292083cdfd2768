// `node chaos/kills.mjs`: processes with sessions in a store, killed one after another at random moments (D1, D2). Owns the course of a
// run, and the checks after each kill; see chaos/README.md.
import { parseArgs } from 'node:util'
import { Random } from '../random.js'
import { Child } from './child.js'
import type { KillsOptions } from './kills-child.js'
import { isStoreKind, makeStore } from './stores.js'

/** More sessions than slots, so that some sleep while others run. */
const SESSIONS = 4
const SLOTS = 3
const LEASE_MS = 400
/** Unless told otherwise, kill a process at most this long after its first acknowledgement; LONGEST_START_MS is for early kills. */
const LONGEST_WORK_MS = 700
const LONGEST_START_MS = 1000
/** A process without an acknowledgement for this long hangs. */
const HANGING_MS = 60_000
/** One process out of this many is killed at a random time after its start, no matter what it has done. */
const EARLY = 4
/** One process out of this many waits for the leases to expire instead of taking over. */
const WAITING = 5

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'directory' },
    kills: { type: 'string', default: '300' },
    slots: { type: 'string', default: `${SLOTS}` },
    'work-ms': { type: 'string', default: `${LONGEST_WORK_MS}` },
    seed: { type: 'string' },
    'cache-dir': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
const kills = Number(values.kills)
const slots = Number(values.slots)
const workMs = Number(values['work-ms'])
const { store: kind } = values
const counts = [kills, slots, workMs]
if (!isStoreKind(kind) || ![seed, ...counts].every(Number.isInteger) || Math.min(...counts) < 1) {
  console.error(
    'usage: node chaos/kills.mjs [--store directory|postgres|redis] [--kills 300] [--slots 3] [--work-ms 700] [--seed N] [--cache-dir PATH] [--json]',
  )
  process.exit(2)
}

/** What the parent knows about a session. */
interface Known {
  /** The last execution that was acknowledged, or found in the store. */
  count: number
  /** Whether the current process has reported what it found. */
  isOpened: boolean
}

const random = new Random(seed)
const violations: string[] = []
const sessions = new Map<string, Known>()
const figures = {
  acknowledged: 0,
  /** Executions that were stored but not acknowledged. */
  unacknowledged: 0,
  opened: 0,
  killedWhileOpening: 0,
  waitedForLeases: 0,
}
const startedMs = performance.now()
const { address, remove } = await makeStore(kind)
const cacheDir = values['cache-dir']
const spare: Child[] = []
let onAcknowledged = () => {}
try {
  await run()
} finally {
  for (const child of spare) child.kill()
  await remove()
}
const seconds = Math.round((performance.now() - startedMs) / 1000)
const ok = violations.length === 0
if (values.json)
  console.log(JSON.stringify({ ok, seed, store: kind, kills, seconds, violations, ...figures }, null, 2))
else console.log({ ok, seed, store: kind, kills, seconds, violations, ...figures })
process.exit(ok ? 0 : 1)

async function run(): Promise<void> {
  // The next process starts while this one runs, so that it can follow immediately after the kill.
  let next = start(false)
  for (let kill = 1; kill <= kills && violations.length === 0; kill++) {
    const child = next
    await child.ready()
    for (const session of sessions.values()) session.isOpened = false
    child.begin()
    next = start(kill === kills)
    // The first kill is never early, so that even the shortest run has something to check.
    const isEarly = random.integer(1, EARLY) === 1 && kill > 1
    const afterMs = random.integer(0, isEarly ? LONGEST_START_MS : workMs)
    let timer: NodeJS.Timeout | undefined
    const killSoon = () => {
      timer ??= setTimeout(() => child.kill(), afterMs)
    }
    if (isEarly) killSoon()
    else onAcknowledged = killSoon
    const hanging = setTimeout(() => {
      violations.push(`process ${kill} has acknowledged nothing for ${HANGING_MS} ms`)
      child.kill()
    }, HANGING_MS)
    const { signal, code, stderr } = await child.ended
    clearTimeout(timer)
    clearTimeout(hanging)
    onAcknowledged = () => {}
    if (signal !== 'SIGKILL') violations.push(`process ${kill} ended by itself (${code}):\n${stderr}`)
    if (![...sessions.values()].every(({ isOpened }) => isOpened)) figures.killedWhileOpening += 1
    if (kill % 20 === 0) console.error(`${kill} kills, ${figures.acknowledged} acknowledged executions`)
  }
  // Only the last process ends by itself, so do not wait for any other.
  if (violations.length > 0) return
  await next.ready()
  for (const session of sessions.values()) session.isOpened = false
  next.begin()
  const { code, stderr } = await next.ended
  if (code !== 0) violations.push(`the last process failed (${code}):\n${stderr}`)
  for (const [id, { isOpened }] of sessions)
    if (!isOpened) violations.push(`the last process has not opened ${id}`)
}

function start(isLast: boolean): Child {
  const takeOver = isLast || random.integer(1, WAITING) > 1
  if (!takeOver) figures.waitedForLeases += 1
  const options: KillsOptions = {
    ...{ store: address, sessions: SESSIONS, slots, leaseMs: LEASE_MS, takeOver, isLast },
    ...(cacheDir === undefined ? {} : { cacheDir }),
  }
  const child = new Child('kills-child.js', options, check)
  spare.push(child)
  void child.ended.then(() => spare.splice(spare.indexOf(child), 1))
  return child
}

function check(line: string): void {
  const [what, id = '', number, isWhole] = line.split(' ')
  const count = Number(number)
  const known = sessions.get(id) ?? { count: 0, isOpened: false }
  sessions.set(id, known)
  if (what === 'ack') {
    // This also detects an execution that was done twice.
    if (count !== known.count + 1 || !known.isOpened)
      violations.push(`${id}: execution ${known.count + 1} was acknowledged as ${count}`)
    figures.acknowledged += 1
    onAcknowledged()
  } else if (what === 'opened') {
    // One execution may have been in flight.
    if (count !== known.count && count !== known.count + 1)
      violations.push(`${id}: ${known.count} executions were acknowledged, and the store had ${count}`)
    if (isWhole !== 'true') violations.push(`${id}: the log does not have each number once`)
    figures.opened += 1
    figures.unacknowledged += count - known.count
    known.isOpened = true
  } else violations.push(`a process said ${line}`)
  known.count = count
}
