// SPEC E4 at its limits: a watcher that does not read, a storage that is full of files, calls whose signal aborts.
import { CancelledError, StorageError, VfsStorage } from 'brumate'
import { describe, expect, onTestFinished, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { py, rejectionOf } from '../support/session-code.js'
import { describeStorages } from './support/kinds.js'

describeStorages('a watcher that does not read', ({ storage, sessions }) => {
  test('E4: is told the first changes, once that some were lost, and then what comes after', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const changes = vfs.watch()
    await session.execute(py`
      import os
      for i in range(5000): os.mkdir(f'/data/{i}')
    `)
    const seen: string[] = []
    for await (const { type, path } of changes) {
      seen.push(`${type} ${path}`)
      if (type === 'lost') await vfs.mkdir('/end')
      if (path === '/end') break
    }
    const kept = Array.from({ length: 4096 }, (_, i) => `created /${i}`)
    expect(seen.slice(0, 4097)).toEqual([...kept, 'lost /'])
    expect(seen.filter((change) => change === 'lost /').length).toBe(1)
    expect(seen.at(-1)).toBe('created /end')
  })

  test('E4: a call that changes more than a thousand files is told in part and as a loss', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    await session.execute("import os\nfor i in range(1500): os.mkdir(f'/data/{i}')")
    const changes = vfs.watch()
    await vfs.remove('/', { recursive: true })
    const types: string[] = []
    for await (const { type } of changes) {
      types.push(type)
      if (type === 'lost') break
    }
    expect(types).toEqual([...Array.from({ length: 1024 }, () => 'removed'), 'lost'])
  })
})

test('E4: a storage in memory takes 65,536 files and directories, and one more is ENOSPC for sessions and host', async () => {
  const manager = await managerForTest({ slots: 1 })
  await using vfs = new VfsStorage()
  await using session = await manager.createSession({ vfs })
  const { value } = await session.execute(py`
    import errno, os
    made = 0
    try:
        while made < 100_000: os.symlink('x', f'/data/{made}'); made += 1
    except OSError as e: code = errno.errorcode[e.errno]
    free = os.statvfs('/data').f_ffree
    os.remove('/data/0'); os.rename('/data/1', '/data/0'); open('/data/f', 'w').write('room')
    [made, code, free]
  `)
  // One is the storage's own directory.
  expect(value).toEqual([65_535, 'ENOSPC', 0])
  const refused = await rejectionOf(StorageError, vfs.mkdir('/one-more'))
  expect(refused).toMatchObject({ reason: 'ENOSPC', path: '/one-more' })
  await vfs.writeFile('/f', 'what is there can be changed')
  expect((await session.execute("open('/data/f').read()")).value).toBe('what is there can be changed')
})

describe('a signal', () => {
  async function withFile(): Promise<VfsStorage> {
    const vfs = new VfsStorage()
    onTestFinished(() => vfs.close())
    await vfs.writeFile('/f', 'kept')
    return vfs
  }
  const reason = new Error('enough')

  test('E4: that has aborted keeps every call from starting', async () => {
    const vfs = await withFile()
    const signal = AbortSignal.abort(reason)
    const calls = [
      vfs.readFile('/f', { signal }),
      vfs.writeFile('/f', 'x', { signal }),
      vfs.list('/', { signal }),
      vfs.stat('/f', { signal }),
      vfs.rename('/f', '/g', { signal }),
      vfs.mkdir('/d', { signal }),
      vfs.remove('/f', { signal }),
    ]
    const errors = await Promise.all(calls.map((call) => rejectionOf(CancelledError, call)))
    for (const { outcome, cause } of errors)
      expect({ outcome, cause }).toEqual({ outcome: 'not-started', cause: reason })
    expect([await vfs.list('/'), await vfs.readFile('/f', 'utf8')]).toEqual([['f'], 'kept'])
  })

  test('E4: that aborts ends the waiting of its call and of no other', async () => {
    const vfs = await withFile()
    const controller = new AbortController()
    const stopped = vfs.readFile('/f', { signal: controller.signal })
    const other = vfs.readFile('/f', 'utf8')
    controller.abort(reason)
    const { outcome, cause } = await rejectionOf(CancelledError, stopped)
    expect({ outcome, cause }).toEqual({ outcome: 'interrupted', cause: reason })
    expect(await other).toBe('kept')
  })

  test('E4: ends a stream that is read, one that is written, and a watch', async () => {
    const vfs = await withFile()
    await vfs.writeFile('/large', new Uint8Array(3 << 20))
    const controller = new AbortController()
    const { signal } = controller
    const reader = vfs.createReadStream('/large', { signal }).getReader()
    expect((await reader.read()).value?.length).toBe(1 << 20)
    const archive = vfs.export({ signal }).getReader()
    await archive.read()
    const writer = vfs.createWriteStream('/new', { signal }).getWriter()
    await writer.write(new Uint8Array(10))
    const change = vfs.watch({ signal }).next()
    controller.abort(reason)
    const calls = [reader.read(), archive.read(), writer.write(new Uint8Array(10)), change]
    const errors = await Promise.all(calls.map((call) => rejectionOf(CancelledError, call)))
    expect(errors.map(({ cause }) => cause)).toEqual(calls.map(() => reason))
    expect((await vfs.readFile('/new')).length).toBe(10)
  })
})
