// Images with packages, built from two wheels made by the test: one in pure Python, one with a native module.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { PackageError } from '../../src/shared/errors.js'
import { FILE_BLOCK_BYTES } from '../../src/shared/image/file-blocks.js'
import type { Image } from '../../src/shared/image/image.js'
import type { WheelFile } from '../../src/shared/messages/builder.js'
import { STATE_PREFIX } from '../../workers/interpreter/exports.js'
import { imageKey, loadImageFile, openImage, runPython } from '../image/built.js'
import { changesOf } from '../image/support/instructions.js'
import { side } from '../linker/support/assembler.js'
import { openManager } from '../support/manager.js'
import { nativeModule } from './support/native-module.js'
import { metadata, type WheelParts, wheelFile, zip } from './support/wheel.js'

const load = <T>(path: string): Promise<T> =>
  import(new URL(`../../dist/src/${path}`, import.meta.url).href) as Promise<T>
const { buildPackageImage } =
  await load<typeof import('../../src/image/build-packages.js')>('image/build-packages.js')
const { decodeImage } =
  await load<typeof import('../../src/shared/image/format.js')>('shared/image/format.js')

/** Creates files when it is imported. */
const CACHE = `import os
os.makedirs(os.path.expanduser('~/.wombat/empty'))
with open(os.path.expanduser('~/.wombat/cache'), 'w') as file:
    file.write('burrows' * 3)
open('/tmp/wombat', 'w').close()
`

/** Draws from every source of entropy. */
const ENTROPY = `import os, random, secrets, tempfile, time, uuid
with open('/dev/urandom', 'rb') as file:
    device = file.read(8)
drawn = [device, os.urandom(8), secrets.token_hex(4), random.random(), uuid.uuid1(), uuid.uuid4(), time.time(), tempfile.mktemp()]
`

const PURE: WheelParts = {
  name: 'wombat',
  version: '2.0',
  files: {
    'wombat/__init__.py': 'from wombat import burrow\n',
    'wombat/burrow.py': 'import os\ndepth = 3\nbackend = os.environ.get("MPLBACKEND")\n',
    'wombat/lazy.py': 'value = __cached__\n',
    'wombat/data.txt': 'grass\n',
    'wombat/cache.py': CACHE,
    'wombat/broken.py': 'raise ValueError("no burrow")\n',
    'wombat/open.py': 'kept = open(__file__)\n',
    'wombat/timer.py': 'import asyncio\nasyncio.get_running_loop().call_later(0, print)\n',
    'wombat/entropy.py': ENTROPY,
  },
}
const NATIVE: WheelParts = {
  name: 'native-wombat',
  files: {
    // The same file as in the other wheel: wheels may share a namespace package.
    'wombat/data.txt': 'grass\n',
    'native_wombat/__init__.py': 'from native_wombat.fast import count\n',
    'native_wombat/fast.so': nativeModule('fast'),
  },
}

const PRELOAD = ['wombat', 'native_wombat', 'wombat.cache', 'wombat.entropy']

const directory = mkdtempSync(join(tmpdir(), 'brumate-packages-'))
const layerDir = join(directory, 'layers')
let base: Image
let wheels: readonly [WheelFile, WheelFile]
let bytes: Uint8Array<ArrayBuffer>
let imagePath: string
let image: Image

const build = (given: readonly WheelFile[], preload: readonly string[] = []) =>
  buildPackageImage({ base, wheels: given, preload, layerDir })

beforeAll(async () => {
  base = await openImage({ cacheDir: inject('cacheDir') })
  wheels = [wheelFile(directory, PURE), wheelFile(directory, NATIVE)]
  bytes = await build(wheels, PRELOAD)
  imagePath = join(directory, 'packages.image')
  writeFileSync(imagePath, bytes)
  image = await loadImageFile(imagePath)
}, 120_000)

afterAll(() => rmSync(directory, { recursive: true }))

describe('an image with packages', () => {
  test('has its packages, and preloads those it should', () => {
    const code = `
import sys, importlib.metadata, importlib.resources
print(sorted(n for n in sys.modules if 'wombat' in n))
import wombat, wombat.lazy, native_wombat
print(wombat.burrow.depth, wombat.lazy.value, native_wombat.count(5), native_wombat.count(6))
print(*(f'{d.name} {d.version}' for d in importlib.metadata.distributions()), sep=', ')
print((importlib.resources.files('wombat') / 'data.txt').read_text(), end='')
`
    expect(runPython(image, code).split('\n')).toEqual([
      "['native_wombat', 'native_wombat.fast', 'wombat', 'wombat.burrow', 'wombat.cache', 'wombat.entropy']",
      '3 /lib/python3.14/site-packages/wombat/__pycache__/lazy.cpython-314.pyc 5 11',
      'native-wombat 1.0, wombat 2.0',
      'grass',
      '',
    ])
  })

  test('keeps files that packages wrote while they were imported, except temporary ones', () => {
    const code = `
import os
print(open('/home/pyodide/.wombat/cache').read(), os.listdir('/home/pyodide/.wombat'), os.listdir('/tmp'))
`
    expect(runPython(image, code)).toBe("burrowsburrowsburrows ['cache', 'empty'] []\n")
  })

  test('lists its packages', () => {
    expect(image.packages).toEqual(
      [wheels[1], wheels[0]].map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    )
  })

  test('loads no other native code, and says why', () => {
    const code = `
import ctypes, importlib.machinery, importlib.util
path = '/lib/python3.14/site-packages/native_wombat/fast.so'
open('/tmp/other.so', 'wb').write(b'\\0asm\\1\\0\\0\\0')
def tried(run):
    try: print(run())
    except Exception as error: print(type(error).__name__, error)
def module():
    loader = importlib.machinery.ExtensionFileLoader('other', '/tmp/other.so')
    return importlib.util.module_from_spec(importlib.util.spec_from_loader('other', loader))
tried(module)
tried(lambda: ctypes.CDLL('/tmp/other.so'))
tried(lambda: ctypes.CDLL(path).missing)
tried(lambda: ctypes.CDLL(path).PyInit_fast is not None)
tried(lambda: ctypes.string_at(ctypes.addressof(ctypes.create_string_buffer(b'abc')), 3))
`
    const only = 'sessions can load only the native libraries of their image’s packages'
    expect(runPython(image, code).split('\n')).toEqual([
      `ImportError /tmp/other.so: ${only}`,
      `OSError /tmp/other.so: ${only}`,
      'AttributeError /lib/python3.14/site-packages/native_wombat/fast.so: symbol missing not found',
      'True',
      "b'abc'",
      '',
    ])
  })

  test('is identical when built from cached layers, from damaged ones, or with its wheels in another order', async () => {
    const layers = readdirSync(layerDir)
    expect(layers).toHaveLength(2)
    truncateSync(join(layerDir, layers[0] ?? ''), 100)
    const again = await build(wheels.toReversed(), PRELOAD)
    expect(Buffer.compare(again, bytes)).toBe(0)
  }, 120_000)
})

test('S1: an image with packages changes exported globals and tables only, like the one without', () => {
  const found = [base, image].map(({ module }) => WebAssembly.Module.exports(module).map(({ name }) => name))
  const state = found.map((names) => names.filter((name) => name.startsWith(STATE_PREFIX)))
  expect(state[1]).toEqual(state[0])
  const globals = new Set<number>()
  for (const { what, index } of changesOf(decodeImage(bytes).contents.moduleBytes)) {
    if (what === 'global') globals.add(index)
    else expect(index).not.toBe(0)
  }
  // Subtract the stack pointer, which is exported under a name of its own.
  expect(globals.size - 1).toBe(state[1]?.filter((name) => name.includes('global')).length)
})

describe('the file of an image', () => {
  test('determines its id', () => {
    expect(image.id).toBe(decodeImage(bytes).id)
  })

  test.each<[string, (path: string) => void, string]>([
    ['that is not there', (path) => rmSync(path, { force: true }), 'ENOENT'],
    [
      'that is damaged',
      (path) => writeFileSync(path, bytes.with(bytes.length >> 1, 1 ^ (bytes[bytes.length >> 1] ?? 0))),
      'checksum',
    ],
    [
      'whose code is damaged',
      (path) => {
        const damaged = Buffer.from(bytes)
        damaged.write('ASM', damaged.indexOf('\0asm') + 1)
        writeFileSync(path, damaged)
      },
      'checksum',
    ],
    ['that was cut', (path) => writeFileSync(path, bytes.subarray(0, 1_000_000)), 'not a valid image'],
    ['that is a byte too short', (path) => writeFileSync(path, bytes.subarray(0, -1)), 'its length'],
    ['that is not an image', (path) => writeFileSync(path, 'x'.repeat(100)), 'not an image'],
    ['that is a directory', (path) => mkdirSync(path), 'expected a file'],
  ])('%s is rejected', async (_, make, reason) => {
    const path = join(directory, 'bad.image')
    rmSync(path, { recursive: true, force: true })
    make(path)
    const error: unknown = await loadImageFile(path).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ name: 'ImageError', code: 'IMAGE' })
    expect((error as Error).message).toContain(reason)
  })
})

describe('an image whose file is damaged in the contents of files', () => {
  let late: Image
  beforeAll(async () => {
    const path = join(directory, 'late.image')
    const damaged = bytes.slice()
    // Damage every block, so that reading any of them fails.
    for (let at = decodeImage(bytes).filesAt; at < damaged.length; at += FILE_BLOCK_BYTES)
      damaged[at] = 1 ^ (damaged[at] ?? 0)
    writeFileSync(path, damaged)
    late = await loadImageFile(path)
  })

  test('opens, boots and runs what it has in memory, because none of that reads a file', () => {
    expect(late.id).toBe(image.id)
    const code = `
import os, native_wombat, wombat.burrow
print(native_wombat.count(1), wombat.burrow.depth, os.stat('/lib/python314.zip').st_size > 10 ** 6)
`
    expect(runPython(late, code)).toBe('1 3 True\n')
  })

  test('raises errors where a file is read, and never returns wrong bytes', () => {
    const code = `
import errno, mmap, os
def tried(run):
    try: print(run())
    except Exception as error: print(type(error).__name__, getattr(error, 'errno', None) == errno.EIO)
path = '/lib/python3.14/site-packages/wombat/data.txt'
tried(lambda: open(path).read())
tried(lambda: os.pread(os.open(path, os.O_RDONLY), 3, 0))
tried(lambda: os.write(os.open(path, os.O_RDWR), b'x'))
tried(lambda: mmap.mmap(os.open(path, os.O_RDONLY), 0, prot=mmap.PROT_READ))
tried(lambda: __import__('wombat.lazy'))
tried(lambda: __import__('wave'))
print('goes on')
`
    expect(runPython(late, code)).toBe(`${'OSError True\n'.repeat(6)}goes on\n`)
  })
})

describe('sessions of an image with packages', () => {
  let manager: SessionManager
  beforeAll(async () => {
    // Put it into the cache in place of the image without packages.
    const cacheDir = join(directory, 'cache')
    mkdirSync(cacheDir, { mode: 0o700 })
    writeFileSync(join(cacheDir, `${imageKey().slice(0, 32)}.image`), bytes, { mode: 0o600 })
    manager = await openManager({ cacheDir, slots: 2 })
  })
  afterAll(() => manager?.close())

  test('I1: a snapshot includes the memory of native code, and S1: the next session does not see it', async () => {
    const [first, second] = await Promise.all([manager.createSession(), manager.createSession()])
    const run = async (session: typeof first, code: string) => (await session.execute(code)).repr
    expect(await run(first, 'import native_wombat; native_wombat.count(40)')).toBe('40')
    const snapshot = await first.snapshotState()
    expect(snapshot.size).toBeLessThan(20_000)
    await second.restoreState(snapshot)
    expect(await run(second, 'native_wombat.count(2)')).toBe('42')
    expect(await run(first, 'native_wombat.count(1)')).toBe('41')
    await Promise.all([first.close(), second.close()])
    const next = await Promise.all([manager.createSession(), manager.createSession()])
    for (const session of next)
      expect(await run(session, 'import native_wombat; native_wombat.count(0)')).toBe('0')
    await Promise.all(next.map((session) => session.close()))
  })

  test('R1: C code cannot call Python functions, and creating a C callback raises an error that says so', async () => {
    await using session = await manager.createSession()
    await session.execute('import ctypes, _ctypes\ncompare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)')
    for (const code of [
      'compare(lambda x: x)',
      '@compare\ndef f(x): return x',
      'ctypes.PYFUNCTYPE(ctypes.py_object)(print)',
    ])
      await expect.soft(session.execute(code)).rejects.toThrow('C code cannot call Python functions')
    // A function type made without the class that ctypes offers.
    const bare =
      'class F(_ctypes.CFuncPtr): _flags_, _restype_, _argtypes_ = 1, ctypes.c_int, ()\nF(lambda: 1)()'
    await expect.soft(session.execute(bare)).rejects.toThrow('ffi_prep_closure failed')
    const others =
      'bool(compare()), compare(0) is not None, ctypes.string_at(ctypes.create_string_buffer(b"abc"))'
    expect((await session.execute(others)).value).toEqual([false, true, new TextEncoder().encode('abc')])
  })

  test('S3: continue after calling an address that is not a function', async () => {
    const session = await manager.createSession()
    await session.execute('x = 7')
    await expect(
      session.execute('import ctypes\nctypes.CFUNCTYPE(ctypes.c_int)(12345678)()'),
    ).rejects.toThrow('not a C function')
    expect((await session.execute('x')).repr).toBe('7')
    await session.close()
  })
})

describe('the builder’s error names the package', () => {
  const failure = async (promise: Promise<unknown>): Promise<PackageError> => {
    const error = await promise.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'PackageError', code: 'PACKAGE' })
    return error as PackageError
  }

  test.each<[string, () => readonly WheelFile[], readonly string[], string]>([
    ['whose bytes do not match their hash', () => [{ ...wheels[0], sha256: 'ab'.repeat(32) }], [], 'sha-256'],
    ['that is not a wheel', () => [wheelFile(directory, PURE, zip(metadata(PURE).slice(1)))], [], 'METADATA'],
    [
      'that has a different file at the same path as another',
      () => [wheels[0], wheelFile(directory, { name: 'a-wombat', files: { 'wombat/data.txt': 'leaves\n' } })],
      [],
      'a-wombat has a file wombat/data.txt as well',
    ],
    [
      'that cannot be imported',
      () => [wheels[0]],
      ['wombat.broken'],
      'its module wombat.broken cannot be preloaded: ValueError: no burrow\nTraceback',
    ],
    [
      'that keeps a file open',
      () => [wheels[0]],
      ['wombat', 'wombat.open'],
      'its module wombat.open keeps files open after its import (open.py)',
    ],
    [
      'that leaves a timer running',
      () => [wheels[0]],
      ['wombat.timer'],
      'it leaves tasks or timers on the event loop',
    ],
    [
      'that cannot be linked',
      () => {
        const { module } = side()
        module.importFunction('raw_call_js', module.type())
        const files = { 'wombat.so': module.bytes() }
        return [wheelFile(directory, { name: 'wombat', version: '3.0', files })]
      },
      [],
      'raw_call_js',
    ],
  ])(
    '%s',
    async (_, given, preload, reason) => {
      const error = await failure(build(given(), preload))
      expect(error.message).toContain(reason)
      expect(error.package).toBe('wombat')
    },
    60_000,
  )
})
