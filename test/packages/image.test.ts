// Images with packages, from options to sessions, with wheels made here. build.test.ts tests what the builder does with wheels.

import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BrumateError,
  Image,
  ImageError,
  InvalidOptionError,
  PackageError,
  PythonError,
  type SessionManager,
  SnapshotError,
} from 'brumate'
import { afterAll, beforeAll, describe, expect, inject, it, test } from 'vitest'
import { makeLock } from '../../src/packages/open.js'
import { resolveImageOptions } from '../../src/packages/options.js'
import { decodeImage, encodeImage } from '../../src/shared/image/format.js'
import { managerForTest, openManager } from '../support/manager.js'
import { rejectionOf } from '../support/session-code.js'
import { makeWheel } from './support/pure-wheel.js'

const GREETING = makeWheel('greeting', {
  requires: ['punctuation>=1'],
  files: {
    'greeting/__init__.py': 'from punctuation import mark\ndef greet(name): return f"hello {name}{mark}"\n',
  },
})
const PUNCTUATION = makeWheel('punctuation', { files: { 'punctuation/__init__.py': 'mark = "!"\n' } })

const FILE = '/lib/python3.14/site-packages/greeting/__init__.py'

let directory: string
let image: Image
let standard: Image
let manager: SessionManager

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'brumate-image-'))
  for (const { file, bytes } of [GREETING, PUNCTUATION]) await writeFile(join(directory, file), bytes)
  image = await build()
  standard = await Image.build({ cacheDir: inject('cacheDir') })
  manager = await openManager({
    images: [image, standard],
    slots: 1,
    idleTimeoutMs: Number.POSITIVE_INFINITY,
  })
})

afterAll(async () => {
  await manager.close()
  rmSync(directory, { recursive: true, force: true })
})

function build(): Promise<Image> {
  const packages = [join(directory, GREETING.file)]
  return Image.build({ packages, wheels: directory, indexUrl: null, cacheDir: inject('cacheDir') })
}

describe('an image with packages', () => {
  it('has its packages, and gets the same id when it is built again', async () => {
    expect(image.packages).toEqual(
      [GREETING, PUNCTUATION].map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    )
    expect(standard.packages).toEqual([])
    expect((await build()).id).toBe(image.id)
    expect(standard.id).not.toBe(image.id)
  })

  it('can be saved and loaded', async () => {
    const path = join(directory, 'saved.image')
    await image.save(path)
    const loaded = await Image.load(path)
    expect([loaded.id, loaded.packages]).toEqual([image.id, image.packages])
    const bytes = await readFile(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    await writeFile(path, bytes)
    await rejectionOf(ImageError, Image.load(path))
    await rejectionOf(ImageError, Image.load(join(directory, 'nowhere.image')))
    await rejectionOf(ImageError, image.save(join(directory, 'nowhere', 'a.image')))
  })

  it('is saved with the permissions of a new file, although the cache is private to its owner', async () => {
    const path = join(directory, 'readable.image')
    await standard.save(path)
    await writeFile(join(directory, 'new'), '')
    const modeOf = async (file: string) => (await stat(file)).mode & 0o777
    expect(await modeOf(path)).toBe(await modeOf(join(directory, 'new')))
  })

  it('can be loaded with damaged file contents: reading them raises errors, and saving fails', async () => {
    const path = join(directory, 'late.image')
    await image.save(path)
    const bytes = await readFile(path)
    bytes.fill(0xff, bytes.length - 100)
    await writeFile(path, bytes)
    const late = await Image.load(path)
    const damaged = await managerForTest({ image: late, slots: 1 })
    const session = await damaged.createSession()
    expect((await session.execute('import greeting\ngreeting.greet("you")')).value).toBe('hello you!')
    const read = 'open(greeting.__file__).read()'
    expect((await rejectionOf(PythonError, session.execute(read))).type).toBe('OSError')
    expect((await rejectionOf(BrumateError, session.files.readFile(FILE))).code).toMatch(/^[A-Z_]+$/)
    expect((await session.execute('greeting.greet("again")')).value).toBe('hello again!')
    expect((await session.snapshotState()).size).toBeGreaterThan(0)
    await session.close()
    const error = await rejectionOf(ImageError, late.save(join(directory, 'copy.image')))
    expect(error.message).toContain('has changed')
  })

  it('is rejected by another version of brumate', async () => {
    const path = join(directory, 'foreign.image')
    await image.save(path)
    const { contents } = decodeImage(new Uint8Array(await readFile(path)))
    await writeFile(path, await encodeImage({ ...contents, codeKey: '0'.repeat(64) }))
    expect((await rejectionOf(ImageError, Image.load(path))).message).toContain('another version of brumate')
  })

  it('has the same id when it is built from a lock alone', async () => {
    const options = { wheels: directory, indexUrl: null, cacheDir: inject('cacheDir') }
    const packages = [join(directory, GREETING.file)]
    const lock = await makeLock(resolveImageOptions({ ...options, packages }))
    const path = join(directory, 'brumate.lock.json')
    await writeFile(path, JSON.stringify(lock))
    expect((await Image.build({ ...options, lock: path })).id).toBe(image.id)
    expect((await Image.build({ ...options, lock, packages })).id).toBe(image.id)
    const error = await rejectionOf(
      PackageError,
      Image.build({ ...options, lock, packages: ['punctuation'] }),
    )
    expect(error.message).toContain(`was made for greeting @ ${GREETING.file}, not for punctuation`)
  })
})

describe('a manager with several images', () => {
  it('gives each session the image it asks for, within its total number of slots', async () => {
    const first = await manager.createSession()
    const second = await manager.createSession({ image: standard.id })
    expect((await first.execute('import greeting\ngreeting.greet("you")')).value).toBe('hello you!')
    const found = await second.execute('import importlib.util\nimportlib.util.find_spec("greeting") is None')
    expect(found.value).toBe(true)
    expect((await first.execute('greeting.greet("again")')).value).toBe('hello again!')
    const { max, ...slots } = manager.stats().slots
    expect(Object.values(slots).reduce((sum, count) => sum + count)).toBeLessThanOrEqual(max)
    await Promise.all([first.close(), second.close()])
  })

  it('starts a session from a snapshot with the snapshot’s image', async () => {
    const session = await manager.createSession({ image: standard.id })
    await session.execute('x = 41')
    const snapshot = await session.snapshotState()
    await session.close()
    const next = await manager.createSession({ from: snapshot })
    expect((await next.execute('x + 1')).value).toBe(42)
    await next.close()
    await rejectionOf(SnapshotError, manager.createSession({ from: snapshot, image: image.id }))
  })

  it('rejects the id of an image it does not have', async () => {
    const error = await rejectionOf(InvalidOptionError, manager.createSession({ image: '0'.repeat(64) }))
    expect(error.message).toContain(image.id)
    await rejectionOf(InvalidOptionError, manager.createSession({ image: 'standard' }))
  })
})

describe('too little memory for an image', () => {
  const MiB = 2 ** 20
  let large: Image
  beforeAll(async () => {
    // Zeros take no room in the image's file.
    const wheel = makeWheel('large', { files: { 'large/__init__.py': `data = bytes(${300 * MiB})\n` } })
    await writeFile(join(directory, wheel.file), wheel.bytes)
    const packages = [join(directory, wheel.file)]
    large = await Image.build({ packages, indexUrl: null, cacheDir: inject('cacheDir') })
  })

  it('is an error when the manager is created, and the error says how much is needed', async () => {
    const options = { image: large, maxMemoryBytes: 384 * MiB, limits: { memoryBytes: null } }
    const error = await rejectionOf(InvalidOptionError, openManager(options))
    expect(error.option).toBe('maxMemoryBytes')
    const [, needed] = /expected at least (\d+) bytes for these images/.exec(error.message) ?? []
    const one = await managerForTest({ ...options, maxMemoryBytes: Number(needed), slots: 1 })
    await using session = await one.createSession()
    expect((await session.execute('import large; len(large.data)')).value).toBe(300 * MiB)
  })

  it('is an error if limits.memoryBytes is less than the image needs', async () => {
    const error = await rejectionOf(InvalidOptionError, openManager({ image: large }))
    expect(error.option).toBe('limits.memoryBytes')
    const [, needed] =
      /expected at least (\d+) bytes, which a session of the image with its 1 package/.exec(error.message) ??
      []
    const one = await managerForTest({ images: [standard, large] })
    await rejectionOf(InvalidOptionError, one.createSession({ image: large.id }))
    await using session = await one.createSession({
      image: large.id,
      limits: { memoryBytes: Number(needed) },
    })
    expect((await session.execute('import large; len(large.data)')).value).toBe(300 * MiB)
  })
})

test('packages can be options of a manager', async () => {
  const one = await managerForTest({
    packages: [join(directory, GREETING.file)],
    wheels: directory,
    indexUrl: null,
  })
  const session = await one.createSession()
  const { value } = await session.execute(
    'import sys\n"greeting" in sys.modules, __import__("greeting").greet("x")',
  )
  expect(value).toEqual([true, 'hello x!'])
})

test.each([
  ['image', { image: 3 }],
  ['images', { images: [] }],
  ['images[1]', { images: ['a', null] }],
  ['image', { image: 'a', packages: ['numpy'] }],
  ['image', { image: 'a', images: ['b'] }],
  ['packages', { packages: 'numpy' }],
  ['packages[0]', { packages: [undefined] }],
  ['preload[0]', { packages: ['numpy'], preload: ['os; import sys'] }],
  ['preload', { preload: ['os'] }],
  ['indexUrl', { packages: ['numpy'], indexUrl: 'ftp://x' }],
  ['lock', { lock: 3 }],
])('the option %s of %o is rejected', async (option, options) => {
  const error = await rejectionOf(InvalidOptionError, openManager(options as object))
  expect(error.option).toBe(option)
})
