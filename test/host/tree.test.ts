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
  it('is where paths below its mount point lead', () => {
    expect(tree.find(tree.root, '/data/file').store).toBe(mounted)
    expect(tree.find(tree.root, '/data').store).toBe(mounted)
    expect(tree.find(tree.root, '/other/../data/./dir').store).toBe(mounted)
  })

  it('has the directory above its root as its parent', () => {
    const place = tree.find(tree.root, '/data/dir/../..')
    expect(place.store).toBe(tree.root.store)
    expect(place.node).toBe(tree.root.node)
  })

  it('has paths that begin at the root of all', () => {
    expect(tree.pathOf(tree.find(tree.root, '/data/dir'))).toBe('/data/dir')
    files.chdir(tree.find(tree.root, '/data'))
    expect(files.getcwd()).toBe('/data')
  })

  it('is followed into by symbolic links, from both sides', () => {
    files.symlink('/data/file', tree.root, '/link')
    files.symlink('../other', tree.root, '/data/up')
    expect(tree.find(tree.root, '/link').store).toBe(mounted)
    expect(tree.pathOf(tree.find(tree.root, '/data/up'))).toBe('/other')
  })

  it('does not let its mount point be removed or moved, nor nodes cross', () => {
    expect(errorOf(() => files.rmdir(tree.root, '/data'))).toBe('EBUSY')
    expect(errorOf(() => files.rename(tree.root, '/data', tree.root, '/moved'))).toBe('EBUSY')
    expect(errorOf(() => files.rename(tree.root, '/other', tree.root, '/data'))).toBe('EBUSY')
    expect(errorOf(() => files.rename(tree.root, '/data/file', tree.root, '/file'))).toBe('EXDEV')
  })
})

describe('walks', () => {
  it.each([
    ['/', '/'],
    ['//', '/'],
    ['/..', '/'],
    ['/../..//.', '/'],
    ['/other/.', '/other'],
    ['/other//', '/other'],
    ['other/../other', '/other'],
  ])('%s is %s', (path, expected) => {
    expect(tree.pathOf(tree.find(tree.root, path))).toBe(expected)
  })

  it('need every component on the way, also before ".."', () => {
    expect(errorOf(() => tree.find(tree.root, '/nope/../other'))).toBe('ENOENT')
    expect(errorOf(() => tree.find(tree.root, '/data/file/..'))).toBe('ENOTDIR')
  })
})
