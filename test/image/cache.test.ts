import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { defaultCacheDirectory, ImageCache } from '../../src/image/cache.js'
import { OPEN_SCRIPT, type OpenReport, openImage } from './built.js'

const run = promisify(execFile)
const KEY = 'k'.repeat(64)

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'brumate-cache-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** The test's own cache directory, with a copy of the tests' image in it. */
async function filledCache(): Promise<string> {
  await openImage({ cacheDir: inject('cacheDir') })
  for (const name of await readdir(inject('cacheDir')))
    if (name.endsWith('.image')) await copyFile(join(inject('cacheDir'), name), join(directory, name))
  return directory
}

describe('opening an image', () => {
  test('takes a cached one without building', async () => {
    const progress: string[] = []
    const cacheDir = await filledCache()
    const image = await openImage({ cacheDir, onProgress: (step) => progress.push(step) })
    expect(progress).toEqual([])
    expect(image.id).toMatch(/^[0-9a-f]{64}$/)
  })

  test('rebuilds a damaged one, and the next finds it whole', async () => {
    const cacheDir = await filledCache()
    const { id } = await openImage({ cacheDir })
    for (const name of await readdir(cacheDir)) {
      const bytes = await readFile(join(cacheDir, name))
      const middle = bytes.length >> 1
      bytes[middle] = (bytes[middle] ?? 0) ^ 1
      await writeFile(join(cacheDir, name), bytes)
    }
    const progress: string[] = []
    const onProgress = (step: string) => progress.push(step)
    expect((await openImage({ cacheDir, onProgress })).id).toBe(id)
    expect((await openImage({ cacheDir, onProgress })).id).toBe(id)
    expect(progress).toEqual(['building', 'built'])
  })

  test('by several processes at once builds one image, which all of them get', async () => {
    const opened = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { stdout } = await run(process.execPath, [OPEN_SCRIPT, directory])
        return JSON.parse(stdout) as OpenReport
      }),
    )
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1)
    expect(opened.filter(({ progress }) => progress.includes('building'))).toHaveLength(1)
    expect((await readdir(directory)).map((name) => name.replace(/^.*\./, ''))).toEqual(['image'])
  })

  test('builds without a cache, and says so, where the directory cannot be made', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const { id } = await openImage({ cacheDir: join(file, 'cache') })
    await new Promise(setImmediate)
    process.off('warning', listen)
    expect(id).toBe((await openImage({ cacheDir: inject('cacheDir') })).id)
    expect(warnings.map(({ message }) => message).join()).toContain('cannot be kept in')
  })

  test('ends with the reason of its signal, and leaves no lock', async () => {
    const controller = new AbortController()
    const opening = openImage({
      cacheDir: directory,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
    await expect(opening).rejects.toThrow('enough')
    expect(await readdir(directory)).toEqual([])
  })
})

describe('the lock of an image', () => {
  test('is had by one at a time, and free after its release', async () => {
    const cache = new ImageCache(directory)
    const lock = await cache.lock(KEY)
    expect(await cache.lock(KEY)).toBeUndefined()
    await lock?.release()
    const again = await cache.lock(KEY)
    expect(again).toBeDefined()
    await again?.release()
  })

  test('of a process that is no more is taken over', async () => {
    const cache = new ImageCache(directory)
    const child = execFile(process.execPath, ['-e', ''])
    await new Promise((resolve) => child.once('exit', resolve))
    await writeFile(`${cache.path(KEY)}.lock`, `${hostname()} ${child.pid} x`)
    expect(await cache.lock(KEY)).toBeUndefined()
    const lock = await cache.lock(KEY)
    expect(lock).toBeDefined()
    await lock?.release()
  })

  test('that nobody has touched for long is taken over', async () => {
    const cache = new ImageCache(directory)
    const path = `${cache.path(KEY)}.lock`
    await writeFile(path, 'another-machine 1 x')
    const longAgo = new Date(Date.now() - 60_000)
    await utimes(path, longAgo, longAgo)
    expect(await cache.lock(KEY)).toBeUndefined()
    const lock = await cache.lock(KEY)
    expect(lock).toBeDefined()
    await lock?.release()
  })

  test('taken over meanwhile is not released by who had it before', async () => {
    const cache = new ImageCache(directory)
    const lock = await cache.lock(KEY)
    await writeFile(`${cache.path(KEY)}.lock`, 'another-machine 1 x')
    await lock?.release()
    expect(await readFile(`${cache.path(KEY)}.lock`, 'utf8')).toBe('another-machine 1 x')
  })
})

test.each([
  ['linux', {}, '/home/u/.cache/brumate'],
  ['linux', { XDG_CACHE_HOME: '/x' }, '/x/brumate'],
  ['darwin', { XDG_CACHE_HOME: '/x' }, '/home/u/Library/Caches/brumate'],
  ['win32', { LOCALAPPDATA: '/local' }, '/local/brumate/Cache'],
])('the default directory on %s with %o is %s', (platform, env, expected) => {
  expect(defaultCacheDirectory(platform, env, '/home/u').replaceAll('\\', '/')).toBe(expected)
})
