// E5: a session cannot leave a host directory, a hostile slot gains nothing at its door, and hostile archives are rejected.
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { StorageError, VfsStorage } from 'brumate'
import { expect, onTestFinished, test } from 'vitest'
import { py, rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import { temporaryDirectory } from './support/kinds.js'

const CODE =
  'def code(f, *a):\n    import errno\n    try: return f(*a)\n    except OSError as e: return errno.errorcode[e.errno]\n'

async function served(options = {}) {
  const outside = await temporaryDirectory()
  const root = join(outside, 'root')
  await mkdir(root)
  await writeFile(join(outside, 'secret'), 'host secret')
  const vfs = VfsStorage.directory(root, options)
  onTestFinished(() => vfs.close())
  const manager = await sharedManager({ slots: 1 })
  const session = await manager.createSession({ vfs })
  onTestFinished(() => session.close())
  await session.execute(`import os\n${CODE}`)
  return { outside, root, vfs, session }
}

test('E5: neither "..", absolute links nor links above the directory lead to the host', async () => {
  const { outside, root, vfs, session } = await served()
  await symlink(join(outside, 'secret'), join(root, 'absolute'))
  await symlink('../secret', join(root, 'relative'))
  await symlink('..', join(root, 'up'))
  await symlink('/', join(root, 'all'))
  await symlink(outside, join(root, 'parent'))
  const { value } = await session.execute(py`
    read = lambda p: open(p).read()
    [code(read, '/data/../secret'), code(read, '/data/absolute'), code(read, '/data/relative'), code(read, '/data/up/secret'),
     code(read, '/data/parent/secret'), sorted(os.listdir('/data/all')), sorted(os.listdir('/data/..')),
     code(os.open, '/data/absolute', os.O_CREAT | os.O_WRONLY), code(read, '/data/up/data/../secret')]
  `)
  const own = ['data', 'dev', 'home', 'lib', 'tmp']
  expect(value).toEqual([...Array(5).fill('ENOENT'), own, own, 'ENOENT', 'ENOENT'])
  expect((await rejectionOf(StorageError, vfs.readFile('/absolute'))).reason).toBe('EXDEV')
  expect((await rejectionOf(StorageError, vfs.readFile('/../secret'))).reason).toBe('EXDEV')
  expect((await rejectionOf(StorageError, vfs.writeFile('/relative', 'x'))).reason).toBe('EXDEV')
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('host secret')
})

test('E5: named pipes and devices are neither listed nor opened', async () => {
  const { root, session } = await served()
  execFileSync('mkfifo', [join(root, 'fifo')])
  const { value } = await session.execute(
    "[os.listdir('/data'), code(os.open, '/data/fifo', 0), code(os.stat, '/data/fifo'), code(os.open, '/data/fifo', os.O_WRONLY | os.O_CREAT)]",
  )
  expect(value).toEqual([[], 'EPERM', 'EPERM', 'EPERM'])
})

test('E5: replacing a directory with a link while a session reads through it does not lead outside', async () => {
  const { outside, root, session } = await served()
  await mkdir(join(root, 'd'))
  await writeFile(join(root, 'd', 'secret'), 'inside')
  await symlink(outside, join(root, 'link'))
  const swapping = new Worker(
    `const { renameSync } = require('node:fs'); const { parentPort, workerData: r } = require('node:worker_threads')
    for (;;) { try { renameSync(r + '/d', r + '/x'); renameSync(r + '/link', r + '/d'); renameSync(r + '/d', r + '/link'); renameSync(r + '/x', r + '/d') } catch {} }`,
    { eval: true, workerData: root },
  )
  // Until it has met the directory, and something else in its place.
  const { value } = await session.execute(py`
    seen = set(); n = 0
    while n < 150 or len(seen) < 2:
        n += 1
        try: seen.add(open('/data/d/secret').read())
        except OSError as e: seen.add(type(e).__name__)
        try: open('/data/d/made', 'w').close()
        except OSError: pass
    sorted(seen)
  `)
  await swapping.terminate()
  expect(value).not.toContain('host secret')
  expect((await readdir(outside)).sort()).toEqual(['root', 'secret'])
})

test('E5: writes to a read-only directory fail with EROFS, and it stays unchanged', async () => {
  const { root, vfs, session } = await served({ readOnly: true })
  await writeFile(join(root, 'f'), 'as it was')
  const { value } = await session.execute(py`
    [open('/data/f').read(), code(os.open, '/data/f', os.O_WRONLY), code(os.open, '/data/n', os.O_CREAT | os.O_RDWR), code(os.remove, '/data/f'),
     code(os.rename, '/data/f', '/data/g'), code(os.mkdir, '/data/d'), code(os.truncate, '/data/f', 0), code(os.chmod, '/data/f', 0),
     code(os.utime, '/data/f'), code(os.symlink, 'x', '/data/l'), os.access('/data/f', os.W_OK), code(os.open, '/data/f', os.O_TRUNC)]
  `)
  expect(value).toEqual(['as it was', ...Array(9).fill('EROFS'), false, 'EROFS'])
  expect((await rejectionOf(StorageError, vfs.writeFile('/f', ''))).reason).toBe('EROFS')
})

test('E5: a session cannot create setuid or setgid files on the host', async () => {
  const { root, session } = await served()
  await session.execute(
    "open('/data/f', 'w').close(); os.chmod('/data/f', 0o6755); os.rename('/data/f', '/data/g')",
  )
  await rename(join(root, 'g'), join(root, 'h'))
  const { value } = await session.execute("[os.listdir('/data'), oct(os.stat('/data/h').st_mode)]")
  expect(value).toEqual([['h'], '0o100755'])
})

test('R3, D20: garbage at a door affects only that door', async () => {
  await using vfs = new VfsStorage()
  await vfs.writeFile('/f', 'kept')
  const good = vfs.connect()
  let seed = 7
  const random = () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed
  }
  const values = [0, 1, -1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 31, 4096, 1e300]
  for (let round = 0; round < 200; round++) {
    const { wire, close } = vfs.connect()
    const control = new Int32Array(wire.door, 0, 16)
    const numbers = new Float64Array(wire.door, 64, 16)
    const bell = new Int32Array(wire.bell)
    const window = new Uint8Array(wire.door, 192, 256)
    for (let i = 0; i < 16; i++)
      numbers[i] = random() % 3 === 0 ? random() % 300 : (values[random() % values.length] ?? 0)
    for (let i = 0; i < 256; i++) window[i] = random()
    control[1] = random() % 40
    Atomics.store(control, 0, 1)
    Atomics.add(bell, 0, 1)
    Atomics.notify(bell, 0)
    // There must be an answer, whatever was asked.
    expect(Atomics.wait(control, 0, 1, 2000)).not.toBe('timed-out')
    close()
  }
  good.close()
  expect(await vfs.list('/')).toContain('f')
})

test('H11, H12: an archive that leads outside, contains other kinds of files, or exceeds a limit is rejected', async () => {
  const head = (name: string, type = '0', size = 0, target = '') => {
    const block = Buffer.alloc(512)
    block.write(name, 0)
    block.write('0000644\0', 100)
    block.write(size.toString(8).padStart(11, '0'), 124)
    block.write('00000000000', 136)
    block.write(`        ${type}`, 148)
    block.write(target, 157)
    block.write('ustar\x0000', 257)
    block.write(
      block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0'),
      148,
    )
    block[154] = 0
    return block
  }
  const refused: [string, Uint8Array[]][] = [
    ['EINVAL', [head('../x')]],
    ['EINVAL', [head('/etc/x')]],
    ['EINVAL', [head('a/../../x')]],
    ['EINVAL', [head('dev', '3')]],
    ['EINVAL', [head('hard', '1', 0, 'x')]],
    ['EINVAL', [head('cut', '0', 10_000), Buffer.alloc(512)]],
    ['EINVAL', [Buffer.alloc(512, 1)]],
    ['EINVAL', [head('x', 'x', 2 ** 30)]],
    ['ENOSPC', [head('large', '0', 2 ** 32), Buffer.alloc(2 ** 20)]],
    ['EXDEV', [head('l', '2', 0, '/'), head('l/x')]],
    ['EXDEV', [head('l', '2', 0, '..'), head('l/x')]],
  ]
  for (const [reason, parts] of refused) {
    const error = await rejectionOf(StorageError, VfsStorage.import(parts, { maxBytes: 1000 }))
    expect([reason, error.message]).toEqual([error.reason, error.message])
  }
  await using empty = await VfsStorage.import([Buffer.alloc(1024)])
  expect(await empty.list('/')).toEqual([])
})
