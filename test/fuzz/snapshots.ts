// Damaged and invented snapshots: real ones with changed bytes, and heads of random values with correct checksums. Each is read or
// rejected with a SnapshotError, in bounded main-thread time and memory, and a session that rejects one stays usable.
import { InterpreterCrashedError, type Session, SessionManager, Snapshot, SnapshotError } from 'brumate'
import { Random } from '../../chaos/random.js'
import { array, KINDS, map, text } from '../snapshot/support/dearest.js'
import { mutate } from '../snapshot/support/mutate.js'
import { close, type Opened, open } from '../snapshot/support/rebuild.js'

export const name = 'snapshots'

interface FuzzOptions {
  readonly seed: number
  readonly deadlineMs: number
  readonly maxCases?: number
  readonly cacheDir?: string
  readonly onProgress: (cases: number) => void
}

interface FuzzReport {
  readonly cases: number
  readonly counts: Record<string, number>
  readonly faults: string[]
}

/** Main-thread time allowed for one document. */
const LONGEST_MS = 20
/** Above the memory used at the start. */
const MOST_BYTES = 400 * 2 ** 20
/** Share of cases that are also restored, because a restore takes much longer than everything else. */
const RESTORED = 0.1
const MAX_FAULTS = 20

const CODE = `
import os
os.makedirs('/tmp/a'); open('/tmp/a/f', 'w').write('text')
x = [{'k': i, 'at': 1.5} for i in range(20)]; big = 2 ** 70; s = {1, 2}; lone = '\\ud800'
kept = 41
`

export async function run({
  seed,
  deadlineMs,
  maxCases = Number.POSITIVE_INFINITY,
  cacheDir,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed)
  const below = (n: number) => random.integer(0, Math.max(0, n - 1))
  const counts: Record<string, number> = {}
  const faults: string[] = []
  const count = (outcome: string) => {
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  await using manager = await SessionManager.create({
    slots: 2,
    ...(cacheDir === undefined ? {} : { cacheDir }),
  })
  await using session = await manager.createSession({ tenant: 'fuzz', checkpoint: 'manual' })
  await session.execute(CODE)
  const bytes = (await session.snapshotState()).toBytes()
  const opened = open(bytes)
  const startBytes = process.memoryUsage.rss()
  let cases = 0
  for (; cases < maxCases && performance.now() < deadlineMs && faults.length < MAX_FAULTS; cases++) {
    const document = draw(random, below, bytes, opened)
    const fault = (what: string) => {
      faults.push(`case ${cases}: ${what}: ${Buffer.from(document).toString('hex').slice(0, 2000)}`)
    }
    const outcome = read(document)
    if (outcome instanceof Error) fault(`${outcome.stack}`)
    else count(outcome)
    // Other processes use the machine too, so only what is slow every time counts.
    if (fastestMs(document) > LONGEST_MS) fault('reading it takes too long')
    if (random.chance(RESTORED)) {
      const restored = await restore(session, document)
      if (restored instanceof Error) fault(`${restored.stack}`)
      else count(`restore: ${restored}`)
      if (restored === 'taken' || restored === 'crashed') await session.restoreState(bytes)
      if ((await session.get('kept')) !== 41) fault('the session is not what it was')
    }
    if (process.memoryUsage.rss() - startBytes > MOST_BYTES) fault('the process grows')
    if (cases % 100 === 0) {
      onProgress(cases)
      // Reading is synchronous, so yield to the event loop here.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { cases, counts, faults }
}

function draw(random: Random, below: (n: number) => number, bytes: Uint8Array, opened: Opened): Uint8Array {
  const some = () => values(random, below)
  return random
    .weighted<{ weight: number; make: () => Uint8Array }>([
      { weight: 3, make: () => mutate(bytes, below) },
      { weight: 1, make: () => Buffer.concat([bytes.subarray(0, below(60)), some()]) },
      { weight: 3, make: () => withHead(opened, { values: map([['v', some()]]) }) },
      {
        weight: 2,
        make: () => withHead(opened, { values: mutate(opened.head.values as Uint8Array, below) }),
      },
      {
        weight: 2,
        make: () => withHead(opened, { description: mutate(opened.head.description as Uint8Array, below) }),
      },
      { weight: 2, make: () => withHead(opened, { description: description(some()) }) },
      {
        weight: 1,
        make: () => withHead(opened, { [random.pick(Object.keys(opened.head))]: random.pick(ODD) }),
      },
    ])
    .make()
}

const ODD: readonly unknown[] = [
  null,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  '',
  'x',
  [],
  [[]],
  {},
  { 7: 'why' },
  Buffer.alloc(3),
]

function withHead(opened: Opened, changes: Record<string, unknown>): Uint8Array {
  return close({ ...opened, head: { ...opened.head, ...changes } })
}

function description(args: Uint8Array): Uint8Array {
  const call = map([
    ['id', Buffer.from([7])],
    ['name', text('f')],
    ['args', map([['v', args]])],
  ])
  return map([
    ['globals', array([])],
    ['pending', array([call])],
  ])
}

/** Lists of a few kinds of values, short or as long as fits in a document. */
function values(random: Random, below: (n: number) => number): Uint8Array {
  const lists: Uint8Array[] = []
  let room = random.pick([100, 10_000, 2 ** 20])
  for (let i = random.integer(1, 4); i > 0; i--) {
    const make = random.pick(Object.values(KINDS))
    const members: Uint8Array[] = []
    for (let wanted = random.pick([1, 3, 500, 50_000]); wanted > 0 && room > 0; wanted--) {
      const member = make(below(1_000_000))
      room -= member.length
      if (room > 0) members.push(member)
    }
    lists.push(array(members))
  }
  return array(lists)
}

function read(document: Uint8Array): string | Error {
  try {
    const snapshot = Snapshot.fromBytes(document)
    void [snapshot.manifest, snapshot.globals(), snapshot.size]
    return 'read'
  } catch (error) {
    if (error instanceof SnapshotError) return error.reason
    return error instanceof Error ? error : new Error(`threw ${typeof error}`)
  }
}

function fastestMs(document: Uint8Array): number {
  let fastest = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 5 && fastest > LONGEST_MS; tries++) {
    const before = process.cpuUsage()
    read(document)
    const { user, system } = process.cpuUsage(before)
    fastest = Math.min(fastest, (user + system) / 1000)
  }
  return fastest
}

async function restore(session: Session, document: Uint8Array): Promise<string | Error> {
  try {
    await session.restoreState(document)
    return 'taken'
  } catch (error) {
    if (error instanceof SnapshotError) return error.reason
    if (error instanceof InterpreterCrashedError) return 'crashed'
    return error instanceof Error ? error : new Error(`threw ${typeof error}`)
  }
}
