import { describe, expect, test } from 'vitest'
import { FileIndex, fileIndexBytes } from '../../src/shared/image/file-index.js'
import type { ImageFile } from '../../src/shared/image/image.js'
import { FileSystem } from '../../workers/host/file-system.js'
import { OutputSink } from '../../workers/host/output.js'
import { NO_IMAGE } from '../../workers/image-bytes.js'
import { UNBOUNDED } from '../../workers/memory/budget.js'

const FILES: readonly ImageFile[] = [
  { kind: 'directory', path: '/lib', mode: 0o700 },
  { kind: 'file', path: '/lib/ä/größe.py', mode: 0o644, offset: 5, length: 7 },
  { kind: 'symlink', path: '/lib/l', target: 'ä/größe.py' },
  { kind: 'file', path: '/lib/z', mode: 0o444, offset: 2 ** 31, length: 0 },
]

describe('the file table of an image', () => {
  test('returns the files, with all directories they need', () => {
    const files = FileIndex.of(FILES, '/home/user').files()
    expect(files).toEqual(expect.arrayContaining([...FILES]))
    const directories = files.flatMap((file) => (file.kind === 'directory' ? [file.path] : []))
    expect(directories).toEqual([
      '/tmp',
      '/dev',
      '/dev/shm',
      '/dev/fd',
      '/lib',
      '/lib/ä',
      '/home',
      '/home/user',
    ])
  })

  test('assigns the same numbers each time, and lists directories in the order of the files', () => {
    expect(fileIndexBytes(FILES, '/x')).toEqual(fileIndexBytes(FILES, '/x'))
    const index = FileIndex.of(FILES, '/x')
    const names = (node: number) =>
      [...index.entries(node)].map(({ name }) => Buffer.from(name, 'latin1').toString())
    expect(names(1)).toEqual(['tmp', 'dev', 'lib', 'x'])
    const lib = [...index.entries(1)].find(({ name }) => name === 'lib')?.node ?? 0
    expect(names(lib)).toEqual(['ä', 'l', 'z'])
    expect([index.path(1), index.path(lib)]).toEqual(['', '/lib'])
  })

  test('keeps the first of two files with the same path, and rejects a file inside a file', () => {
    const file = (path: string, offset: number): ImageFile => ({
      kind: 'file',
      path,
      mode: 0o644,
      offset,
      length: 1,
    })
    const files = FileIndex.of([file('/a', 1), file('/a', 2)], '/').files()
    expect(files.filter(({ kind }) => kind === 'file')).toEqual([file('/a', 1)])
    expect(() => FileIndex.of([file('/a', 1), file('/a/b', 2)], '/')).toThrow('there is a file')
  })

  test('is rejected if it is cut off', () => {
    const bytes = fileIndexBytes(FILES, '/')
    expect(() => new FileIndex(bytes.slice(0, bytes.length - 8))).toThrow('cut off')
    expect(() => new FileIndex(new Uint8Array(0))).toThrow('cut off')
  })

  test('creates nodes only when they are needed', () => {
    const many = Array.from(
      { length: 20_000 },
      (_, i): ImageFile => ({
        kind: 'file',
        path: `/lib/d${i % 100}/f${i}`,
        mode: 0o644,
        offset: 0,
        length: 0,
      }),
    )
    const index = FileIndex.of(many, '/')
    const asked: number[] = []
    const node = index.node.bind(index)
    index.node = (id) => {
      asked.push(id)
      return node(id)
    }
    const output = new OutputSink(
      () => {},
      () => {},
      UNBOUNDED,
    )
    const { files, nodes } = new FileSystem({ files: index, bytes: NO_IMAGE, cwd: '/', output })
    expect(nodes.table.nodes.size).toBe(index.count)
    files.status(files.cwd, '/lib/d7/f7', true)
    expect(asked.length).toBeLessThan(20)
  })
})
