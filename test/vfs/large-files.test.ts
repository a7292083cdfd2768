// E2 to E4 for files larger than a chunk, for both kinds of storage: their bytes take other paths than those of small files.
import { VfsStorage } from 'brumate'
import { expect, onTestFinished, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { describeStorages, storageManager } from './support/kinds.js'

const MEBIBYTE = 1024 * 1024

describeStorages('large files', ({ storage, sessions }) => {
  test('E2: random writes, truncations and reads of two sessions match a bytearray', async () => {
    const vfs = await storage()
    const both = await sessions(vfs, 2)
    const work = (seed: number) => py`
      import random
      r = random.Random(${seed})
      with open('/data/f', 'r+b', buffering=0) as f:
          for _ in range(40):
              at, length = r.randrange(2_500_000), r.choice([10, 5000, 65_536, 300_000, 1_048_576, 1_500_000])
              if r.random() < .3: at -= at % 65_536
              what = r.random()
              if what < .1:
                  f.truncate(at)
                  model[at:] = bytes(max(0, at - len(model)))
              elif what < .5:
                  data = r.randbytes(length)
                  f.seek(at)
                  done = 0
                  while done < length: done += f.write(data[done:])
                  model.extend(bytes(max(0, at - len(model))))
                  model[at:at + length] = data
              else:
                  f.seek(at)
                  found = b''
                  while len(found) < length and (part := f.read(length - len(found))): found += part
                  assert found == model[at:at + length], (at, length)
      f = None
      bytes(model)
    `
    await both[0].execute("model = bytearray(); open('/data/f', 'wb').close()")
    const { value = null } = await both[0].execute(work(1))
    await both[1].set('first', value)
    const after = await both[1].execute(`model = bytearray(first)\n${work(2)}`)
    const expected = after.value as Uint8Array
    expect(Buffer.compare(await vfs.readFile('/f'), expected)).toBe(0)
    expect(await vfs.usedBytes).toBe(expected.length)
  })

  test('E2: whole chunks overwritten in files that are opened and closed in any order contain what was written', async () => {
    const vfs = await storage()
    const both = await sessions(vfs, 2)
    const work = (who: number) => py`
      import os, random
      r, size = random.Random(${who}), 10 * 65_536
      names = [f'/data/${who}-{i}' for i in range(3)]
      model = {name: bytearray(r.randbytes(size)) for name in names}
      for name in names: open(name, 'wb').write(model[name])
      opened = []
      for _ in range(150):
          if len(opened) < 2 or r.random() < .4:
              name = r.choice(names)
              opened.append((name, os.open(name, os.O_RDWR)))
          elif r.random() < .5:
              os.close(opened.pop(r.randrange(len(opened)))[1])
          name, fd = opened[-1] if r.random() < .8 else r.choice(opened)
          at, count = r.randrange(10), r.choice([1, 2, 4, 7])
          data = bytes([r.randrange(256)]) * min(count * 65_536, size - at * 65_536)
          assert os.pwrite(fd, data, at * 65_536) == len(data)
          model[name][at * 65_536:at * 65_536 + len(data)] = data
          if r.random() < .2: assert os.pread(fd, size, 0) == model[name], name
      for _, fd in opened: os.close(fd)
      all(open(name, 'rb').read() == model[name] for name in names)
    `
    const results = await Promise.all(both.map((session, who) => session.execute(work(who))))
    expect(results.map(({ value }) => value)).toEqual([true, true])
    expect(await vfs.usedBytes).toBe(6 * 10 * 65_536)
  })

  test('E2: an overwrite of a whole file is visible to the next reader: another session, the host, or a watcher', async () => {
    const vfs = await storage()
    await vfs.writeFile('/f', new Uint8Array(MEBIBYTE))
    const both = await sessions(vfs, 2)
    await both[1].execute("import os; f = open('/data/f', 'rb', buffering=0); seen = 0")
    const write = (value: number) => py`
      with open('/data/f', 'r+b', buffering=0) as f: f.write(bytes([${value}]) * ${MEBIBYTE})
    `
    const look = py`
      before = seen; seen = os.fstat(f.fileno()).st_mtime_ns
      f.seek(0); data = f.read()
      [seen > before, data[0], data.count(data[:1])]
    `
    for (let value = 1; value < 8; value += 1) {
      await both[0].execute(write(value))
      expect((await both[1].execute(look)).value).toEqual([true, value, MEBIBYTE])
    }
    await both[0].execute(write(20))
    expect((await vfs.readFile('/f')).every((byte) => byte === 20)).toBe(true)
    const changes = vfs.watch()
    const change = changes.next()
    await both[0].execute(write(21))
    expect((await change).value).toEqual({ type: 'changed', path: '/f' })
    await changes.return?.()
    await both[0].execute(write(22))
    await both[0].close()
    expect((await both[1].execute(look)).value).toEqual([true, 22, MEBIBYTE])
  })

  test('E4: a session reads what the host wrote, and the reverse, at every length around a chunk', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    for (const length of [65_535, 65_536, 65_537, 131_072, MEBIBYTE, MEBIBYTE + 1, 3_000_000]) {
      const bytes = new Uint8Array(length).map((_, at) => at * 31 + (at >> 16))
      await vfs.writeFile('/host', bytes)
      const { value } = await session.execute(py`
        data = open('/data/host', 'rb').read()
        for _ in range(2): open('/data/session', 'wb').write(data)
        len(data)
      `)
      expect(value).toBe(length)
      expect(Buffer.compare(await vfs.readFile('/session'), bytes), `${length}`).toBe(0)
    }
    await vfs.remove('/', { recursive: true })
    expect(await vfs.usedBytes).toBe(0)
  })

  test('E2: a file removed while open keeps its bytes, and frees them with its last descriptor', async () => {
    const vfs = await storage()
    const [session] = await sessions(vfs, 1)
    const { value } = await session.execute(py`
      import os
      f = open('/data/f', 'w+b', buffering=0)
      for byte in b'abc': f.seek(0); f.write(bytes([byte]) * 1_000_000)
      os.remove('/data/f')
      for i in range(4): open(f'/data/{i}', 'wb').write(b'x' * 1_000_000)
      f.seek(0)
      whole = f.read(1_000_000) == b'c' * 1_000_000
      f.close()
      whole
    `)
    expect(value).toBe(true)
    expect(await vfs.usedBytes).toBe(4_000_000)
  })
})

test('E2: a single write of a mebibyte is read as a whole or not at all, whoever else writes', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage()
  const opened = [0, 1, 2].map(() => manager.createSession({ vfs }))
  const [a, b, c] = await Promise.all(opened)
  onTestFinished(async () => {
    for (const session of [a, b, c]) await session?.close()
  })
  await vfs.writeFile('/f', new Uint8Array(MEBIBYTE))
  const writing = (first: number) => py`
    import os
    n = 0
    with open('/data/f', 'r+b', buffering=0) as f:
        while not os.path.exists('/data/enough'):
            f.seek(0); f.write(bytes([${first} + n % 100]) * 1_048_576); n += 1
  `
  // Reads until both have written, and at least sixty times.
  const reading = py`
    torn, seen, reads = 0, set(), 0
    with open('/data/f', 'rb', buffering=0) as f:
        while not seen >= {1, 2} or reads < 60:
            f.seek(0); data = f.read(1_048_576); seen.add((data[0] + 99) // 100); reads += 1
            torn += data.count(data[:1]) != 1_048_576
    open('/data/enough', 'w').close()
    torn
  `
  const [read] = await Promise.all([c?.execute(reading), a?.execute(writing(1)), b?.execute(writing(101))])
  expect(read?.value).toBe(0)
  expect(await vfs.usedBytes).toBe(MEBIBYTE)
})

test('E3: sessions killed while writing leave an intact file, exact byte counts, and a working storage', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage({ maxBytes: 4 * MEBIBYTE })
  const limits = { interruptGraceMs: 20 }
  await using stuck = await manager.createSession({ vfs, limits })
  // Opened before, so that the interrupt finds the code in its loop even on a busy machine.
  await stuck.execute("f = open('/data/f', 'w+b', buffering=0); n = 0")
  const forever = py`
    while True:
        try:
            while True: f.seek(0); f.write(bytes([n % 256]) * 1_048_576); n += 1
        except BaseException: pass
  `
  for (let i = 0; i < 2; i += 1)
    await expect(stuck.execute(forever, { timeoutMs: 100 })).rejects.toMatchObject({ outcome: 'restored' })
  const bytes = await vfs.readFile('/f')
  expect(bytes.every((byte) => byte === bytes[0])).toBe(true)
  expect(await vfs.usedBytes).toBe(bytes.length)
  await using next = await manager.createSession({ vfs })
  await next.execute("for i in range(20): open('/data/f', 'wb').write(bytes([i]) * 3_000_000)")
  expect((await vfs.readFile('/f')).every((byte) => byte === 19)).toBe(true)
})

test('E4: a large write beyond maxBytes fails with ENOSPC, and the file stays unchanged', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage({ maxBytes: 2 * MEBIBYTE })
  await using session = await manager.createSession({ vfs })
  await session.execute(py`
    f = open('/data/f', 'w+b', buffering=0)
    for byte in b'ab': f.seek(0); f.write(bytes([byte]) * 1_048_576)
  `)
  const failed = await pythonErrorOf(session.execute("f.seek(1_048_577); f.write(b'c' * 1_048_576)"))
  expect(failed.message).toContain('No space left')
  expect(await vfs.readFile('/f', 'latin1')).toBe('b'.repeat(MEBIBYTE))
  expect(await vfs.usedBytes).toBe(MEBIBYTE)
})

test('E2: bytes that a closed file frees are available to a later write of another session', async () => {
  const manager = await storageManager()
  await using vfs = new VfsStorage({ maxBytes: 2 * MEBIBYTE })
  await using a = await manager.createSession({ vfs })
  await using b = await manager.createSession({ vfs })
  const use = (name: string) => py`
    import os
    f = open('/data/${name}', 'wb', buffering=0); os.remove('/data/${name}')
    written = f.write(b'x' * 1_048_576) + f.write(b'x' * 1_000_000); f.close()
    written
  `
  for (let round = 0; round < 4; round += 1)
    for (const session of [a, b])
      expect((await session.execute(use(`${round}`))).value).toBe(MEBIBYTE + 1_000_000)
  expect(await vfs.usedBytes).toBe(0)
})
