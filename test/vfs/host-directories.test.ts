// E5: descriptors of directories that are kept between requests are few, cost little, and are no way out if somebody moves, replaces or
// removes their directories. Tested from inside the storage's thread, to count its calls to the operating system.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VfsStorage } from 'brumate'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Files } from '../../workers/host/fs/files.js'
import { Tree } from '../../workers/host/fs/tree.js'
import { DescriptorCache, MAX_DESCRIPTORS } from '../../workers/storage/descriptor-cache.js'
import { DirectoryNodes } from '../../workers/storage/directory-nodes.js'
import { hasDescriptorPaths } from '../../workers/storage/host-directories.js'
import { py } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import { temporaryDirectory } from './support/kinds.js'

const calls = vi.hoisted(() => ({ open: 0, stat: 0, list: 0 }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const counted = <F extends (...parameters: never[]) => unknown>(kind: keyof typeof calls, call: F) =>
    ((...parameters) => {
      calls[kind] += 1
      return call(...parameters)
    }) as F
  return {
    ...fs,
    openSync: counted('open', fs.openSync),
    lstatSync: counted('stat', fs.lstatSync as never),
    opendirSync: counted('list', fs.opendirSync),
    readdirSync: counted('list', fs.readdirSync as never),
  }
})
afterEach(() => Object.assign(calls, { open: 0, stat: 0, list: 0 }))

const onLinux = hasDescriptorPaths()
const openDescriptors = () => (onLinux ? readdirSync('/proc/self/fd').length : 0)

test('a path that is not a directory is rejected, and the error says why', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'file')
  writeFileSync(file, '')
  for (const [path, fault] of [
    [join(directory, 'missing'), 'does not exist; make it first'],
    [join(file, 'below'), 'leads through a file'],
    [file, 'is not a directory'],
  ] as const)
    expect(() => VfsStorage.directory(path)).toThrow(
      `hostPath: expected the path of a directory, but ${JSON.stringify(path)} ${fault}`,
    )
})

async function served(byDescriptor = onLinux) {
  const outside = await temporaryDirectory()
  const root = join(outside, 'root')
  mkdirSync(join(root, 'd', 'e'), { recursive: true })
  writeFileSync(join(root, 'd', 'e', 'file'), 'inside')
  const nodes = new DirectoryNodes(root, false, byDescriptor)
  const files = new Files(new Tree(nodes, true), '/')
  /** Runs the function as one request. */
  const once = <T>(request: () => T): T => {
    nodes.begin()
    try {
      return request()
    } finally {
      nodes.end()
    }
  }
  const status = (path: string) => once(() => files.status(files.tree.root, path, true).status)
  return { outside, root, nodes, files, once, status }
}

describe('resolving a path', () => {
  test('E5: at depth 200, looks at each name once and opens each directory once, not for every name below it', async () => {
    const { root, status } = await served()
    const path = Array.from({ length: 200 }, () => 'x').join('/')
    mkdirSync(join(root, path), { recursive: true })
    Object.assign(calls, { open: 0, stat: 0 })
    expect(status(path).kind).toBe('directory')
    expect(calls.open).toBeLessThanOrEqual(onLinux ? 200 : 0)
    expect(calls.stat).toBeLessThanOrEqual(201)
    Object.assign(calls, { open: 0, stat: 0 })
    expect(status(path).kind).toBe('directory')
    expect(calls.open).toBe(0)
    expect(calls.stat).toBeLessThanOrEqual(201)
  })

  test('E5: rejects paths deeper than a thousand directories, or through links to more names than that', async () => {
    const { root, status, nodes } = await served()
    for (let i = 0; i < 39; i += 1) symlinkSync(`${'d/../'.repeat(600)}l${i + 1}`, join(root, `l${i}`))
    mkdirSync(join(root, 'l39'))
    expect(() => status('l0')).toThrow('ELOOP')
    expect(calls.stat).toBeLessThan(5000)
    nodes.closeKept()
  })

  test('E5: free space is read from the disk, without reading any directory', async () => {
    const { root, nodes, once } = await served()
    for (let i = 0; i < 10; i += 1) mkdirSync(join(root, `${i}`))
    const { usedBytes, maxBytes, nodes: used, maxNodes } = once(() => nodes.usage())
    expect([calls.list, calls.stat]).toEqual([0, 0])
    expect(maxBytes).toBeGreaterThan(usedBytes)
    expect(maxNodes).toBeGreaterThanOrEqual(used)
    await using vfs = VfsStorage.directory(root)
    const manager = await sharedManager({ slots: 1 })
    await using session = await manager.createSession({ vfs })
    await session.execute("import os\ns = os.statvfs('/data')")
    const { value } = await session.execute('[s.f_blocks * s.f_frsize, s.f_bavail * s.f_frsize > 0]')
    expect(value).toEqual([Math.floor((maxBytes ?? 0) / 4096) * 4096, true])
  })
})

describe('cached directory descriptors', () => {
  test.runIf(onLinux)('are few, and are closed when unused or when the directory is gone', async () => {
    const { root, nodes, status } = await served()
    const before = openDescriptors()
    for (let i = 0; i < MAX_DESCRIPTORS + 100; i += 1) {
      mkdirSync(join(root, `${i}`))
      writeFileSync(join(root, `${i}`, 'f'), '')
      status(`${i}/f`)
    }
    expect(openDescriptors()).toBe(before + MAX_DESCRIPTORS)
    expect([nodes.closeKept(), nodes.closeKept()]).toEqual([true, false])
    expect(openDescriptors()).toBe(before)
    status('d/e/file')
    const kept = openDescriptors()
    nodes.remove(nodes.lookup(nodes.lookup(nodes.root, 'd'), 'e'), 'file')
    nodes.remove(nodes.lookup(nodes.root, 'd'), 'e')
    expect(openDescriptors()).toBe(kept - 1)
    nodes.closeKept()
  })

  test('are not closed while in use, because their numbers could be reused for other files', () => {
    const cache = new DescriptorCache<string>(1)
    const { fd, isOpen } = open()
    cache.add('a', fd)
    cache.use('a', () => {
      const other = open()
      cache.add('b', other.fd)
      expect([isOpen(), other.isOpen()]).toEqual([true, true])
      cache.clear()
      expect([isOpen(), other.isOpen()]).toEqual([true, false])
    })
    expect([isOpen(), cache.size]).toEqual([false, 0])
  })
})

function open() {
  const path = '/dev/null'
  const fs = process.getBuiltinModule('node:fs')
  const fd = fs.openSync(path, 'r')
  const isOpen = () => {
    try {
      fs.fstatSync(fd)
      return true
    } catch {
      return false
    }
  }
  return { fd, isOpen }
}

describe.each(onLinux ? [true, false] : [false])(
  'a directory whose descriptor may be kept (by descriptor: %s)',
  (byDescriptor) => {
    type Served = Awaited<ReturnType<typeof served>>
    const ways: [string, (served: Served) => void][] = [
      ['moved out', ({ root, outside }) => renameSync(join(root, 'd'), join(outside, 'moved'))],
      [
        'moved out and a link to it left behind',
        ({ root, outside }) => {
          renameSync(join(root, 'd'), join(outside, 'moved'))
          symlinkSync('../moved', join(root, 'd'))
        },
      ],
      [
        'moved out and another put in its place',
        ({ root, outside }) => {
          renameSync(join(root, 'd'), join(outside, 'moved'))
          mkdirSync(join(root, 'd', 'e'), { recursive: true })
        },
      ],
    ]
    for (const [name, change] of ways) {
      test(`E5: when ${name}, neither it nor anything below can be reached by any operation`, async () => {
        const all = await served(byDescriptor)
        const { root, outside, nodes, once } = all
        const file = 'd/e/file'
        all.status(file)
        const d = nodes.lookup(nodes.root, 'd')
        const e = nodes.lookup(d, 'e')
        const node = nodes.lookup(e, 'file')
        nodes.nextCookie(e)
        nodes.hold(e)
        change(all)
        writeFileSync(join(outside, 'moved', 'e', 'secret'), 'host secret')
        const secret = join(outside, 'moved', 'e')
        const attempts: [string, () => unknown][] = [
          ['lookup', () => nodes.lookup(e, 'secret') || expect.fail()],
          ['create', () => nodes.create(e, 'made', { kind: 'file', mode: 0o644 })],
          ['mkdir', () => nodes.create(d, 'made', { kind: 'directory', mode: 0o755 })],
          ['symlink', () => nodes.create(e, 'made', { kind: 'symlink', target: 'x' })],
          ['remove', () => nodes.remove(e, 'file')],
          ['move', () => nodes.move(e, 'file', nodes.root, 'file')],
          ['list', () => nodes.nextCookie(e)],
          ['is it empty', () => nodes.list(e, 0, 1)],
          ['read', () => nodes.read(node, 0, new Uint8Array(9), 0, 9)],
          ['hold', () => nodes.hold(node)],
          ['write', () => nodes.write(node, 0, new Uint8Array(9), 0, 9)],
          ['resize', () => nodes.resize(node, 0)],
          ['mode', () => nodes.setMode(e, 0o700)],
          ['times', () => nodes.setTimes(d, null, { seconds: 1, nanoseconds: 0 })],
          ['status', () => nodes.status(e)],
        ]
        for (const [what, attempt] of attempts)
          for (const way of [once, (direct: () => unknown) => direct()])
            if (what === 'lookup')
              expect(
                way(() => nodes.lookup(e, 'secret')),
                what,
              ).toBe(0)
            else expect(() => way(attempt), what).toThrow(/ENOENT|ELOOP/)
        expect(readdirSync(secret).sort()).toEqual(['file', 'secret'])
        expect(readFileSync(join(secret, 'file'), 'utf8')).toBe('inside')
        // A directory that comes back is served again.
        rmSync(join(root, 'd'), { recursive: true, force: true })
        renameSync(join(outside, 'moved'), join(root, 'back'))
        expect(all.status('back/e/secret').size).toBe(11)
        expect(nodes.lookup(e, 'file')).toBe(node)
        nodes.release(e)
        nodes.closeKept()
      })
    }

    test('E5: a directory moved out during a listing or a count of bytes ends it', async () => {
      const { root, outside, nodes, once } = await served(byDescriptor)
      for (let i = 0; i < 700; i += 1) writeFileSync(join(root, 'd', `${i}`), '')
      const d = nodes.lookup(nodes.root, 'd')
      for (const steps of [() => nodes.refresh(d), () => nodes.countBytes()]) {
        const task = steps()
        once(() => task.next())
        renameSync(join(root, 'd'), join(outside, 'd'))
        const finish = () => {
          for (;;) {
            const { done, value } = once(() => task.next())
            if (done) return value
          }
        }
        if (steps.toString().includes('countBytes')) expect(finish()).toBe(0)
        else expect(finish).toThrow('ENOENT')
        renameSync(join(outside, 'd'), join(root, 'd'))
      }
      nodes.closeKept()
    })

    test('E5: with a path longer than the operating system reports, is found and lost like any other', async () => {
      const { root, outside, nodes, once } = await served(byDescriptor)
      if (!byDescriptor) return
      const name = 'n'.repeat(250)
      let at = nodes.root
      for (let i = 0; i < 20; i += 1) {
        at = once(() => nodes.create(at, name, { kind: 'directory', mode: 0o755 }))
      }
      expect(once(() => nodes.lookup(at, 'none'))).toBe(0)
      nodes.create(at, 'file', { kind: 'file', mode: 0o644 })
      expect(nodes.lookup(at, 'file')).not.toBe(0)
      renameSync(join(root, name), join(outside, 'long'))
      expect(nodes.lookup(at, 'file')).toBe(0)
      expect(() => nodes.create(at, 'made', { kind: 'file', mode: 0o644 })).toThrow('ENOENT')
      nodes.closeKept()
      // Node cannot remove paths that it cannot name.
      execFileSync('rm', ['-rf', join(outside, 'long')])
    })
  },
)

test('E5: a session whose directory is moved out finds nothing there, and continues elsewhere', async () => {
  const { root, outside } = await served()
  await using vfs = VfsStorage.directory(root)
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({ vfs })
  await session.execute(py`
    import errno, os
    def code(f, *a):
        try: return f(*a)
        except OSError as e: return errno.errorcode[e.errno]
    os.chdir('/data/d/e'); os.stat('file'); os.listdir('.'); fd = os.open('/data/d', os.O_RDONLY)
  `)
  renameSync(join(root, 'd'), join(outside, 'd'))
  writeFileSync(join(outside, 'd', 'e', 'secret'), 'host secret')
  const { value } = await session.execute(py`
    look = [code(os.listdir, '.'), code(os.listdir, fd), code(os.stat, 'secret'), code(os.open, 'made', os.O_CREAT), code(os.open, 'secret', 0),
        code(os.stat, '/data/d'), code(os.remove, 'file'), code(lambda: os.stat('e', dir_fd=fd))]
    os.chdir('/data'); open('more', 'w').close()
    [look, os.listdir('/data')]
  `)
  expect(value).toEqual([Array(8).fill('ENOENT'), ['more']])
  expect(readdirSync(join(outside, 'd', 'e')).sort()).toEqual(['file', 'secret'])
})
