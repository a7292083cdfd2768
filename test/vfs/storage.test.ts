// E1 to E4 and E6, for both kinds of storage: what Python does there, what other sessions and the host see of it, and what persists.

import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { InvalidOptionError, StorageError, VfsStorage } from 'brumate'
import { expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { describeStorages, storageManager } from './support/kinds.js'

const script = new URL('../fixtures/file-script.py', import.meta.url)
const lines = (text: string) => text.trimEnd().split('\n')
/** What the script prints on private files: the same for both kinds of storage. */
let expected: readonly string[] | undefined

describeStorages('a shared storage', ({ name, storage, sessions }) => {
  test('E1: the script of 261 file operations behaves as on private files', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const code = await readFile(script, 'utf8')
    const [before, after] = ['/tmp/file-script', '/data/file-script'].map((root) =>
      code
        .replaceAll('/tmp/file-script', root)
        .replace('//tmp///file-script', `/${root.replace('/file', '///file')}`),
    )
    expected ??= lines((await session.execute(before ?? '').catch((error) => error)).stdout)
    const got = lines((await session.execute(after ?? '').catch((error) => error)).stdout)
    expect(got.length).toBeGreaterThan(250)
    const strip = (text: string) => text.replaceAll('/data/file-script', '/tmp/file-script')
    const differences = got.map(strip).filter((line, i) => line !== expected?.[i])
    expect(differences).toEqual([])
  })

  test('E1: works from the first execution, with common Python file APIs', async () => {
    const [session] = await sessions(await storage(), 1)
    const { value } = await session.execute(py`
      import glob, os, pathlib, shutil, tempfile
      p = pathlib.Path('/data/a/b'); p.mkdir(parents=True)
      (p / 'text').write_text('äöü'); (p / 'bytes').write_bytes(bytes(range(256)) * 9000)
      os.symlink('text', p / 'link'); os.symlink('/data/a', '/data/absolute'); os.symlink('../tmp', '/data/out')
      shutil.copytree('/data/a', '/data/copy', symlinks=True); shutil.move('/data/copy', '/tmp/moved')
      with tempfile.NamedTemporaryFile(dir='/data') as t: t.write(b'x'); t.flush(); size = os.stat(t.name).st_size
      with open('/data/f', 'w+') as f:
          f.write('0123456789'); f.seek(3); f.truncate(5); f.seek(0); cut = f.read()
      with open('/data/f', 'ab') as f: f.write(b'more')
      os.rename('/data/f', '/data/g')
      try: os.rename('/data/g', '/tmp/g')
      except OSError as e: crossed = e.errno == 75
      os.chdir('/data/absolute/b')
      [sorted(os.listdir('/data')), (p / 'link').read_text(), len((p / 'bytes').read_bytes()), size, cut, open('/data/g').read(),
       sorted(glob.glob('/data/**/te*', recursive=True)), sorted(os.listdir('/tmp/moved/b')), crossed, os.getcwd(),
       os.path.isdir('/data/out'), os.stat('/data').st_dev != os.stat('/tmp').st_dev, os.path.samefile('/data/absolute', '/data/a')]
    `)
    expect(value).toEqual([
      ...[['a', 'absolute', 'g', 'out'], 'äöü', 256 * 9000, 1, '01234', '01234more'],
      ...[
        ['/data/a/b/text', '/data/absolute/b/text', '/data/out/moved/b/text'],
        ['bytes', 'link', 'text'],
        true,
        '/data/a/b',
        true,
        true,
        true,
      ],
    ])
  })

  test('E2: a completed write in one session is visible to a later read in another', async () => {
    const [a, b] = await sessions(await storage(), 2)
    await a.execute("f = open('/data/log', 'a', buffering=1)")
    await b.execute("g = open('/data/log')")
    for (let i = 0; i < 10; i++) {
      await a.execute(`n = f.write('line ${i}\\n')`)
      expect((await b.execute('g.read()')).value).toBe(`line ${i}\n`)
    }
    await b.execute("import os; os.remove('/data/log')")
    expect(
      (
        await a.execute(
          "import os; f.write('x\\n'); [os.path.exists('/data/log'), os.fstat(f.fileno()).st_nlink]",
        )
      ).value,
    ).toEqual([...[false, 0]])
  })

  test('E2: O_EXCL succeeds for only one session, and concurrent appends stay whole', async () => {
    const vfs = await storage()
    const both = await sessions(vfs, 2)
    const results = await Promise.all(
      both.map((session, i) =>
        session.execute(py`
          import os
          won = 0
          for i in range(100):
              try: os.close(os.open(f'/data/lock{i}', os.O_CREAT | os.O_EXCL | os.O_WRONLY)); won += 1
              except FileExistsError: pass
          for i in range(100):
              with open('/data/log', 'a') as f: f.write(f'${i}' * 99 + '\n')
          won
        `),
      ),
    )
    expect(results.reduce((sum, { value }) => sum + Number(value), 0)).toBe(100)
    const text = await vfs.readFile('/log', 'utf8')
    expect(text.length).toBe(200 * 100)
    expect(new Set(text.split('\n'))).toEqual(new Set(['0'.repeat(99), '1'.repeat(99), '']))
  })

  test('E3: survives reset, clearState, restoreState, hibernation and a killed worker, and is not part of snapshots', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1, {
      checkpoint: 'auto',
      executionTimeoutMs: 10_000,
      limits: { interruptGraceMs: 50 },
    })
    await session.execute("open('/data/kept', 'w').write('a'); x = 1")
    const snapshot = await session.snapshotState()
    expect(snapshot.manifest.files).toEqual([])
    const look = "open('/data/kept', 'a').write('b'); open('/data/kept').read()"
    await session.clearState()
    expect((await session.execute(look)).value).toBe('ab')
    await session.reset()
    expect((await session.execute(look)).value).toBe('abb')
    await session.restoreState(snapshot)
    expect((await session.execute(look)).value).toBe('abbb')
    await session.hibernate()
    expect((await session.execute(look)).value).toBe('abbbb')
    const stuck =
      "f = open('/data/kept', 'r+')\nwhile True:\n  try:\n    while True: f.flush()\n  except BaseException: pass"
    await session.execute(stuck, { timeoutMs: 300 }).catch(() => {})
    expect((await session.execute(look)).value).toBe('abbbbb')
  })

  test('E4: the host reads, writes, lists and moves files of sessions, as bytes and as text', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    await vfs.mkdir('/in/deep', { recursive: true })
    await vfs.writeFile('/in/deep/ä.txt', 'größe')
    await vfs.writeFile('/in/raw', Uint8Array.of(0, 255, 10))
    const { value } = await session.execute(py`
      import os
      seen = [open('/data/in/deep/ä.txt').read(), [*open('/data/in/raw', 'rb').read()]]
      os.makedirs('/data/out'); open('/data/out/x', 'w').write('from Python')
      seen
    `)
    expect(value).toEqual(['größe', [0, 255, 10]])
    expect(await vfs.list('/')).toEqual(['in', 'out'])
    expect(await vfs.readFile('/out/x', { encoding: 'utf8' })).toBe('from Python')
    expect(await vfs.readFile('/in/raw')).toEqual(Uint8Array.of(0, 255, 10))
    expect(await vfs.stat('/out/x')).toMatchObject({
      kind: 'file',
      sizeBytes: 11,
      modifiedAt: expect.any(Date),
    })
    await vfs.writeFile('/out/x', 'short')
    await vfs.rename('/out/x', '/in/y')
    expect((await session.execute("open('/data/in/y').read()")).value).toBe('short')
    expect(await vfs.usedBytes).toBe(7 + 3 + 5)
    expect((await rejectionOf(StorageError, vfs.remove('/in'))).reason).toBe('ENOTEMPTY')
    await vfs.remove('/in', { recursive: true })
    expect(await vfs.list('/')).toEqual(['out'])
    expect((await rejectionOf(StorageError, vfs.readFile('/none'))).reason).toBe('ENOENT')
    expect(await vfs.usedBytes).toBe(0)
  })

  test('E4: the host removes anything that Python created, however deep it is and whatever bytes are in its names', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const { value } = await session.execute(py`
      import os
      os.mkdir('/data/top'); os.chdir('/data/top')
      os.symlink('/data', 'up'); os.mkdir(b'\xff\xfe'); open(b'\xff\xfe/\xfd', 'w').close()
      for _ in range(300): os.mkdir('d'); os.chdir('d')
      open('f', 'w').close(); os.chdir('/')
      len(os.listdir('/data/top'))
    `)
    expect(value).toBe(3)
    await vfs.writeFile('/kept', 'x')
    await vfs.remove('/top', { recursive: true })
    expect(await vfs.list('/')).toEqual(['kept'])
  })

  test('E4: streams, export and import preserve all contents', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const large = new Uint8Array(3_000_001).map((_, i) => (i * 31) & 255)
    const writer = vfs.createWriteStream('/large').getWriter()
    await writer.write(large.subarray(0, 1_000_000))
    await writer.write(large.subarray(1_000_000))
    await writer.close()
    await session.execute(py`
      import os
      os.makedirs('/data/' + 'long' * 30 + '/empty'); os.symlink('../large', '/data/' + 'long' * 30 + '/link')
      open('/data/' + 'long' * 30 + '/ü', 'w').write('x' * 1000); os.chmod('/data/large', 0o640)
    `)
    const read: Uint8Array[] = []
    for await (const part of vfs.createReadStream('/large')) read.push(part)
    expect(Buffer.concat(read).equals(large)).toBe(true)
    const copy = await VfsStorage.import(vfs.export())
    try {
      expect(await copy.list('/')).toEqual(await vfs.list('/'))
      expect(Buffer.from(await copy.readFile('/large')).equals(large)).toBe(true)
      expect((await copy.stat('/large')).mode).toBe(0o640)
      const long = `/${'long'.repeat(30)}`
      expect(await copy.list(long)).toEqual(['empty', 'link', 'ü'])
      expect(await copy.stat(`${long}/link`, { followLinks: false })).toMatchObject({ kind: 'symlink' })
      expect((await copy.readFile(`${long}/link`)).length).toBe(large.length)
    } finally {
      await copy.close()
    }
  })

  test('E4: extract adds the contents of an archive, and replaces existing files', async () => {
    const [from, into] = [await storage(), await storage()]
    await from.mkdir('/d')
    await from.writeFile('/d/both', 'new')
    await into.mkdir('/d')
    await into.writeFile('/d/both', 'older and longer')
    await into.writeFile('/own', 'kept')
    await into.extract(from.export())
    expect([await into.readFile('/d/both', 'utf8'), await into.readFile('/own', 'utf8')]).toEqual([
      'new',
      'kept',
    ])
    await expect(into.extract(from.export(), { signal: AbortSignal.abort() })).rejects.toThrow(
      /cancel|abort/i,
    )
  })

  test('E4: watch reports changes by sessions and the host until the loop ends', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const changes = vfs.watch()
    await session.execute(
      "import os; open('/data/a', 'w').write('x'); os.rename('/data/a', '/data/b'); os.remove('/data/b')",
    )
    await vfs.writeFile('/end', '')
    const seen = new Set<string>()
    for await (const { type, path } of changes) {
      seen.add(`${type} ${path}`)
      if (path === '/end') break
    }
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'created /a',
        'changed /a',
        'removed /a',
        'created /b',
        'removed /b',
        'created /end',
      ]),
    )
  })

  test('E6: two storages never see each other’s files', async () => {
    const [one, two] = [await storage(), await storage()]
    const [[a], [b]] = [await sessions(one, 1), await sessions(two, 1)]
    await a.execute("open('/data/x', 'w').write('one')")
    expect((await b.execute("import os; os.listdir('/data')")).value).toEqual([])
    expect(await two.list('/')).toEqual([])
  })

  test('E1: 10,000 entries are listed, each once', async () => {
    if (name === 'directory') return
    const [session] = await sessions(await storage(), 1)
    const { value } = await session.execute(py`
      import os
      for i in range(10_000): os.symlink('x', f'/data/{i}')
      names = os.listdir('/data')
      [len(names), len(set(names)), len([*os.scandir('/data')])]
    `)
    expect(value).toEqual([10_000, 10_000, 10_000])
  })
})

test('E1: a mount is where the option says, and never inside the image', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage()
  await vfs.writeFile('/f', 'x')
  for (const path of ['/', 'data', '/lib/x', '/dev', '/a/../b', '/tmp', '/a//b', '', 7]) {
    const made = manager.createSession({ vfs, vfsMountPath: path as string })
    expect((await rejectionOf(InvalidOptionError, made)).option, String(path)).toBe('vfsMountPath')
  }
  await rejectionOf(InvalidOptionError, manager.createSession({ vfsMountPath: '/x' }))
  await rejectionOf(InvalidOptionError, manager.createSession({ vfs: {} as VfsStorage }))
  await using session = await manager.createSession({ vfs, vfsMountPath: '/mnt/deep/shared/' })
  const look = "import os; [open('/mnt/deep/shared/f').read(), os.path.exists('/data')]"
  expect((await session.execute(look)).value).toEqual(['x', false])
  await pythonErrorOf(session.execute("os.rmdir('/mnt/deep/shared')"))
})

test('E4: exceeding the quota fails with ENOSPC for writes and sparse seeks, and for the host', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage({ maxBytes: 100_000 })
  await using session = await manager.createSession({ vfs })
  const { value } = await session.execute(py`
    import errno, os
    def code(f):
        try: f(); return None
        except OSError as e: return errno.errorcode[e.errno]
    def sparse():
        with open('/data/s', 'wb') as f: f.seek(2 ** 40); f.write(b'x')
    def long():
        with open('/data/l', 'wb') as f: f.truncate(100_001)
    def whole():
        with open('/data/w', 'wb', buffering=0) as f: f.write(bytes(100_001))
    [code(sparse), code(long), code(whole), os.statvfs('/data').f_blocks]
  `)
  expect(value).toEqual(['ENOSPC', 'ENOSPC', 'ENOSPC', 24])
  expect((await rejectionOf(StorageError, vfs.writeFile('/h', new Uint8Array(100_001)))).reason).toBe(
    'ENOSPC',
  )
  await vfs.remove('/', { recursive: true })
  expect([await vfs.usedBytes, await vfs.list('/')]).toEqual([0, []])
  await vfs.writeFile('/h', new Uint8Array(100_000))
})

test('E1: native CPython, if installed, behaves the same with the same files', async () => {
  const code = py`
    import os, json, errno
    def t(f, *a):
        try: return repr(f(*a))
        except OSError as e: return errno.errorcode[e.errno]
    os.chdir(ROOT); os.mkdir('d'); os.mkdir('d/e'); open('f', 'w').close(); os.symlink('f', 'l'); os.symlink('loop', 'loop')
    out = [t(os.mkdir, 'd'), t(os.rmdir, 'd'), t(os.unlink, 'd/none'), t(os.rename, 'd', 'd/e/x'), t(os.rename, 'f', 'd/e'),
      t(os.rename, 'd/e', 'f'), t(os.open, 'loop', 0), t(os.open, 'd', os.O_WRONLY), t(os.open, 'f/x', 0), t(os.stat, 'f/'),
      t(os.open, 'l', os.O_NOFOLLOW), t(os.open, 'f', os.O_CREAT | os.O_EXCL), t(os.open, 'x' * 256, 0), t(os.truncate, 'd', 1),
      t(os.readlink, 'f'), t(os.readlink, 'l'), t(os.rename, 'none', 'x'), t(os.rmdir, 'f'), t(os.link if False else os.stat, 'l/..'),
      t(os.listdir, 'f'), t(sorted, os.listdir('.'))]
    print(json.dumps(out))
  `
  const native = spawnSync('python3', ['-c', `import tempfile; ROOT = tempfile.mkdtemp()\n${code}`], {
    encoding: 'utf8',
  })
  if (native.status !== 0) return
  const manager = await storageManager()
  await using vfs = new VfsStorage()
  await using session = await manager.createSession({ vfs })
  const { stdout } = await session.execute(`ROOT = '/data'\n${code}`)
  expect(JSON.parse(stdout)).toEqual(JSON.parse(native.stdout))
})
