// E2, R3: locks on ranges of files, merged and split as in POSIX; one session's locks do not use up those of others.
import { VfsStorage } from 'brumate'
import { expect, test } from 'vitest'
import type { LockRange } from '../../workers/host/fs/node-store.js'
import { Locks, MAX_FILE_RANGES, MAX_OWNER_RANGES } from '../../workers/storage/locks.js'
import { py } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

const NODE = 7
const range = (start: number, end: number, exclusive = true): LockRange => ({ exclusive, start, end })

test('R3: a session that takes all the locks it can get does not keep others from locking, in that file or another', async () => {
  await using vfs = new VfsStorage()
  const manager = await sharedManager({ slots: 4 })
  await using greedy = await manager.createSession({ vfs, tenant: 'one' })
  await using other = await manager.createSession({ vfs, tenant: 'two' })
  const { value } = await greedy.execute(py`
    import errno, fcntl
    taken = []; files = [open(f'/data/{i}', 'wb') for i in range(6)]
    for f in files:
        n = 0
        try:
            while n < 10_000: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 2 * n); n += 1
        except OSError as e: assert e.errno == errno.ENOLCK, e
        taken.append(n)
    taken
  `)
  expect(value).toEqual([4096, 4096, 4096, 4096, 0, 0])
  const lock = py`
    import fcntl, sqlite3
    for name in ('0', '5', 'own'):
        with open(f'/data/{name}', 'ab') as f: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1_000_001)
    c = sqlite3.connect('/data/db'); c.execute('create table t(n)'); c.commit()
    'locked'
  `
  expect((await other.execute(lock)).value).toBe('locked')
  // Locks that it releases can be taken again, even in the middle of others.
  const again = py`
    fcntl.lockf(files[0], fcntl.LOCK_UN, 1, 0); fcntl.lockf(files[4], fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0)
    try: fcntl.lockf(files[4], fcntl.LOCK_UN, 1, 5); split = 'split'
    except OSError as e: split = errno.errorcode[e.errno]
    files[1].close(); fcntl.lockf(files[4], fcntl.LOCK_UN, 1, 5)
    split
  `
  expect((await greedy.execute(again)).value).toBe('ENOLCK')
})

test('E2: ranges of one owner are merged, split, converted and limited, and none of that fails halfway', () => {
  const locks = new Locks()
  const [one, two] = [{}, {}]
  for (let at = 0; at < MAX_FILE_RANGES; at += 1) locks.lock(NODE, one, range(10 * at, 10 * at + 5))
  expect(() => locks.lock(NODE, one, range(1e6, 1e6 + 1))).toThrow('ENOLCK')
  expect(() => locks.unlock(NODE, one, 1, 2)).toThrow('ENOLCK')
  expect(locks.blocking(NODE, two, range(1, 2))).toEqual(range(0, 5))
  expect(locks.lock(NODE, two, range(1e6, 1e6 + 1))).toBe(true)
  // One range over all of them replaces them.
  expect(locks.lock(NODE, one, range(0, 1e6))).toBe(true)
  expect(locks.blocking(NODE, two, range(7, 8))).toEqual(range(0, 1e6))
  locks.unlockAll(NODE, one)
  for (let file = 0; file < MAX_OWNER_RANGES / MAX_FILE_RANGES; file += 1)
    for (let at = 0; at < MAX_FILE_RANGES; at += 1) locks.lock(100 + file, one, range(2 * at, 2 * at + 1))
  expect(() => locks.lock(1, one, range(0, 1))).toThrow('ENOLCK')
  expect(locks.lock(1, two, range(0, 1))).toBe(true)
  locks.drop(one)
  expect(locks.lock(1, two, range(5, 6))).toBe(true)
  locks.drop(two)
  expect(locks.size).toBe(0)
})

test('E2: random locks and unlocks by four owners match a table of bytes', () => {
  const BYTES = 40
  const owners = [{}, {}, {}, {}]
  const locks = new Locks()
  /** For each byte and owner: 0 none, 1 shared, 2 exclusive. */
  const model = Array.from({ length: BYTES }, () => owners.map(() => 0))
  let seed = 3
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % below
  }
  for (let round = 0; round < 6000; round += 1) {
    const who = random(owners.length)
    const owner = owners[who] ?? {}
    const start = random(BYTES - 1)
    const end = start + 1 + random(Math.min(12, BYTES - start))
    const exclusive = random(2) === 0
    const bytes = model.slice(start, end)
    if (random(3) === 0) {
      locks.unlock(NODE, owner, start, end)
      for (const byte of bytes) byte[who] = 0
    } else {
      const isFree = bytes.every((byte) =>
        byte.every((kind, other) => other === who || kind === 0 || (kind === 1 && !exclusive)),
      )
      expect(locks.lock(NODE, owner, range(start, end, exclusive)), `${round}`).toBe(isFree)
      if (isFree) for (const byte of bytes) byte[who] = exclusive ? 2 : 1
    }
    const at = random(BYTES)
    const asker = random(owners.length)
    const found = locks.blocking(NODE, owners[asker] ?? {}, range(at, at + 1))
    const isTaken = (model[at] ?? []).some((kind, other) => other !== asker && kind !== 0)
    expect(found !== undefined, `${round}`).toBe(isTaken)
    if (found) expect(found.start <= at && found.end > at).toBe(true)
    expect(locks.has(NODE, owner)).toBe(model.some((byte) => byte[who] !== 0))
  }
})
