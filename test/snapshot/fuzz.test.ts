// C6, N1: thousands of damaged snapshots; `npm run fuzz -- --only snapshots` makes as many as there is time for. Each is rejected with a
// SnapshotError and leaves the session unchanged. If only Python's own memory is damaged, it does at most what Python code could do.
import {
  BrumateError,
  InterpreterCrashedError,
  type Session,
  type SessionManager,
  Snapshot,
  SnapshotError,
} from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'
import { mutate } from './support/mutate.js'
import {
  close,
  closeStream,
  type Opened,
  open,
  openStream,
  type Stream,
  unpackBody,
  withStream,
} from './support/rebuild.js'

const PLAIN = 3_000
const REBUILT = 120
const WILD = 12

let manager: SessionManager
let session: Session
let bytes: Uint8Array
let opened: Opened

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
  session = await manager.createSession({ tenant: 'fuzz', checkpoint: 'manual' })
  await session.execute(
    'import os\nfor d in "abc": os.makedirs(f"/tmp/{d}"); open(f"/tmp/{d}/f", "w").write(d * 9)',
  )
  await session.execute(
    'x = [{"k": i} for i in range(20)]; f = open("/tmp/a/f"); f.read(2); r, w = os.pipe(); os.symlink("/tmp", "/tmp/l")',
  )
  bytes = (await session.snapshotState()).toBytes()
  opened = open(bytes)
}, 60_000)
afterAll(() => session?.close())

/** A generator with the same numbers in every run (xorshift). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** Restores the document and returns how that ended. */
async function fate(document: Uint8Array): Promise<SnapshotError['reason'] | 'taken' | 'crashed'> {
  const error = await session.restoreState(document).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error === undefined) return 'taken'
  if (error instanceof SnapshotError) return error.reason
  expect(error).toBeInstanceOf(InterpreterCrashedError)
  return 'crashed'
}

const WITNESS = { value: [19, true] }
const witness = () => session.execute('x[-1]["k"], os.path.exists("/tmp/c/f")')

test(`C6: ${PLAIN} snapshots with flipped, spliced, cut and overwritten bytes are rejected, and memory does not grow`, async () => {
  const below = numbers(20_261_123)
  const before = process.memoryUsage.rss()
  let refused = 0
  for (let i = 0; i < PLAIN; i++) {
    const document = mutate(bytes, below)
    if (Buffer.compare(document, bytes) === 0) refused++
    else if (['corrupt', 'incompatible'].includes(await fate(document))) refused++
  }
  expect(refused).toBe(PLAIN)
  expect(await witness()).toMatchObject(WITNESS)
  expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(150)
}, 120_000)

/** Damages any part except Python's memory, at a random place. */
function damage(stream: Stream, below: (n: number) => number): Uint8Array {
  switch (below(5)) {
    case 0:
      return close({ ...opened, body: mutate(opened.body, below) })
    case 1: {
      stream.pages[below(stream.pages.length)] = below(2 ** 31)
      return withStream(opened, closeStream(stream))
    }
    case 2: {
      // A raw cut shifts everything behind it, including the host state.
      const raw = closeStream(stream)
      return withStream(
        opened,
        Buffer.from(mutate(raw.subarray(0, raw.length - stream.memory.length), below)),
      )
    }
    case 3: {
      const json = Buffer.from(mutate(Buffer.from(JSON.stringify(stream.host)), below))
      const host = `\u0000${json.toString('latin1')}`
      return withStream(opened, closeStream({ ...stream, host }))
    }
    default: {
      stream.host = changed(stream.host, below)
      return withStream(opened, closeStream(stream))
    }
  }
}

const ODD = [null, -1, 0, 1, 1.5, 2 ** 31, 2 ** 53, '', 'x', '..', 'a/b', [], {}, true, Number.MAX_VALUE]

/** Replaces one random member of a tree. */
function changed(tree: unknown, below: (n: number) => number): unknown {
  if (typeof tree !== 'object' || tree === null || below(12) === 0) return ODD[below(ODD.length)]
  const copy = structuredClone(tree) as Record<string, unknown>
  const keys = Object.keys(copy)
  const key = keys[below(Math.max(1, keys.length))]
  if (key === undefined) return ODD[below(ODD.length)]
  copy[key] = changed(copy[key], below)
  return copy
}

test(`N2: ${REBUILT} snapshots with valid checksums and wrong contents are rejected, or restore another session`, async () => {
  const below = numbers(7)
  const raw = unpackBody(opened.body)
  const reasons = new Map<string, number>()
  for (let i = 0; i < REBUILT; i++) {
    const document = damage(openStream(Buffer.from(raw)), below)
    const reason = await fate(document)
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    // With another position or time it is a snapshot of another session; with another page, one of damaged memory.
    if (reason === 'taken') await session.restoreState(bytes)
  }
  expect(
    [...reasons.keys()].filter((reason) => !['corrupt', 'too-large', 'taken', 'crashed'].includes(reason)),
  ).toEqual([])
  expect(reasons.get('corrupt')).toBeGreaterThan(REBUILT / 2)
  expect(await witness()).toMatchObject(WITNESS)
}, 240_000)

test(`N1: ${WILD} snapshots with damaged memory at most crash their own interpreter`, async () => {
  const below = numbers(99)
  const raw = unpackBody(opened.body)
  await using sibling = await manager.createSession({ tenant: 'sibling' })
  await sibling.execute('n = 41')
  for (let i = 0; i < WILD; i++) {
    const stream = openStream(Buffer.from(raw))
    for (let n = 0; n < 50; n++) stream.memory[below(stream.memory.length)] = below(256)
    const document = withStream(opened, closeStream(stream))
    const error = await session
      .restoreState(document)
      .then(() => session.execute('sum(range(10)), repr(x), open("/tmp/b/f").read()', { timeoutMs: 2000 }))
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    if (error !== undefined) expect(error).toBeInstanceOf(BrumateError)
    await session.restoreState(Snapshot.fromBytes(bytes))
  }
  expect(await witness()).toMatchObject(WITNESS)
  expect((await sibling.execute('n + 1')).value).toBe(42)
}, 240_000)
