// E4 at its limits: watchers that do not read or that read ahead, buffers that cannot be used as they are, a full storage, and calls whose
// signal aborts.
import { CancelledError, StorageError, VfsStorage } from 'brumate'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeStream } from '../../src/vfs/streams.js'
import type { StorageThread } from '../../src/vfs/thread.js'
import { py, rejectionOf } from '../support/session-code.js'
import { runProgram } from '../support/session-process.js'
import { describeStorages, storageManager } from './support/kinds.js'

describeStorages('a watcher that does not read', ({ storage, sessions }) => {
  test('E4: gets the first changes, then one notice that some were lost, and then later changes', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const changes = vfs.watch()
    // Two messages of 1,024 changes each may still be on their way when the code has run. More than 4,096 have come by then.
    await session.execute(py`
      import os
      os.mkdir('/data/0')
      for i in range(3300): os.rename(f'/data/{i}', f'/data/{i + 1}')
    `)
    const seen: string[] = []
    for await (const { type, path } of changes) {
      seen.push(`${type} ${path}`)
      if (type === 'lost') await vfs.mkdir('/end')
      if (path === '/end') break
    }
    const all = Array.from({ length: 3300 }, (_, i) => [`created /${i}`, `removed /${i}`]).flat()
    expect(seen.slice(0, 4097)).toEqual([...all.slice(0, 4096), 'lost /'])
    expect(seen.filter((change) => change === 'lost /').length).toBe(1)
    expect(seen.at(-1)).toBe('created /end')
  })

  test('E4: gets only part of a call that changes more than a thousand files, and a notice of the loss', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    await session.execute("import os\nfor i in range(1030): os.mkdir(f'/data/{i}')")
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

describeStorages('a watcher that reads ahead', ({ storage }) => {
  test('E4: gets a change for each pending read, in order, and the end for the rest', async () => {
    const vfs = await storage()
    const changes = vfs.watch()
    const reads = [changes.next(), changes.next(), changes.next()]
    await vfs.mkdir('/first')
    await vfs.mkdir('/second')
    expect(await Promise.all(reads.slice(0, 2))).toEqual(
      ['/first', '/second'].map((path) => ({ done: false, value: { type: 'created', path } })),
    )
    await changes.return?.()
    expect(await reads[2]).toEqual({ done: true, value: undefined })
  })
})

describe('buffers from the caller', () => {
  test('E4: that do not fit leave no empty file behind, and an existing file stays', async () => {
    await using vfs = new VfsStorage({ maxBytes: 100 })
    await vfs.writeFile('/f', 'kept')
    for (const path of ['/new', '/f']) {
      const { reason } = await rejectionOf(StorageError, vfs.writeFile(path, new Uint8Array(101)))
      expect(reason).toBe('ENOSPC')
    }
    expect([await vfs.list('/'), await vfs.readFile('/f', 'utf8')]).toEqual([['f'], 'kept'])
  })

  test('E4: that were transferred are rejected, and the process can still exit', async () => {
    const ended = await runProgram(`
      const vfs = new VfsStorage()
      const bytes = new Uint8Array(10)
      structuredClone(bytes, { transfer: [bytes.buffer] })
      await vfs.writeFile('/f', bytes).catch((error) => console.log(error.code, error.option))
      const chunk = vfs.createWriteStream('/g').getWriter()
      await chunk.write(bytes).catch((error) => console.log(error.code, error.option))
      console.log((await vfs.list('/')).join())
    `)
    expect(ended).toEqual({
      code: 0,
      signal: null,
      stdout: 'INVALID_OPTION data\nINVALID_OPTION chunk\ng\n',
      stderr: '',
    })
  })

  test('E4: that are views are sent without the rest of their memory, whatever their class', async () => {
    const sent: { readonly bytes: Uint8Array; readonly bufferBytes: number }[] = []
    const thread = {
      isClosed: false,
      call: async (name: string, ...parameters: unknown[]) => {
        const bytes = parameters[2]
        if (name === 'writeAt' && bytes instanceof Uint8Array)
          sent.push({ bytes, bufferBytes: bytes.buffer.byteLength })
        return { node: 1 }
      },
    }
    const writer = writeStream(thread as unknown as StorageThread, '/f', undefined).getWriter()
    const chunk = Buffer.alloc(2_500_000, 'x')
    await writer.write(chunk)
    await writer.write(chunk.subarray(0, 10))
    await writer.close()
    expect(sent.map(({ bufferBytes }) => bufferBytes)).toEqual([1 << 20, 1 << 20, 2_500_000 - (2 << 20), 10])
    expect(Buffer.concat(sent.map(({ bytes }) => bytes)).equals(Buffer.alloc(2_500_010, 'x'))).toBe(true)
  })
})

test('E4: a storage in memory holds 65,536 files and directories, and one more fails with ENOSPC for sessions and host', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage()
  await using session = await manager.createSession({ vfs })
  // The host makes most of them, because one of its calls makes a hundred.
  const path = (i: number) => `/host/${i}${'/d'.repeat(99)}`
  await Promise.all(Array.from({ length: 650 }, (_, i) => vfs.mkdir(path(i), { recursive: true })))
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
  // Two more are `/host` and the storage's own root directory.
  expect(value).toEqual([65_536 - 65_000 - 2, 'ENOSPC', 0])
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

  test('E4: that is already aborted keeps every call from starting', async () => {
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

  test('E4: that aborts ends the wait of its own call only', async () => {
    const vfs = await withFile()
    const controller = new AbortController()
    const stopped = vfs.readFile('/f', { signal: controller.signal })
    const other = vfs.readFile('/f', 'utf8')
    controller.abort(reason)
    const { outcome, cause } = await rejectionOf(CancelledError, stopped)
    expect({ outcome, cause }).toEqual({ outcome: 'interrupted', cause: reason })
    expect(await other).toBe('kept')
  })

  test('E4: ends a read stream, a write stream and a watch', async () => {
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
