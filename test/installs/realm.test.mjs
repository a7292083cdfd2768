// Run by Jest and by vitest's vmThreads, which load the library in a separate realm.
import { readFileSync } from 'node:fs'
import { PythonError, SessionManager, Snapshot, VfsStorage } from 'brumate'

test("sessions, values, errors, files and snapshots work in a test runner's realm", async () => {
  const manager = await SessionManager.create({ slots: 1, cacheDir: process.env.CACHE_DIR })
  const vfs = new VfsStorage()
  const twice = { fn: ({ n }) => [2 * n, new Date(0)], parameters: { type: 'object', required: ['n'] } }
  const session = await manager.createSession({ vfs, callbacks: { twice } })

  const file = readFileSync(import.meta.filename ?? new URL(import.meta.url))
  const value = {
    list: [1, 'x'],
    when: new Date(0),
    file,
    set: new Set([1]),
    floats: new Float64Array([1.5]),
  }
  await session.set('x', structuredClone(value))
  expect((await session.execute('x["list"]')).value).toEqual([1, 'x'])
  expect((await session.execute('x["floats"][0] + len(x["set"])')).value).toBe(2.5)
  expect((await session.execute('(await twice(n=2))[0]')).value).toBe(4)
  expect((await session.execute('{"a": b"ab", "s": {1}}')).value).toEqual({
    a: Uint8Array.of(97, 98),
    s: new Set([1]),
  })
  await expect(session.execute('1 / 0')).rejects.toBeInstanceOf(PythonError)
  await expect(session.execute('await twice()')).rejects.toThrow(/missing/)

  await vfs.writeFile('/a', file)
  expect((await vfs.readFile('/a')).length).toBe(file.length)
  await expect(vfs.readFile('/b')).rejects.toThrow(/ENOENT|no such file/i)

  const bytes = (await session.snapshotState()).toBytes()
  expect(Snapshot.fromBytes(Buffer.from(bytes)).manifest.globals.length).toBeGreaterThan(0)
  await session.hibernate()
  expect((await session.execute('x["list"][0]')).value).toBe(1)
  await manager.close()
  await vfs.close()
}, 60_000)
