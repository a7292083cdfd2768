// `sandbox.files`, with E2B's methods.
import { FileNotFoundError, FileType, InvalidArgumentError, NotFoundError, Sandbox } from 'brumate/e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'

let sandbox: Sandbox
let files: Sandbox['files']

beforeAll(async () => {
  sandbox = await Sandbox.create({ manager: await sharedManager({ slots: 4 }) })
  files = sandbox.files
})

afterAll(async () => {
  await sandbox.kill()
})

test('writing a file creates its parent directories, and it can be read in every format', async () => {
  expect(await files.write('a/b/c.txt', 'grüße')).toEqual({
    name: 'c.txt',
    type: 'file',
    path: '/home/user/a/b/c.txt',
  })
  expect(await files.read('/home/user/a/b/c.txt')).toBe('grüße')
  expect(await files.read('~/a/b/c.txt', { format: 'bytes' })).toEqual(new Uint8Array(Buffer.from('grüße')))
  expect(await (await files.read('a/b/c.txt', { format: 'blob' })).text()).toBe('grüße')
  expect(await new Response(await files.read('a/b/c.txt', { format: 'stream' })).text()).toBe('grüße')
  expect((await sandbox.runCode("open('a/b/c.txt').read()")).text).toBe('grüße')
})

test('data can be text, a buffer, a blob or a stream, and one call can write many files', async () => {
  const written = await files.write([
    { path: 'one', data: 'text' },
    { path: 'two', data: new TextEncoder().encode('buffer').buffer as ArrayBuffer },
    { path: 'three', data: new Blob(['blob']) },
    { path: '/tmp/four', data: new Blob(['stream']).stream() },
  ])
  expect(written.map(({ path }) => path)).toEqual([
    '/home/user/one',
    '/home/user/two',
    '/home/user/three',
    '/tmp/four',
  ])
  const texts = await Promise.all(written.map(({ path }) => files.read(path)))
  expect(texts).toEqual(['text', 'buffer', 'blob', 'stream'])
})

test('list() descends to the given depth and returns metadata of each entry', async () => {
  expect(await files.makeDir('d/e')).toBe(true)
  expect(await files.makeDir('d/e')).toBe(false)
  await files.write('d/e/f.txt', '12345')
  expect((await files.list('d')).map(({ path }) => path)).toEqual(['/home/user/d/e'])
  expect(await files.list('/home/user/d', { depth: 2 })).toMatchObject([
    { name: 'e', type: FileType.DIR, permissions: 'rwxr-xr-x' },
    { name: 'f.txt', type: FileType.FILE, path: '/home/user/d/e/f.txt', size: 5, permissions: 'rw-r--r--' },
  ])
  expect(await files.getInfo('d/e/f.txt')).toMatchObject({ size: 5, modifiedTime: expect.any(Date) })
})

test('files can be renamed and removed', async () => {
  await files.write('old.txt', 'x')
  expect(await files.rename('old.txt', 'new.txt')).toMatchObject({ path: '/home/user/new.txt', size: 1 })
  expect([await files.exists('old.txt'), await files.exists('new.txt')]).toEqual([false, true])
  await files.remove('new.txt')
  await files.remove('new.txt')
  expect(await files.exists('new.txt')).toBe(false)
  await expect(files.rename('one', '/tmp/one')).rejects.toThrow(InvalidArgumentError)
})

test('a missing file or directory raises FileNotFoundError', async () => {
  const calls = [
    () => files.read('none'),
    () => files.list('none'),
    () => files.getInfo('/none'),
    () => files.read('none', { format: 'stream' }),
  ]
  for (const call of calls) {
    const error = await call().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FileNotFoundError)
    expect(error).toBeInstanceOf(NotFoundError)
  }
  await expect(files.read('/home/user')).rejects.toThrow(InvalidArgumentError)
})

test('a watcher reports changes in its directory, and in subdirectories only if recursive', async () => {
  await files.makeDir('watched/below')
  const names: string[] = []
  const all: string[] = []
  const handle = await files.watchDir('watched', ({ name, type }) => void names.push(`${type} ${name}`))
  const recursive = await files.watchDir('watched', ({ name }) => void all.push(name), { recursive: true })
  await sandbox.runCode("open('watched/a', 'w').close(); open('watched/below/b', 'w').close()")
  await files.remove('watched/a')
  await expect.poll(() => names).toContain('remove a')
  await expect.poll(() => all).toContain('below/b')
  expect(names[0]).toBe('create a')
  expect(names.join()).not.toContain('below')
  await handle.stop()
  await recursive.stop()
})
