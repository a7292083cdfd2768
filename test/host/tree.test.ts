import { beforeEach, describe, expect, it } from 'vitest'
import type { FsError } from '../../workers/host/errno.js'
import { Files } from '../../workers/host/fs/files.js'
import { PrivateNodes } from '../../workers/host/fs/private-nodes.js'
import { Quota } from '../../workers/host/fs/quota.js'
import { Tree } from '../../workers/host/fs/tree.js'
import { NO_IMAGE } from '../../workers/image-bytes.js'

let tree: Tree
let files: Files
let mounted: PrivateNodes

const nodes = () => new PrivateNodes(NO_IMAGE, new Quota())
const errorOf = (run: () => unknown): string => {
  try {
    run()
    return 'none'
  } catch (error) {
    return (error as FsError).message
  }
}

beforeEach(() => {
  const root = nodes()
  tree = new Tree(root)
  files = new Files(tree, '/')
  mounted = nodes()
  files.mkdir(tree.root, '/data', 0o777)
  files.mkdir(tree.root, '/other', 0o777)
  tree.mount(tree.find(tree.root, '/data').node, mounted)
  files.makeFile(tree.root, '/data/file', 0o666)
  files.mkdir(tree.root, '/data/dir', 0o777)
})

describe('a store mounted into another', () => {
  it('serves paths below its mount point', () => {
    expect(tree.find(tree.root, '/data/file').store).toBe(mounted)
    expect(tree.find(tree.root, '/data').store).toBe(mounted)
    expect(tree.find(tree.root, '/other/../data/./dir').store).toBe(mounted)
  })

  it('has the directory above the mount point as its parent', () => {
    const place = tree.find(tree.root, '/data/dir/../..')
    expect(place.store).toBe(tree.root.store)
    expect(place.node).toBe(tree.root.node)
  })

  it('has paths that start at the main root', () => {
    expect(tree.pathOf(tree.find(tree.root, '/data/dir'))).toBe('/data/dir')
    files.chdir(tree.find(tree.root, '/data'))
    expect(files.getcwd()).toBe('/data')
  })

  it('can be entered and left through symbolic links', () => {
    files.symlink('/data/file', tree.root, '/link')
    files.symlink('../other', tree.root, '/data/up')
    expect(tree.find(tree.root, '/link').store).toBe(mounted)
    expect(tree.pathOf(tree.find(tree.root, '/data/up'))).toBe('/other')
  })

  it('rejects removing or moving its mount point, and moving nodes across it', () => {
    expect(errorOf(() => files.rmdir(tree.root, '/data'))).toBe('EBUSY')
    expect(errorOf(() => files.rename(tree.root, '/data', tree.root, '/moved'))).toBe('EBUSY')
    expect(errorOf(() => files.rename(tree.root, '/other', tree.root, '/data'))).toBe('EBUSY')
    expect(errorOf(() => files.rename(tree.root, '/data/file', tree.root, '/file'))).toBe('EXDEV')
  })
})

describe('resolving a path', () => {
  it.each([
    ['/', '/'],
    ['//', '/'],
    ['/..', '/'],
    ['/../..//.', '/'],
    ['/other/.', '/other'],
    ['/other//', '/other'],
    ['other/../other', '/other'],
  ])('%s resolves to %s', (path, expected) => {
    expect(tree.pathOf(tree.find(tree.root, path))).toBe(expected)
  })

  it('requires every component to exist, even before ".."', () => {
    expect(errorOf(() => tree.find(tree.root, '/nope/../other'))).toBe('ENOENT')
    expect(errorOf(() => tree.find(tree.root, '/data/file/..'))).toBe('ENOTDIR')
  })
})
