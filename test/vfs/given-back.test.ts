// E2, R3: nodes that a session gives back without asking: the storage is not woken, and knows of them before anything that comes later.
import { expect, test } from 'vitest'
import { errno } from '../../workers/host/errno.js'
import { CONTROL, MOST_GIVEN, OP } from '../../workers/storage/wire.js'
import { CHUNK, TestSlot, TestStorage } from './support/slot.js'

test('E2: bytes of a file that was removed and closed are there for the next write of anybody', () => {
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

test('a slot gives back no more than the storage has room to hear of, and goes on when it has heard', () => {
  const storage = new TestStorage(1)
  const slot = new TestSlot(storage)
  const node = storage.create('f')
  for (let round = 0; round < 5; round += 1) {
    for (let i = 0; i <= MOST_GIVEN; i += 1) slot.call(OP.hold, node)
    const given = Array.from({ length: MOST_GIVEN + 1 }, () => slot.door.giveBack(node))
    expect(given).toEqual([...Array.from({ length: MOST_GIVEN }, () => true), false])
    expect(slot.call(OP.release, node)).toBe(0)
  }
  storage.remove('f')
  expect(() => storage.nodes.status(node)).toThrow('ENOENT')
})

test('R3: a slot that gives back what it has not, or more than there is room for, is not served again', () => {
  const storage = new TestStorage(1)
  const [mine, others] = [storage.create('mine'), storage.create('others')]
  const honest = new TestSlot(storage)
  honest.call(OP.hold, others)
  const lies: ((slot: TestSlot) => void)[] = [
    (slot) => slot.door.giveBack(others),
    (slot) => slot.door.giveBack(Number.NaN),
    (slot) => [slot.door.giveBack(mine), slot.door.giveBack(mine)],
    (slot) => Atomics.store(slot.control, CONTROL.GIVEN, MOST_GIVEN + 1),
    (slot) => Atomics.store(slot.control, CONTROL.GIVEN, -1),
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
