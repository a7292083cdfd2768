// The session's private files: which ones an execution changed, and access to them from JavaScript.
import {
  CancelledError,
  InvalidOptionError,
  type Session,
  SessionClosedError,
  type SessionManager,
  StorageError,
  VfsStorage,
} from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { py, pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let session: Session

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
  session = await manager.createSession({ limits: { fileBytes: 4_000_000 } })
})
afterAll(() => session?.close())

const HOME = '/home/pyodide'
const changesOf = async (code: string) =>
  (await session.execute(py`${code}`)).files.map(
    ({ path, change, sizeBytes }) => `${change} ${path} ${sizeBytes}`,
  )

describe('result.files', () => {
  test('lists the files created, changed and removed during the execution', async () => {
    expect(await changesOf('open("a.txt", "w").write("one")\nopen("/tmp/b", "wb").write(b"two!")')).toEqual([
      `created ${HOME}/a.txt 3`,
      'created /tmp/b 4',
    ])
    expect(await changesOf('open("a.txt", "a").write("!")\nopen("/tmp/b").read()\n1')).toEqual([
      `changed ${HOME}/a.txt 4`,
    ])
    expect(await changesOf('x = 1')).toEqual([])
    expect(await changesOf('import os\nos.remove("a.txt")\nos.truncate("/tmp/b", 1)')).toEqual([
      `removed ${HOME}/a.txt 0`,
      'changed /tmp/b 1',
    ])
  })

  test('omits a file that was created and removed again, and lists a replaced one as changed', async () => {
    await session.execute('open("kept", "w").write("old")')
    expect(await changesOf('open("tmp", "w").write("x")\nos.remove("tmp")')).toEqual([])
    expect(await changesOf('open("new", "w").write("newer")\nos.replace("new", "kept")')).toEqual([
      `changed ${HOME}/kept 5`,
    ])
    expect(await changesOf('os.remove("kept")\nopen("kept", "w").write("y")')).toEqual([
      `changed ${HOME}/kept 1`,
    ])
    expect(await changesOf('os.rename("kept", "moved")\nos.symlink("moved", "link")')).toEqual([
      `removed ${HOME}/kept 0`,
      `created ${HOME}/link 5`,
      `created ${HOME}/moved 1`,
    ])
  })

  test('lists all files of a directory that was renamed', async () => {
    await session.execute('os.makedirs("d/é")\nopen("d/é/f", "w").write("f")')
    expect(await changesOf('os.rename("d", "e")\nopen("e/g", "w").close()')).toEqual([
      `removed ${HOME}/d/é/f 0`,
      `created ${HOME}/e/g 0`,
      `created ${HOME}/e/é/f 1`,
    ])
  })

  test('comes with a suspended execution, and after resume lists only the changes since', async () => {
    await session.setCallbacks({
      ask: (_: unknown, { suspend }: { readonly suspend: () => never }) => suspend(),
    })
    const first = await session.execute('open("s1", "w").close()\nawait ask()\nopen("s2", "w").close()')
    expect(first.files.map(({ path }) => path)).toEqual([`${HOME}/s1`])
    await session.hibernate()
    const rest = await session.resume({ results: { [session.pending[0]?.id ?? '']: 1 } })
    expect(rest.files.map(({ path }) => path)).toEqual([`${HOME}/s2`])
  })

  test('lists at most 1,000 files, and says how many more there are', async () => {
    const { files, moreFiles } = await session.execute(py`
      os.mkdir('many')
      for n in range(1005): open(f'many/{n:04}', 'w').close()
    `)
    expect([files.length, moreFiles, files[0]?.path]).toEqual([1000, 5, `${HOME}/many/0000`])
    await session.files.remove(`${HOME}/many`, { recursive: true })
  })

  test('counts files whose paths are too long to be opened, but does not list them', async () => {
    const { files, moreFiles, value } = await session.execute(py`
      start = os.getcwd()
      for n in range(60):
          os.mkdir('d' * 200)
          os.chdir('d' * 200)
      for n in range(3): open(str(n), 'w').write('deep')
      os.chdir(start)
      open('shallow', 'w').close()
      1
    `)
    expect([files.map(({ path }) => path), moreFiles, value]).toEqual([[`${HOME}/shallow`], 3, 1])
    const removed = await session.execute('import shutil; shutil.rmtree("d" * 200); os.remove("shallow")')
    expect([removed.files.map(({ change }) => change), removed.moreFiles]).toEqual([['removed'], 3])
  })
})

describe('session.files', () => {
  test('reads and writes the files that Python sees', async () => {
    const { files } = session
    await files.mkdir(`${HOME}/in/deep`, { recursive: true })
    await files.writeFile(`${HOME}/in/deep/data.csv`, 'a,b\n1,2\n')
    expect((await session.execute('open("in/deep/data.csv").read()')).value).toBe('a,b\n1,2\n')
    await session.execute('open("plot.png", "wb").write(bytes(range(256)))')
    expect(await files.readFile(`${HOME}/plot.png`)).toEqual(Uint8Array.from({ length: 256 }, (_, i) => i))
    expect(await files.readFile(`${HOME}/in/deep/data.csv`, 'utf8')).toBe('a,b\n1,2\n')
    expect(await files.list(`${HOME}/in`)).toEqual(['deep'])
    await session.execute('os.mkdir("empty")')
    expect(await files.list(`${HOME}/empty`)).toEqual([])
    const { modifiedAt, ...status } = await files.stat(`${HOME}/plot.png`)
    expect(status).toEqual({ kind: 'file', sizeBytes: 256, mode: 0o644 })
    expect(Math.abs(Date.now() - modifiedAt.getTime())).toBeLessThan(3_600_000)
    await files.rename(`${HOME}/plot.png`, '/tmp/moved.png')
    await files.remove(`${HOME}/in`, { recursive: true })
    expect((await session.execute('[os.path.exists("/tmp/moved.png"), os.path.exists("in")]')).value).toEqual(
      [true, false],
    )
  })

  test('works while the session is dormant, and its writes survive hibernation', async () => {
    await session.files.writeFile('/tmp/before', 'asleep')
    await session.hibernate()
    expect(session.state).toBe('dormant')
    expect(await session.files.readFile('/tmp/before', 'utf8')).toBe('asleep')
    await session.files.writeFile('/tmp/after', 'awake')
    await session.hibernate()
    const snapshot = await session.snapshotState()
    await using copy = await manager.createSession({ from: snapshot })
    expect((await copy.execute('open("/tmp/after").read()')).value).toBe('awake')
  })

  test('streams large files in parts, even across a hibernation', async () => {
    const writer = session.files.createWriteStream('/tmp/large').getWriter()
    const part = new Uint8Array(1_200_000).map((_, i) => i)
    await writer.write(part)
    await session.hibernate()
    await writer.write(part)
    await writer.close()
    expect((await session.execute('os.path.getsize("/tmp/large")')).value).toBe(2_400_000)
    let bytes = 0
    for await (const chunk of session.files.createReadStream('/tmp/large')) {
      expect(chunk[5]).toBe(part[(bytes + 5) % part.length])
      if (bytes === 0) await session.hibernate()
      bytes += chunk.length
    }
    expect(bytes).toBe(2_400_000)
    const reader = session.files.createReadStream('/tmp/large').getReader()
    await reader.read()
    await session.execute('os.remove("/tmp/large")\nopen("/tmp/large", "w").write("another")')
    expect(await rejectionOf(StorageError, reader.read())).toMatchObject({ reason: 'ESTALE' })
  })

  test('reads the bytes of a range and no others', async () => {
    await session.files.writeFile('/tmp/range', '0123456789')
    const read = async (range: object) => {
      let text = ''
      for await (const part of session.files.createReadStream('/tmp/range', range))
        text += Buffer.from(part).toString()
      return text
    }
    expect(await read({ start: 2, end: 5 })).toBe('234')
    expect(await read({ start: 8 })).toBe('89')
    expect(await read({ end: 1 })).toBe('0')
    expect(await read({ start: 3, end: 3 })).toBe('')
    expect(await read({ start: 20, end: 30 })).toBe('')
    expect(() => session.files.createReadStream('/tmp/range', { start: -1 })).toThrow(InvalidOptionError)
  })

  test('works inside a callback while the execution awaits it', async () => {
    await session.setCallbacks({
      upload: ({ path }, context) => context.session.files.readFile(path, 'utf8'),
      fetch: async (_, context) => context.session.files.writeFile('/tmp/fetched', 'from the host'),
    })
    const { value } = await session.execute(py`
      open('/tmp/report', 'w').write('written just now')
      await fetch()
      [await upload(path='/tmp/report'), open('/tmp/fetched').read()]
    `)
    expect(value).toEqual(['written just now', 'from the host'])
  })

  test.each([
    ['readFile', "ENOENT: no such file or directory, open '/x'", ['/x']],
    ['list', "ENOENT: no such file or directory, scandir '/x'", ['/x']],
    ['stat', "ENOENT: no such file or directory, stat '/x'", ['/x']],
    ['mkdir', "EEXIST: file already exists, mkdir '/tmp'", ['/tmp']],
    ['remove', "ENOTEMPTY: directory not empty, rm '/tmp'", ['/tmp']],
    ['remove', "EBUSY: resource busy or locked, rm '/'", ['/', { recursive: true }]],
    ['remove', "EBUSY: resource busy or locked, rm '/tmp/..'", ['/tmp/..', { recursive: true }]],
    ['rename', "ENOENT: no such file or directory, rename '/x' -> '/y'", ['/x', '/y']],
    ['readFile', "EISDIR: illegal operation on a directory, open '/tmp'", ['/tmp']],
    [
      'writeFile',
      "ENOSPC: no space left on device, open '/tmp/huge'",
      ['/tmp/huge', new Uint8Array(5_000_000)],
    ],
  ] as const)('%s fails with a StorageError: %s', async (name, message, args) => {
    await session.execute('open("/tmp/keep", "w").close()')
    const call = session.files[name] as (...args: readonly unknown[]) => Promise<unknown>
    expect((await rejectionOf(StorageError, call.apply(session.files, [...args]))).message).toBe(message)
  })

  test('rejects paths at or below the mount point of a storage, so none can move or remove it', async () => {
    await using vfs = new VfsStorage()
    await using shared = await manager.createSession({ vfs })
    await shared.execute('import os\nos.symlink("/data", "/tmp/link")\nopen("/data/kept", "w").close()')
    for (const state of ['attached', 'woken']) {
      if (state === 'woken') await shared.hibernate()
      for (const operation of [
        () => shared.files.writeFile('/tmp/link/lost', 'x'),
        () => shared.files.list('//data'),
        () => shared.files.remove('/./data', { recursive: true }),
        () => shared.files.rename('/tmp', '/./data'),
      ])
        expect(await rejectionOf(StorageError, operation())).toMatchObject({ reason: 'EXDEV' })
    }
    await shared.hibernate()
    expect((await shared.execute('os.listdir("/data")')).value).toEqual(['kept'])
  })

  test('survives extreme file times, and points to the storage’s methods for its paths', async () => {
    await session.execute(
      'open("/tmp/old", "w").close()\nos.utime("/tmp/old", (-1e10, -1e10))\nos.utime("/tmp/old", (0, 2**60))',
    )
    expect((await session.files.stat('/tmp/old')).modifiedAt.getTime()).toBe(8.64e15)
    await using vfs = new VfsStorage()
    await using sharing = await manager.createSession({ vfs })
    const error = await rejectionOf(StorageError, sharing.files.readFile('/data/x'))
    expect(error.message).toContain('use its methods')
    expect((await sharing.execute('open("/data/x", "w").write("x")')).files).toEqual([])
  })

  test('checks its arguments, its signal, and that the session is open', async () => {
    await rejectionOf(InvalidOptionError, session.files.readFile('relative'))
    await rejectionOf(InvalidOptionError, session.files.readFile('/x', { encodign: 'utf8' } as never))
    await rejectionOf(CancelledError, session.files.readFile('/x', { signal: AbortSignal.abort() }))
    const closed = await manager.createSession()
    await closed.close()
    await rejectionOf(SessionClosedError, closed.files.readFile('/x'))
    expect((await pythonErrorOf(session.execute('1 / 0'))).type).toBe('ZeroDivisionError')
  })
})
