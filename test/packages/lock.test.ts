// The lock: its text, what is rejected, and that it alone is enough to fetch the wheels.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { fetchWheels } from '../../src/packages/fetch-wheels.js'
import { type Lock, lockText, parseLock } from '../../src/packages/lock.js'
import { PyodideRelease } from '../../src/packages/pyodide-release.js'
import { WheelCache } from '../../src/packages/wheel-cache.js'
import { PackageError } from '../../src/shared/errors.js'
import { FakeIndex } from './support/fake-index.js'
import { makeWheel } from './support/pure-wheel.js'
import { resolveWith, temporaryDirectory } from './support/resolve-with.js'

const WHEELS = [makeWheel('b', { version: '2.0', requires: ['A>=1'] }), makeWheel('a', { version: '1.0' })]

async function fetchWith(
  lock: Lock,
  options: { directories?: string[]; cacheDir: string; signal?: AbortSignal },
) {
  const { directories = [], cacheDir, signal } = options
  return fetchWheels({
    ...{ lock, directories, signal, paths: new Map(), onProgress: () => {} },
    release: await PyodideRelease.read(),
    cache: new WheelCache(cacheDir),
  })
}

test('a lock has one canonical text, sorted by name, that parses back to the same lock', async () => {
  await using index = await FakeIndex.start(WHEELS)
  const { lock } = await resolveWith(index, ['b'])
  const text = lockText(lock)
  expect(lockText({ ...lock, packages: [...lock.packages].reverse() })).toBe(text)
  expect(parseLock(JSON.parse(text))).toEqual(lock)
  expect(lock.packages.map(({ name, source, depends }) => [name, source, depends])).toEqual([
    ['a', 'index', []],
    ['b', 'index', ['a']],
  ])
  expect(text.endsWith('}\n')).toBe(true)
})

describe('an invalid lock is rejected:', () => {
  const locked = {
    ...{ name: 'a', version: '1.0', file: 'a-1.0-py3-none-any.whl', source: 'directory' },
    ...{ sha256: '0'.repeat(64), depends: [] },
  }
  const lock = { version: 1, abi: '2026_0', python: '3.14', pyodide: '314.0.7', requirements: ['a'] }
  const withPackage = (change: object) => ({ ...lock, packages: [{ ...locked, ...change }] })
  const cases: readonly (readonly [what: string, value: unknown])[] = [
    ['not an object', []],
    ['another version', { ...lock, version: 2, packages: [] }],
    ['an unknown field', { ...lock, packages: [], extra: 1 }],
    ['an unknown field of a package', withPackage({ path: '/etc/passwd' })],
    ['no packages', lock],
    ['a name that is not canonical', withPackage({ name: 'A' })],
    ['a file of another package', withPackage({ file: 'b-1.0-py3-none-any.whl' })],
    ['a file that is a path', withPackage({ file: '../a-1.0-py3-none-any.whl' })],
    ['a file with a path in its tag', withPackage({ file: 'a-1.0-0/../../b-py3-none-any.whl' })],
    ['a hash in capitals', withPackage({ sha256: 'A'.repeat(64) })],
    ['an unknown source', withPackage({ source: 'web' })],
    ['an address that is a file', withPackage({ source: 'index', url: 'file:///etc/passwd' })],
    ['a wheel of an index without its address', withPackage({ source: 'index' })],
    ['a dependency that it does not have', withPackage({ depends: ['b'] })],
    ['a package twice', { ...lock, packages: [locked, locked] }],
    ['a size that is a text', withPackage({ sizeBytes: '1' })],
    ['an invalid abi', { ...lock, abi: '../..', packages: [] }],
  ]
  it('the base case is valid, so each case below fails for its own reason', () => {
    expect(parseLock(withPackage({})).packages).toHaveLength(1)
  })
  it.each(cases)('%s', (_, value) => {
    expect(() => parseLock(value)).toThrow(PackageError)
  })
})

test('with its wheels in the cache, a lock needs no network', async () => {
  const cacheDir = temporaryDirectory()
  let lock: Lock
  {
    await using index = await FakeIndex.start(WHEELS)
    lock = (await resolveWith(index, ['b'])).lock
    await fetchWith(lock, { cacheDir })
  }
  const wheels = await fetchWith(lock, { cacheDir })
  expect(wheels.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(await readFile(wheels[1]?.path ?? '')).toEqual(WHEELS[0]?.bytes)
})

test('without network and cache, the error names the package and says what to do', async () => {
  const index = await FakeIndex.start(WHEELS)
  const { lock } = await resolveWith(index, ['a'])
  await index[Symbol.asyncDispose]()
  const error = await fetchWith(lock, { cacheDir: temporaryDirectory() }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'PACKAGE', package: 'a' })
  expect(String(error)).toMatch(/cannot be reached.*give a directory that has them as wheels/)
})

test('a wheel whose bytes do not match the lock is rejected and not cached', async () => {
  const cacheDir = temporaryDirectory()
  await using index = await FakeIndex.start(WHEELS)
  const { lock } = await resolveWith(index, ['a'])
  index.intercept = (path, response) => {
    if (!path.endsWith('.whl')) return false
    response.end('something else')
    return true
  }
  const error = await fetchWith(lock, { cacheDir }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'PACKAGE', package: 'a' })
  expect(String(error)).toContain(lock.packages[0]?.sha256)
  index.intercept = () => false
  expect(await fetchWith(lock, { cacheDir })).toHaveLength(1)
})

test('a damaged wheel in the cache is downloaded again', async () => {
  const cacheDir = temporaryDirectory()
  await using index = await FakeIndex.start(WHEELS)
  const { lock } = await resolveWith(index, ['a'])
  const [wheel] = await fetchWith(lock, { cacheDir })
  await writeFile(wheel?.path ?? '', 'damaged')
  const [again] = await fetchWith(lock, { cacheDir })
  expect(await readFile(again?.path ?? '')).toEqual(WHEELS[1]?.bytes)
})

test('a download is retried when the server fails briefly or cuts its response off', async () => {
  await using index = await FakeIndex.start(WHEELS)
  let failures = 0
  index.intercept = (path, response) => {
    if (!path.endsWith('.whl') || failures === 2) return false
    failures += 1
    if (failures === 1) response.writeHead(503, { 'retry-after': '0' }).end()
    else response.writeHead(200, { 'content-length': '1000' }).write('a', () => response.destroy())
    return true
  }
  const { lock } = await resolveWith(index, ['a'])
  expect(await fetchWith(lock, { cacheDir: temporaryDirectory() })).toHaveLength(1)
  expect(failures).toBe(2)
})

test('aborting a download leaves nothing behind in the cache', async () => {
  const controller = new AbortController()
  await using index = await FakeIndex.start(WHEELS)
  const { lock } = await resolveWith(index, ['a'])
  index.intercept = (path, response) => {
    if (!path.endsWith('.whl')) return false
    response.write('a', () => controller.abort(new Error('enough')))
    return true
  }
  const cacheDir = temporaryDirectory()
  await expect(fetchWith(lock, { cacheDir, signal: controller.signal })).rejects.toThrow('enough')
  index.intercept = () => false
  expect(await fetchWith(lock, { cacheDir })).toHaveLength(1)
})

test('a wheel in a directory must still be there, with the same bytes', async () => {
  const directory = temporaryDirectory()
  const [, a] = WHEELS
  if (a === undefined) throw new Error('unreachable')
  const path = join(directory, a.file)
  await writeFile(path, a.bytes)
  const { lock } = await resolveWith(undefined, ['a'], { directories: [directory] })
  expect(lock.packages[0]).toMatchObject({ source: 'directory', sha256: a.sha256, sizeBytes: a.bytes.length })
  const cacheDir = temporaryDirectory()
  expect(await fetchWith(lock, { cacheDir, directories: [directory] })).toMatchObject([{ path }])
  await mkdir(join(directory, 'elsewhere'))
  await rename(path, join(directory, 'elsewhere', a.file))
  await expect(fetchWith(lock, { cacheDir, directories: [directory] })).rejects.toThrow(
    'neither cached nor in a directory of wheels',
  )
  await writeFile(path, 'something else')
  await expect(fetchWith(lock, { cacheDir, directories: [directory] })).rejects.toThrow(
    'does not match its hash: expected sha-256',
  )
})
