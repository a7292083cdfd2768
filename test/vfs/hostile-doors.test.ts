// R3: a slot whose worker runs hostile JavaScript can write anything into the memory it shares with a storage. It disturbs only its own
// door.
import { Worker } from 'node:worker_threads'
import { VfsStorage } from 'brumate'
import { expect, test } from 'vitest'
import { BELL, CONTROL, STATE } from '../../src/shared/messages/storage-door.js'
import { py } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import { CHUNK, TestSlot, TestStorage } from './support/slot.js'

/** Writes to every word it is given, to ring, stall, lie and pretend in all ways, until it is ended. */
const HOSTILE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const words = workerData.map((memory) => new Int32Array(memory, 0, Math.min(16, memory.byteLength >> 2)))
  const values = [1, 0, -1, 2, 7, 0x7fffffff, -0x80000000]
  parentPort.postMessage('started')
  for (let round = 0; ; round++)
    for (const list of words)
      for (let at = 0; at < list.length; at++) {
        Atomics.store(list, at, values[(round + at) % values.length])
        Atomics.notify(list, at)
      }
`

test('two doors of a storage share no memory except the arena', async () => {
  for (const vfs of [new VfsStorage(), VfsStorage.directory('.', { readOnly: true })]) {
    const [one, two] = [vfs.connect().wire, vfs.connect().wire]
    const memories = (wire: object) =>
      Object.entries(wire).filter(([name, value]) => name !== 'arena' && value instanceof SharedArrayBuffer)
    const mine = memories(one).map(([, memory]) => memory)
    expect(mine.length).toBeGreaterThan(0)
    for (const [name, memory] of memories(two)) expect(mine.includes(memory), name).toBe(false)
    await vfs.close()
  }
})

test('random words written at two doors neither stall, stop nor mislead the sessions of others', async () => {
  await using vfs = new VfsStorage()
  const manager = await sharedManager({ slots: 4 })
  await using one = await manager.createSession({ vfs, tenant: 'one' })
  await using two = await manager.createSession({ vfs, tenant: 'two' })
  const hostile = [vfs.connect(), vfs.connect()].map(({ wire: { door, bell } }) => {
    const worker = new Worker(HOSTILE, { eval: true, workerData: [door, bell] })
    return { worker, started: new Promise((resolve) => worker.once('message', resolve)) }
  })
  await Promise.all(hostile.map(({ started }) => started))
  const work = (name: string) => py`
    import os
    sizes = []
    with open('/data/${name}', 'wb') as f: f.write(bytes(200_000))
    for i in range(30):
        with open('/data/${name}', 'r+b', buffering=0) as f: f.write(bytes([i]) * 131_072)
        with open('/data/${name}', 'rb') as f: sizes.append((os.fstat(f.fileno()).st_size, f.read(3)[0]))
    sizes == [(200_000, i) for i in range(30)]
  `
  const values = await Promise.all([one, two].map((session, who) => session.execute(work(`f${who}`))))
  expect(values.map(({ value }) => value)).toEqual([true, true])
  expect((await vfs.readFile('/f0')).length).toBe(200_000)
  for (const { worker } of hostile) await worker.terminate()
})

test('a slot that claims to be closed, changed or quiet affects only itself, because the storage does not read that back', () => {
  const storage = new TestStorage(8)
  const [hostile, honest] = [new TestSlot(storage), new TestSlot(storage)]
  const node = storage.create('f', new Uint8Array(CHUNK))
  hostile.client.bell.fill(1)
  hostile.control[CONTROL.TAKEN] = 77
  expect(honest.write(node, 0, new Uint8Array(10))).toBe('write')
  expect(honest.client.bell[BELL.CLOSED]).toBe(0)
  // A request that is never taken back counts as one request.
  hostile.control[CONTROL.STATE] = STATE.REQUEST
  expect(hostile.client.serve()).toBe(true)
  expect(hostile.control[CONTROL.STATE]).toBe(STATE.ANSWER)
  expect(hostile.client.serve()).toBe(false)
  expect(hostile.client.hasPosted).toBe(false)
  // Claimed posts that were never made do not keep the storage awake.
  hostile.control[CONTROL.POSTED] = 1_000_000
  hostile.client.takePosted()
  expect(hostile.client.hasPosted).toBe(false)
})

test('E2: an overwrite without waiting is visible at once to a session that has cached the file’s times', async () => {
  await using vfs = new VfsStorage()
  await vfs.writeFile('/f', new Uint8Array(4 * CHUNK))
  const manager = await sharedManager({ slots: 4 })
  await using writer = await manager.createSession({ vfs, tenant: 'one' })
  await using reader = await manager.createSession({ vfs, tenant: 'two' })
  const write = py`
    import os
    f = open('/data/f', 'r+b', buffering=0); f.write(bytes(131_072))
    written = os.fstat(f.fileno()).st_mtime_ns; f.close()
  `
  await writer.execute(write)
  for (const order of ['reader knows first', 'writer opens first']) {
    if (order === 'writer opens first')
      await writer.execute("import os\nf = open('/data/f', 'r+b', buffering=0)")
    // Only opens the file: the next request is for its status.
    await reader.execute("import os\nfd = os.open('/data/f', os.O_RDONLY)")
    await writer.execute(
      order === 'writer opens first'
        ? 'f.write(bytes(131_072)); written = os.fstat(f.fileno()).st_mtime_ns; f.close()'
        : write,
    )
    const { value } = await reader.execute('os.fstat(fd).st_mtime_ns')
    expect(value, order).toBe((await writer.execute('written')).value)
  }
})
