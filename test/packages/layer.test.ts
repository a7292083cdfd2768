// What is extracted from a wheel, and what is rejected. Runs in an interpreter of the build, as in the builder.
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { ReadableImage } from '../../workers/image-bytes.js'
import { openImage, readable } from '../image/built.js'
import { type Entry, metadata, zip } from './support/wheel.js'

const { makeLayer } = (await import(
  new URL('../../dist/workers/builder/packages/layer.js', import.meta.url).href
)) as typeof import('../../workers/builder/packages/layer.js')

let base: ReadableImage
beforeAll(async () => {
  base = readable(await openImage({ cacheDir: inject('cacheDir') }))
})

const WHEEL = { name: 'wombat', version: '1.0', sha256: '', path: '' }
const layerOf = (bytes: Uint8Array) => makeLayer(base, WHEEL, bytes)
const pathsOf = (entries: readonly Entry[]) =>
  layerOf(zip([...entries, ...metadata(WHEEL)]))
    .files.map(({ path }) => path)
    .filter((path) => !path.includes('dist-info'))

describe('a wheel', () => {
  test('provides its files, with Python modules compiled', () => {
    const layer = layerOf(
      zip([
        { name: 'wombat/', bytes: '' },
        { name: 'wombat/__init__.py', bytes: 'x = 1\n' },
        { name: 'wombat/template.py', bytes: '{{ this is no Python }}' },
        { name: 'wombat/tests/test_x.py', bytes: 'x = 1\n' },
        { name: 'wombat/__pycache__/__init__.cpython-314.pyc', bytes: 'stale' },
        { name: 'wombat/native.so', bytes: Buffer.from('\0asm\x01\0\0\0', 'latin1') },
        { name: 'wombat-1.0.data/purelib/more.txt', bytes: 'ä' },
        { name: 'wombat-1.0.data/scripts/run', bytes: '' },
        ...metadata(WHEEL),
      ]),
    )
    expect(layer.files.map(({ path, bytes }) => [path, bytes.length > 0])).toEqual([
      ['wombat/__init__.py', true],
      ['wombat/__pycache__/__init__.cpython-314.pyc', true],
      ['wombat/template.py', true],
      ['wombat/tests/test_x.py', true],
      ['wombat/native.so', false],
      ['more.txt', true],
      ['wombat-1.0.dist-info/METADATA', true],
      ['wombat-1.0.dist-info/WHEEL', true],
      ['wombat-1.0.dist-info/RECORD', false],
    ])
    const [pyc] = layer.files.filter(({ path }) => path.endsWith('.pyc'))
    // Flags of the .pyc: validated by hash, but never checked against the source.
    expect(Buffer.from(pyc?.bytes ?? []).readUInt32LE(4)).toBe(1)
    expect(layer.libraries.map(({ path, bytes }) => [path, bytes.length])).toEqual([['wombat/native.so', 8]])
  })

  test('gives the same layer each time', () => {
    const source = 'def f(a, *, b=frozenset({"x", "y", "z"})):\n    return {a: b, "c": lambda: (a, b)}\n'
    const bytes = zip([{ name: 'wombat.py', bytes: source }, ...metadata(WHEEL)])
    expect(layerOf(bytes)).toEqual(layerOf(bytes))
  })

  test.each<[string, readonly Entry[], string]>([
    ['an absolute path', [{ name: '/etc/passwd', bytes: '' }], "path '/etc/passwd'"],
    ['a path that leads out of the wheel', [{ name: 'a/../../b', bytes: '' }], "path 'a/../../b'"],
    ['a path with a dot', [{ name: 'a/./b', bytes: '' }], "path 'a/./b'"],
    ['a path with an empty component', [{ name: 'a//b', bytes: '' }], "path 'a//b'"],
    ['a backslash', [{ name: 'a\\..\\b', bytes: '' }], 'name'],
    ['a NUL', [{ name: 'a\0b', bytes: '' }], 'name'],
    ['a control character', [{ name: 'a\nb', bytes: '' }], 'name'],
    ['a name that is too long', [{ name: 'a'.repeat(256), bytes: '' }], 'path'],
    ['a symbolic link', [{ name: 'a', bytes: '/etc', mode: 0o120777 }], 'link or a device'],
    ['a device', [{ name: 'a', bytes: '', mode: 0o020666 }], 'link or a device'],
    ['a link out of .data', [{ name: 'wombat-1.0.data/purelib/../../x', bytes: '' }], 'path'],
    ['an encrypted file', [{ name: 'a', bytes: 'x', flags: 0x801 }], 'encrypted'],
    ['an unsupported compression', [{ name: 'a', bytes: 'x', method: 14 }], 'compressed in a way'],
    ['a file over the size limit', [{ name: 'a', bytes: '', statedBytes: 2 ** 30 }], 'larger than'],
    [
      'the same name twice',
      [
        { name: 'a', bytes: '' },
        { name: 'a', bytes: '' },
      ],
      'two files',
    ],
    [
      'names that differ in case',
      [
        { name: 'a/b.py', bytes: '' },
        { name: 'A/b.py', bytes: '' },
      ],
      'two files',
    ],
    [
      'names that differ in accents',
      [
        { name: 'é', bytes: '' },
        { name: 'e\u0301', bytes: '' },
      ],
      'two files',
    ],
    [
      'a file that is also a folder',
      [
        { name: 'a', bytes: '' },
        { name: 'a/b', bytes: '' },
      ],
      'two files',
    ],
    ['more bytes than it states', [{ name: 'a', bytes: 'xyz', statedBytes: 2 }], 'cannot be read'],
  ])('is rejected with %s', (_, entries, reason) => {
    expect(() => layerOf(zip([...entries, ...metadata(WHEEL)]))).toThrow(reason)
  })

  test('is rejected if it is not a wheel', () => {
    expect(() => layerOf(Buffer.from('no archive'))).toThrow('cannot be read: BadZipFile')
    expect(() => layerOf(zip([{ name: 'wombat.py', bytes: '' }]))).toThrow('no METADATA')
    expect(() => layerOf(Buffer.alloc(0))).toThrow('cannot be read')
  })

  test('may contain files whose names are not ASCII', () => {
    expect(pathsOf([{ name: 'wömbat/ファイル.txt', bytes: '' }])).toEqual(['wömbat/ファイル.txt'])
  })
})
