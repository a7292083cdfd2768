// E2, R3: requests that a session posts without waiting: nodes that it releases and bytes that it overwrites. The storage is not woken, and
// processes them before any later request.
import { expect, onTestFinished, test, vi } from 'vitest'
import { CONTROL, MOST_POSTED, OP } from '../../src/shared/messages/storage-door.js'
import { errno } from '../../workers/host/errno.js'
import { CHUNK, TestSlot, TestStorage } from './support/slot.js'

const all = (length: number, value: number) => new Uint8Array(length).fill(value)
const isAll = (bytes: Uint8Array, length: number, value: number) =>
  bytes.length === length && bytes.every((byte) => byte === value)

test('E2: bytes of a removed and closed file are available to the next write of any session', () => {
  const storage = new TestStorage(8)
  const [first, second] = [new TestSlot(storage), new TestSlot(storage)]
  const node = storage.create('f', new Uint8Array(CHUNK))
  const other = storage.create('other')
  storage.quota.maxBytes = CHUNK
  first.call(OP.hold, node)
  storage.remove('f')
  expect(second.write(other, 0, new Uint8Array(CHUNK))).toBe(errno.ENOSPC)
  expect(first.door.giveBack(node)).toBe(true)
  expect(second.write(other, 0, new Uint8Array(CHUNK))).toBe('write')
  expect(storage.quota.usedBytes).toBe(CHUNK)
})

test('a slot can post no more releases than the storage has room for, and can continue once these are processed', () => {
  const storage = new TestStorage(1)
  const slot = new TestSlot(storage)
  const node = storage.create('f')
  for (let round = 0; round < 5; round += 1) {
    for (let i = 0; i <= MOST_POSTED; i += 1) slot.call(OP.hold, node)
    const given = Array.from({ length: MOST_POSTED + 1 }, () => slot.door.giveBack(node))
    expect(given).toEqual([...Array.from({ length: MOST_POSTED }, () => true), false])
    expect(slot.call(OP.release, node)).toBe(0)
  }
  storage.remove('f')
  expect(() => storage.nodes.status(node)).toThrow('ENOENT')
})

test('E2: overwritten bytes are visible to the next reader, and further overwrites need no other path', () => {
  const storage = new TestStorage(64)
  const [first, second] = [new TestSlot(storage), new TestSlot(storage)]
  const node = storage.create('f', all(4 * CHUNK, 1))
  first.write(node, 0, all(4 * CHUNK, 1))
  for (let value = 2; value < 20; value += 1) {
    expect(first.overwrite(node, 0, all(4 * CHUNK, value))).toBe(true)
    expect(isAll(second.read(node, 0, 4 * CHUNK), 4 * CHUNK, value)).toBe(true)
  }
  expect(storage.quota.usedBytes).toBe(4 * CHUNK)
  expect(storage.arena.free).toBe(64 - 8)
})

test('E2: bytes overwritten before a file was removed or closed, or its session ended, are in the file', () => {
  const storage = new TestStorage(64)
  const [first, second] = [new TestSlot(storage), new TestSlot(storage)]
  const node = storage.create('f', all(4 * CHUNK, 1))
  first.write(node, 0, all(4 * CHUNK, 1))
  second.call(OP.hold, node)
  first.call(OP.hold, node)
  expect(first.overwrite(node, CHUNK, all(CHUNK, 2))).toBe(true)
  expect(first.door.giveBack(node)).toBe(true)
  storage.remove('f')
  expect(isAll(second.read(node, CHUNK, CHUNK), CHUNK, 2)).toBe(true)
  expect(first.overwrite(node, 0, all(CHUNK, 3))).toBe(true)
  first.client.leave()
  expect(storage.bytesOf(node)[0]).toBe(3)
  second.client.leave()
  expect([storage.quota.usedBytes, storage.arena.free]).toEqual([0, 64])
})

test('E2: a write right after an unprocessed post is correct, even if extents were left over from before', () => {
  for (const way of ['overwrite', 'write'] as const) {
    const storage = new TestStorage(64)
    const slot = new TestSlot(storage)
    const node = storage.create('f', all(6 * CHUNK, 1))
    slot.write(node, 0, all(6 * CHUNK, 2))
    expect(slot.overwrite(node, 0, all(4 * CHUNK, 3))).toBe(true)
    slot.call(OP.hold, node)
    // Meanwhile extents are reserved; the slot learns of them only when this post is processed.
    expect(slot.door.giveBack(node)).toBe(true)
    expect(slot[way](node, 4 * CHUNK, all(2 * CHUNK, 4))).toBe(way === 'write' ? 'exchange' : true)
    expect(isAll(slot.read(node, 0, 4 * CHUNK), 4 * CHUNK, 3)).toBe(true)
    expect(isAll(slot.read(node, 4 * CHUNK, 2 * CHUNK), 2 * CHUNK, 4)).toBe(true)
  }
})

test('E2, E4: a write that fails for lack of room uses no extent, even if a post is still unprocessed', () => {
  const storage = new TestStorage(64)
  const slot = new TestSlot(storage)
  const node = storage.create('f', all(6 * CHUNK, 1))
  slot.write(node, 0, all(6 * CHUNK, 2))
  storage.quota.maxBytes = 6 * CHUNK
  expect(slot.write(node, 6 * CHUNK, all(2 * CHUNK, 3))).toBe(errno.ENOSPC)
  slot.call(OP.hold, node)
  expect(slot.door.giveBack(node)).toBe(true)
  expect(slot.overwrite(node, 0, all(4 * CHUNK, 4))).toBe(true)
  expect(isAll(slot.read(node, 0, 4 * CHUNK), 4 * CHUNK, 4)).toBe(true)
})

test('E2: a file’s times are those of the overwrite, however late it is processed, and never go back', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1000 })
  onTestFinished(() => void vi.useRealTimers())
  const storage = new TestStorage(64)
  const slot = new TestSlot(storage)
  const node = storage.create('f', all(CHUNK, 1))
  slot.write(node, 0, all(CHUNK, 1))
  const overwrittenAt = (ms: number) => {
    vi.setSystemTime(ms)
    expect(slot.overwrite(node, 0, all(CHUNK, 2))).toBe(true)
    vi.setSystemTime(90_000)
    expect(slot.call(OP.usage)).toBe(0)
    const { modified, changed } = storage.nodes.status(node)
    expect(changed).toEqual(modified)
    return modified
  }
  expect(overwrittenAt(61_001)).toEqual({ seconds: 61, nanoseconds: 1_000_000 })
  expect(overwrittenAt(61_001)).toEqual({ seconds: 61, nanoseconds: 1_000_001 })
  // The clock was set back; then a slot's own clock is ahead.
  expect(overwrittenAt(2000)).toEqual({ seconds: 61, nanoseconds: 1_000_002 })
  expect(overwrittenAt(1e15)).toEqual({ seconds: 90, nanoseconds: 0 })
})

test('E2, E4: truncating a file and using the freed room happens after a posted overwrite', () => {
  const storage = new TestStorage(64)
  const slot = new TestSlot(storage)
  const node = storage.create('f', all(4 * CHUNK, 1))
  slot.write(node, 0, all(4 * CHUNK, 1))
  storage.quota.maxBytes = 4 * CHUNK
  const other = storage.create('other')
  expect(slot.overwrite(node, 0, all(CHUNK, 2))).toBe(true)
  expect(slot.overwrite(node, CHUNK, all(CHUNK, 3))).toBe(true)
  storage.nodes.resize(node, CHUNK)
  storage.nodes.write(other, 0, all(3 * CHUNK, 4), 0, 3 * CHUNK)
  expect(isAll(slot.read(node, 0, 4 * CHUNK), CHUNK, 2)).toBe(true)
  expect(storage.quota.usedBytes).toBe(4 * CHUNK)
  expect(slot.overwrite(node, 0, all(CHUNK, 5))).toBe(true)
  expect(isAll(slot.read(node, 0, CHUNK), CHUNK, 5)).toBe(true)
  storage.remove('f')
  storage.remove('other')
  slot.client.leave()
  expect([storage.quota.usedBytes, storage.arena.free]).toEqual([0, 64])
})

test('R3: a slot that overwrites with more extents than it has, or with partial chunks, changes nothing and is not served again', () => {
  const storage = new TestStorage(64)
  const lies: ((slot: TestSlot, node: number) => void)[] = [
    (slot, node) => slot.door.overwrite(node, 0, 5),
    (slot, node) => slot.door.overwrite(node, 1, 1),
    (slot, node) => slot.door.overwrite(node, -CHUNK, 1),
    (slot, node) => slot.door.overwrite(node, 0, 1.5),
    (slot, node) => slot.door.overwrite(node, 2 ** 60, 1),
    (slot, node) => slot.door.overwrite(node, 0, Number.POSITIVE_INFINITY),
  ]
  for (const [index, lie] of lies.entries()) {
    const slot = new TestSlot(storage)
    const node = storage.create(`${index}`, all(4 * CHUNK, 1))
    slot.write(node, 0, all(4 * CHUNK, 1))
    lie(slot, node)
    expect(slot.call(OP.usage), `${index}`).toBe(errno.EIO)
    expect(isAll(storage.bytesOf(node), 4 * CHUNK, 1)).toBe(true)
    storage.remove(`${index}`)
    expect(storage.arena.free).toBe(64)
  }
})

test('R3: a slot that overwrites something that is not a file, or beyond all bounds, changes no data', () => {
  const storage = new TestStorage(64)
  const slot = new TestSlot(storage)
  const node = storage.create('f', all(CHUNK, 1))
  slot.write(node, 0, all(4 * CHUNK, 1))
  storage.quota.maxBytes = storage.quota.usedBytes
  for (const [id, position] of [
    [storage.nodes.root, 0],
    [node + 1000, 0],
    [node, 2 ** 30 * CHUNK],
    [node, 4 * CHUNK],
  ] as const) {
    expect(slot.door.overwrite(id, position, 1)).toBe(true)
    expect(slot.call(OP.usage)).toBe(0)
  }
  expect(isAll(storage.bytesOf(node), 4 * CHUNK, 1)).toBe(true)
  expect(storage.quota.usedBytes).toBe(4 * CHUNK)
  storage.remove('f')
  slot.client.leave()
  expect(storage.arena.free).toBe(64)
})

test('R3: a slot that releases what it does not hold, or posts more than there is room for, is not served again', () => {
  const storage = new TestStorage(1)
  const [mine, others] = [storage.create('mine'), storage.create('others')]
  const honest = new TestSlot(storage)
  honest.call(OP.hold, others)
  const lies: ((slot: TestSlot) => void)[] = [
    (slot) => slot.door.giveBack(others),
    (slot) => slot.door.giveBack(Number.NaN),
    (slot) => [slot.door.giveBack(mine), slot.door.giveBack(mine)],
    (slot) => Atomics.store(slot.control, CONTROL.POSTED, MOST_POSTED + 1),
    (slot) => Atomics.store(slot.control, CONTROL.POSTED, -1),
  ]
  for (const lie of lies) {
    const slot = new TestSlot(storage)
    slot.call(OP.hold, mine)
    lie(slot)
    expect(slot.call(OP.usage)).toBe(errno.EIO)
  }
  storage.remove('others')
  expect(honest.call(OP.nodeStatus, others)).toBe(0)
  expect(storage.nodes.status(mine).linked).toBe(true)
})
