import { execFile } from 'node:child_process'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { defaultCacheDirectory, ImageCache } from '../../src/image/cache.js'
import type { OpenImageOptions } from '../../src/image/open.js'
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { blockHashes } from '../../src/shared/image/file-blocks.js'
import { decodeImage, encodeImage } from '../../src/shared/image/format.js'
import { imageKey, openImage } from './built.js'

const run = promisify(execFile)
const KEY = 'k'.repeat(64)

/** Small images without an interpreter: decisions about a file do not depend on its size, and a full image is slow to compile. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const FILES = Uint8Array.of(1, 2, 3)
function smallImage(cwd: string): Promise<Uint8Array<ArrayBuffer>> {
  return encodeImage({
    pyodideVersion: '1.2.3',
    pythonVersion: '3.14.0',
    moduleBytes: EMPTY_MODULE,
    trampolineBytes: EMPTY_MODULE,
    memoryBytes: 131_072,
    runs: Uint32Array.of(0, 65_536),
    dataBytes: dataModuleBytes([new Uint8Array(65_536).fill(7), new Uint8Array(4), blockHashes(FILES)]),
    fileBytes: FILES,
    tableLength: 9,
    stackPointer: 65_536,
    dispatch: 4000,
    landmarks: { stackLow: 4096, mallocState: 8192, dataStack: 0, internedStrings: 0 },
    fileTable: { offset: 65_536, length: 4 },
    fileContents: { length: FILES.length, hashes: 65_540 },
    packages: [],
    native: null,
    env: {},
    cwd,
  })
}
const SMALL = await smallImage('/home')
const { id: SMALL_ID } = decodeImage(SMALL)
const FOREIGN = await smallImage('/foreign')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'brumate-cache-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Puts an image into the test's own cache directory. */
async function filledCache(bytes: Uint8Array = SMALL): Promise<string> {
  await new ImageCache(directory).write(imageKey(), bytes)
  return directory
}

async function forEachImage(cacheDir: string, change: (path: string) => Promise<void>): Promise<void> {
  for (const name of await readdir(cacheDir)) await change(join(cacheDir, name))
}

/** Opens an image with an instant builder. */
async function opened(options: OpenImageOptions & { cacheDir: string }) {
  const progress: string[] = []
  const warnings: string[] = []
  const listen = (warning: Error) => warnings.push(warning.message)
  process.on('warning', listen)
  const { id } = await openImage({
    onProgress: (step) => progress.push(step),
    build: async () => SMALL.slice(),
    ...options,
  })
  await new Promise(setImmediate)
  process.off('warning', listen)
  return { id, progress, warnings }
}

describe('opening an image', () => {
  test('uses a cached one without building', async () => {
    const progress: string[] = []
    const image = await openImage({
      cacheDir: inject('cacheDir'),
      onProgress: (step) => progress.push(step),
    })
    expect(progress).toEqual([])
    expect(image.id).toMatch(/^[0-9a-f]{64}$/)
  })

  test('replaces a damaged one, and the next open uses the replacement', async () => {
    const cacheDir = await filledCache()
    expect(await opened({ cacheDir })).toEqual({ id: SMALL_ID, progress: [], warnings: [] })
    const damaged = SMALL.slice()
    const middle = damaged.length >> 1
    damaged[middle] = (damaged[middle] ?? 0) ^ 1
    await filledCache(damaged)
    expect(await opened({ cacheDir })).toEqual({
      id: SMALL_ID,
      progress: ['building', 'built'],
      warnings: [],
    })
    expect(await opened({ cacheDir })).toEqual({ id: SMALL_ID, progress: [], warnings: [] })
  })

  test('builds without a cache, with a warning, if the directory cannot be created', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    const { id, warnings } = await opened({ cacheDir: join(file, 'cache') })
    expect(id).toBe(SMALL_ID)
    expect(warnings.join()).toContain('cannot be cached in')
    expect(warnings.join()).toContain('brumate image build -o brumate.image')
  })

  test('rejects with the reason of an aborted signal, and leaves no lock', async () => {
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

/** A cache in which somebody else put a valid file of another image. */
const foreignCache = () => filledCache(FOREIGN)

describe('R6: an image in the cache that another user may have written', () => {
  test('is replaced, with a warning, if the package knows the id of its image', async () => {
    const cacheDir = await foreignCache()
    const { warnings, ...first } = await opened({ cacheDir, standardId: SMALL_ID })
    expect(first).toEqual({ id: SMALL_ID, progress: ['building', 'built'] })
    expect(warnings).toEqual([
      expect.stringMatching(/is not the Python image of this version.* not [0-9a-f]{64}/),
    ])
    expect(await opened({ cacheDir, standardId: SMALL_ID })).toEqual({
      id: SMALL_ID,
      progress: [],
      warnings: [],
    })
  })

  test('is not run; a newly built image is, with a warning if it differs from the published one', async () => {
    const cacheDir = await foreignCache()
    const [name = ''] = await readdir(cacheDir)
    const before = await readFile(join(cacheDir, name))
    const { warnings, ...rest } = await opened({ cacheDir, standardId: '0'.repeat(64) })
    expect(rest).toEqual({ id: SMALL_ID, progress: ['building', 'built'] })
    expect(warnings.length).toBe(2)
    expect(warnings[1]).toContain('Please report this')
    // The cached image is not overwritten by the newly built one, which would be rejected as well.
    expect(Buffer.compare(await readFile(join(cacheDir, name)), before)).toBe(0)
  })

  const POSIX = process.geteuid === undefined ? [] : ['once']
  const CASES: readonly (readonly [
    what: string,
    harm: (cacheDir: string) => Promise<void>,
    reason: RegExp,
  ])[] = [
    [
      'in a directory that everybody can write to',
      (cacheDir) => chmod(cacheDir, 0o777),
      /everybody can write to \S+; run chmod go-w/,
    ],
    [
      'in a directory that its group can write to',
      (cacheDir) => chmod(cacheDir, 0o770),
      /its group can write to/,
    ],
    [
      'in a directory whose parent everybody can write to',
      (cacheDir) => chmod(join(cacheDir, '..'), 0o777),
      /everybody can write to \S+, which contains it; run chmod o-w on that/,
    ],
    [
      'as a file that everybody can write to',
      (cacheDir) => forEachImage(cacheDir, (path) => chmod(path, 0o666)),
      /everybody can write/,
    ],
    [
      'as a symbolic link',
      (cacheDir) =>
        forEachImage(cacheDir, async (path) => {
          await rename(path, `${path}.other`)
          await symlink(`${path}.other`, path)
        }),
      /is a symbolic link/,
    ],
  ]
  test.for(POSIX.flatMap(() => CASES))(
    'is not run if the package does not know the id of its image: %s',
    async ([, harm, reason]) => {
      const parent = directory
      directory = join(parent, 'cache')
      await mkdir(directory, { mode: 0o700 })
      try {
        const cacheDir = await foreignCache()
        await harm(cacheDir)
        const names = await readdir(cacheDir)
        const { warnings, ...rest } = await opened({ cacheDir })
        expect(rest).toEqual({ id: SMALL_ID, progress: ['building', 'built'] })
        expect(warnings).toEqual([expect.stringMatching(reason)])
        expect(await readdir(cacheDir)).toEqual(names)
      } finally {
        directory = parent
      }
    },
  )

  test.runIf(process.geteuid?.() === 0)('is not run if it belongs to another user', async () => {
    const cacheDir = await foreignCache()
    await forEachImage(cacheDir, (path) => chown(path, 12_345, 12_345))
    const { warnings, ...rest } = await opened({ cacheDir })
    expect(rest).toEqual({ id: SMALL_ID, progress: ['building', 'built'] })
    expect(warnings).toEqual([expect.stringContaining('belongs to user 12345')])
  })

  test('is ignored if it is a pipe or a directory', async () => {
    const cache = new ImageCache(directory)
    await mkdir(cache.path(KEY))
    expect(await cache.open(KEY, true)).toBeUndefined()
    await rm(cache.path(KEY), { recursive: true })
    if (process.platform === 'win32') return
    await run('mkfifo', ['-m', '600', cache.path(KEY)])
    expect(await cache.open(KEY, true)).toBeUndefined()
  })
})

describe('the lock of an image', () => {
  test('is held by one at a time, and is free after its release', async () => {
    const cache = new ImageCache(directory)
    const lock = await cache.lock(KEY)
    expect(await cache.lock(KEY)).toBeUndefined()
    await lock?.release()
    const again = await cache.lock(KEY)
    expect(again).toBeDefined()
    await again?.release()
  })

  test('of a dead process is taken over', async () => {
    const cache = new ImageCache(directory)
    const child = execFile(process.execPath, ['-e', ''])
    await new Promise((resolve) => child.once('exit', resolve))
    await writeFile(`${cache.path(KEY)}.lock`, `${hostname()} ${child.pid} x`)
    expect(await cache.lock(KEY)).toBeUndefined()
    const lock = await cache.lock(KEY)
    expect(lock).toBeDefined()
    await lock?.release()
  })

  test('that has not been touched for long is taken over', async () => {
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

  test('taken over by another process is not released by the previous holder', async () => {
    const cache = new ImageCache(directory)
    const lock = await cache.lock(KEY)
    await writeFile(`${cache.path(KEY)}.lock`, 'another-machine 1 x')
    await lock?.release()
    expect(await readFile(`${cache.path(KEY)}.lock`, 'utf8')).toBe('another-machine 1 x')
  })
})

test('without a home directory, the default is a directory of this user in the temporary directory', () => {
  expect(defaultCacheDirectory('linux', {}, '')).toBe(join(tmpdir(), `brumate-${process.geteuid?.()}`))
  expect(defaultCacheDirectory('linux', { XDG_CACHE_HOME: '/x' }, '')).toBe(join('/x', 'brumate'))
})

test.each([
  ['linux', {}, '/home/u/.cache/brumate'],
  ['linux', { XDG_CACHE_HOME: '/x' }, '/x/brumate'],
  ['darwin', { XDG_CACHE_HOME: '/x' }, '/home/u/Library/Caches/brumate'],
  ['win32', { LOCALAPPDATA: '/local' }, '/local/brumate/Cache'],
])('the default directory on %s with %o is %s', (platform, env, expected) => {
  expect(defaultCacheDirectory(platform, env, '/home/u').replaceAll('\\', '/')).toBe(expected)
})
