// E2, E3 under stress, for both kinds of storage: sqlite and fcntl locks between sessions, what a killed or dormant session leaves, open
// files in snapshots, closed storages.
import { PythonError } from 'brumate'
import { expect, test } from 'vitest'
import { workInStorage } from '../../bench/storage-work.js'
import { py, pythonErrorOf } from '../support/session-code.js'
import { describeStorages, storageManager } from './support/kinds.js'

describeStorages('sharing', ({ storage, sessions }) => {
  test('E1: two sessions that write to one sqlite database lose nothing, and it stays intact', async () => {
    const both = await sessions(await storage(), 2)
    await both[0].execute(py`
      import sqlite3
      c = sqlite3.connect('/data/db'); c.execute('create table t(who, n)'); c.execute('create table sum(v)')
      c.execute('insert into sum values (0)'); c.commit(); c.close()
    `)
    const work = (who: number) => py`
      import random, sqlite3, time
      c = sqlite3.connect('/data/db', timeout=0.05, isolation_level=None)
      done = busy = 0
      end = time.monotonic() + 0.2
      while done == 0 or time.monotonic() < end:
          try:
              c.execute('begin immediate' if random.random() < .5 else 'begin')
              c.execute('insert into t values (?, ?)', (${who}, done)); c.execute('update sum set v = v + 1'); c.execute('commit')
              done += 1
          except sqlite3.OperationalError as e:
              assert 'locked' in str(e), e
              if c.in_transaction: c.execute('rollback')
              busy += 1
      done
    `
    const results = await Promise.all(both.map((session, who) => session.execute(work(who))))
    const { value } = await both[0].execute(
      "[*c.execute('select (select count(*) from t), v from sum').fetchone(), c.execute('pragma integrity_check').fetchall()]",
    )
    const done = results.reduce((sum, result) => sum + Number(result.value), 0)
    expect(value).toEqual([done, done, [['ok']]])
  })

  test('E1: sqlite reports which journal mode it keeps when asked for WAL, and works with that', async () => {
    const [a, b] = await sessions(await storage(), 2)
    const use = (path: string, first: string) => py`
      import os, sqlite3
      c = sqlite3.connect('${path}', isolation_level=None)
      ${first}
      mode = c.execute('pragma journal_mode=wal').fetchone()[0]
      c.execute('create table if not exists t(n)'); c.execute('insert into t values (1)')
      [mode, c.execute('select sum(n) from t').fetchone()[0], os.path.exists('${path}-wal')]
    `
    for (const path of ['/tmp/db', '/data/db'])
      expect((await a.execute(use(path, ''))).value, path).toEqual(['delete', 1, false])
    expect((await b.execute(use('/data/db', ''))).value).toEqual(['delete', 2, false])
    // With exclusive locking, one connection owns the log, which then needs no shared memory.
    const alone = use('/data/alone', "c.execute('pragma locking_mode=exclusive')")
    expect((await a.execute(alone)).value).toEqual(['wal', 1, true])
  })

  test('E2: a lock excludes others, can be waited for, and is released with its descriptor, session or worker', async () => {
    const vfs = await storage()
    const [a, b] = await sessions(vfs, 2, { checkpoint: 'auto', limits: { interruptGraceMs: 50 } })
    const lock = "import fcntl\nf = open('/data/l', 'w')\nfcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    await a.execute(lock)
    expect((await pythonErrorOf(b.execute(lock))).type).toBe('BlockingIOError')
    const waiting = b.execute("fcntl.lockf(f, fcntl.LOCK_EX); 'mine'")
    await a.execute("import time; time.sleep(.05); g = open('/data/l'); g.close()")
    expect((await waiting).value).toBe('mine')
    const stuck = await b.execute('f.close()').then(() => a.execute(lock))
    expect(stuck.status).toBe('completed')
    await expect(
      b.execute('f = open("/data/l", "w"); fcntl.lockf(f, fcntl.LOCK_EX)', { timeoutMs: 200 }),
    ).rejects.toThrow('interrupted')
    await a
      .execute('while True:\n  try:\n    while True: f.flush()\n  except BaseException: pass', {
        timeoutMs: 200,
      })
      .catch(() => {})
    expect((await b.execute(lock)).status).toBe('completed')
    await b.close()
    expect((await a.execute(lock)).status).toBe('completed')
  })

  test('E3: open files below the mount keep path, position and flags in a snapshot, and missing files fail clearly', async () => {
    const vfs = await storage()
    await vfs.mkdir('/d')
    await vfs.writeFile('/d/read', 'abcdef')
    const [a] = await sessions(vfs, 1)
    await a.execute(py`
      import errno, os, fcntl
      os.chdir('/data/d')
      r = open('read'); r.seek(2); log = open('log', 'ab', buffering=0); log.write(b'one ')
      gone = open('gone', 'w+', ); held = open('held', 'w'); fcntl.lockf(held, fcntl.LOCK_EX)
      raw = os.open('raw', os.O_CREAT | os.O_RDWR); os.write(raw, b'12345'); again = os.dup(raw); os.lseek(raw, 1, 0)
      def code(f, *a):
          try: return f(*a)
          except OSError as e: return errno.errorcode[e.errno]
    `)
    const snapshot = await a.snapshotState()
    await vfs.remove('/d/gone')
    await a.restoreState(snapshot)
    const look = py`
      log.write(b'two ')
      [r.read(), open('log').read(), os.read(again, 2).decode(), os.getcwd(), code(os.fstat, gone.fileno()), code(os.write, held.fileno(), b'x'),
       code(os.close, held.fileno())]
    `
    expect((await a.execute(look)).value).toEqual([
      'cdef',
      'one two ',
      '23',
      '/data/d',
      'ESTALE',
      'ESTALE',
      null,
    ])
    await a.restoreState(snapshot)
    expect((await (await a.snapshotState()).size) > 0).toBe(true)
    await a.hibernate()
    expect((await a.execute('[r.read(), os.getcwd(), code(os.fstat, gone.fileno())]')).value).toEqual([
      ...['cdef', '/data/d', 'ESTALE'],
    ])
    // A session without the storage.
    const manager = await storageManager()
    await using other = await manager.createSession({ from: snapshot.toBytes() })
    const without =
      '[code(os.read, raw, 1), code(os.getcwd), code(os.open, "x", 0), code(os.listdir, "/data"), code(os.close, raw)]'
    expect((await other.execute(without)).value).toEqual(['ESTALE', 'ENOENT', 'ESTALE', [], null])
    await other.execute('os.chdir("/tmp")')
    await other.snapshotState()
  })

  test('E2: concurrent appends, renames and removals of several sessions are neither lost nor torn', async () => {
    const vfs = await storage()
    const many = await sessions(vfs, 3)
    const sums = await workInStorage(vfs, many, { seconds: 0.25, names: 20, fileBytes: 5000 })
    const { appended } = sums
    expect([sums.linesInLog, sums.differentLines]).toEqual([appended, appended])
    expect(sums.files).toBe(sums.expectedFiles)
    expect(sums.usedBytes).toBe(sums.expectedBytes)
  })

  test('E3: a closed storage answers with EIO, and the session continues', async () => {
    const vfs = await storage()
    const [a] = await sessions(vfs, 1)
    await a.execute("f = open('/data/x', 'w', buffering=1)")
    await vfs.close()
    expect((await pythonErrorOf(a.execute("f.write('x\\n')"))) instanceof PythonError).toBe(true)
    expect((await a.execute('1 + 1')).value).toBe(2)
  })
})
