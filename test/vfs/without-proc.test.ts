// E1, E5 for a host directory where descriptors have no paths (macOS, Windows, a container without /proc): the same files and the same
// confinement. Tested from inside the storage's thread, because on Linux that thread would use descriptor paths.
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Files } from '../../workers/host/fs/files.js'
import { hostCalls } from '../../workers/host/fs/host-calls.js'
import { Tree } from '../../workers/host/fs/tree.js'
import { DirectoryNodes } from '../../workers/storage/directory-nodes.js'
import { temporaryDirectory } from './support/kinds.js'

async function served() {
  const outside = await temporaryDirectory()
  const root = join(outside, 'root')
  await mkdir(join(root, 'd', 'e'), { recursive: true })
  await mkdir(join(outside, 'e'))
  for (const path of ['root/d/file', 'root/d/e/file']) await writeFile(join(outside, path), 'inside')
  for (const path of ['file', 'e/file']) await writeFile(join(outside, path), 'host secret')
  const nodes = new DirectoryNodes(root, false, false)
  return { outside, root, nodes, calls: hostCalls(new Files(new Tree(nodes, true), '/')) }
}

test('E1: files, directories and links are created, read, moved and removed', async () => {
  const { root, calls } = await served()
  calls.mkdir('/a/b', true)
  calls.writeFile('/a/b/f', Buffer.from('text'))
  calls.symlink('b/f', '/a/link')
  expect(await readFile(join(root, 'a/link'), 'utf8')).toBe('text')
  expect(Buffer.from(calls.readFile('/a/link')).toString()).toBe('text')
  calls.rename('/a', '/moved')
  calls.setStatus('/moved/b/f', 0o600, 86_400_000)
  expect(calls.stat('/moved/b/f', true)).toEqual({
    kind: 'file',
    sizeBytes: 4,
    mode: 0o600,
    modifiedMs: 86_400_000,
  })
  expect(calls.list('/')).toEqual(['d', 'moved'])
  calls.remove('/moved', true)
  expect(await readdir(root)).toEqual(['d'])
  expect(calls.usedBytes()).toBe('inside'.length * 2)
})

test('E5: a directory replaced by a link, at any level, is gone and does not lead outside', async () => {
  const { outside, root, nodes } = await served()
  const d = nodes.lookup(nodes.root, 'd')
  const e = nodes.lookup(d, 'e')
  await rename(join(root, 'd'), join(root, 'before'))
  await symlink(outside, join(root, 'd'))
  for (const directory of [d, e]) {
    expect(nodes.lookup(directory, 'file')).toBe(0)
    expect(() => nodes.create(directory, 'made', { kind: 'file', mode: 0o644 })).toThrow('ENOENT')
    expect(() => nodes.remove(directory, 'file')).toThrow('ENOENT')
    expect(() => nodes.nextCookie(directory)).toThrow('ENOENT')
  }
  expect(await readdir(outside)).toEqual(['e', 'file', 'root'])
})

test('E5: a file replaced by a link or another file is not read as the original', async () => {
  const { outside, root, nodes } = await served()
  const d = nodes.lookup(nodes.root, 'd')
  const file = nodes.lookup(d, 'file')
  const read = () => nodes.read(file, 0, new Uint8Array(100), 0, 100)
  expect(read()).toBe('inside'.length)
  await rename(join(root, 'd/file'), join(root, 'd/before'))
  expect(read).toThrow('ENOENT')
  await symlink(join(outside, 'file'), join(root, 'd/file'))
  expect(read).toThrow(/ENOENT|ELOOP/)
})

test('E5: a directory that takes the place of the served one is not served', async () => {
  const { outside, root, nodes, calls } = await served()
  await rename(root, join(outside, 'before'))
  await mkdir(root)
  await writeFile(join(root, 'other'), 'not meant')
  expect(() => calls.list('/')).toThrow('ENOENT')
  expect(nodes.lookup(nodes.root, 'other')).toBe(0)
})
