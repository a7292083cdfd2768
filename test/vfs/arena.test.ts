// E2, R3: bytes that slots copy themselves, through memory that they share with a storage's thread.
import { beforeEach, describe, expect, test } from 'vitest'
import { CONTROL, OP } from '../../src/shared/messages/storage-door.js'
import { errno } from '../../workers/host/errno.js'
import { CHUNK, TestSlot, TestStorage } from './support/slot.js'

const EXTENTS = 64
const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)
const isAll = (found: Uint8Array, value: number) => found.every((byte) => byte === value)

let storage: TestStorage
let slot: TestSlot
beforeEach(() => {
  storage = new TestStorage(EXTENTS)
  slot = new TestSlot(storage)
})

describe('data that a slot reads', () => {
  test('E2: stays as it was at the time of the request, even if the file is overwritten, truncated or removed meanwhile', () => {
    const changes: [string, (node: number) => void][] = [
      ['overwritten whole', (node) => storage.nodes.write(node, 0, bytes(4 * CHUNK, 2), 0, 4 * CHUNK)],
      ['overwritten in part', (node) => storage.nodes.write(node, CHUNK + 5, bytes(CHUNK, 2), 0, CHUNK)],
      ['cut', (node) => storage.nodes.resize(node, CHUNK)],
      ['cut inside a chunk', (node) => storage.nodes.resize(node, 3 * CHUNK - 5)],
      ['replaced', (node) => other.write(node, 0, bytes(4 * CHUNK, 2))],
      ['removed', (node) => storage.remove(storage.nodes.name(node))],
    ]
    const [other, third] = [new TestSlot(storage), new TestSlot(storage)]
    other.write(storage.create('warm'), 0, bytes(4 * CHUNK, 9))
    for (const [name, change] of changes) {
      const node = storage.create(name, bytes(4 * CHUNK, 1))
      const takes = [slot.ask(node, 0, 4 * CHUNK), third.ask(node, CHUNK, CHUNK)]
      change(node)
      // Overwrites all free extents.
      storage.create(`after ${name}`, bytes(16 * CHUNK, 3))
      for (const take of takes) expect(isAll(take(), 1), name).toBe(true)
      storage.remove(`after ${name}`)
    }
  })

  test('E2: stays unchanged even if only a neighbour of the overwritten chunk is being read', () => {
    const node = storage.create('f', bytes(4 * CHUNK, 1))
    const take = slot.ask(node, 2 * CHUNK, CHUNK)
    storage.nodes.write(node, 0, bytes(4 * CHUNK, 2), 0, 4 * CHUNK)
    expect(isAll(take(), 1)).toBe(true)
    expect(isAll(storage.bytesOf(node), 2)).toBe(true)
  })

  test('E2: equals what was written, at any position and length', () => {
    const model = Uint8Array.from({ length: 5 * CHUNK + 1000 }, (_, at) => (at * 7 + (at >> 16)) & 0xff)
    const node = storage.create('f', model.subarray(0, 3 * CHUNK + 70))
    // Small writes create chunks outside the arena.
    for (let at = 3 * CHUNK + 70; at < model.length; at += 1111)
      storage.nodes.append(node, model, at, Math.min(model.length, at + 1111))
    for (const [position, length] of [
      [0, 6 * CHUNK],
      [1, CHUNK],
      [CHUNK - 1, 2],
      [CHUNK + 77, 3 * CHUNK],
      [2 * CHUNK, CHUNK],
      [5 * CHUNK, 5000],
      [6 * CHUNK, 10],
    ] as const) {
      const found = slot.read(node, position, length)
      expect(Buffer.compare(found, model.subarray(position, position + length)), `${position}`).toBe(0)
    }
  })

  test('occupies the arena only while sessions read it', () => {
    const node = storage.create('f', bytes(4 * CHUNK, 1))
    const readers = [slot, new TestSlot(storage), new TestSlot(storage)]
    for (const reader of readers) reader.read(node, 0, 4 * CHUNK)
    storage.remove('f')
    expect(storage.arena.free).toBe(EXTENTS - 4)
    readers[0]?.call(OP.usage)
    readers[1]?.client.leave()
    expect(storage.arena.free).toBe(EXTENTS - 4)
    readers[2]?.call(OP.usage)
    expect(storage.arena.free).toBe(EXTENTS)
  })
})

describe('data that a slot writes', () => {
  test('E2: into its own extents belongs to the file at once, between the bytes before and after it', () => {
    const node = storage.create('f', bytes(6 * CHUNK, 1))
    expect(slot.write(node, 100, bytes(4 * CHUNK, 2))).toBe('write')
    expect(slot.write(node, 100, bytes(4 * CHUNK, 3))).toBe('exchange')
    const found = storage.bytesOf(node)
    expect(isAll(found.subarray(0, 100), 1)).toBe(true)
    expect(isAll(found.subarray(100, 100 + 4 * CHUNK), 3)).toBe(true)
    expect(isAll(found.subarray(100 + 4 * CHUNK), 1)).toBe(true)
    expect(found).toHaveLength(6 * CHUNK)
    expect(storage.quota.usedBytes).toBe(6 * CHUNK)
  })

  test('E1: beyond the end extends the file, and the gap reads as zeros', () => {
    const node = storage.create('f')
    slot.write(storage.create('warm'), 0, bytes(2 * CHUNK, 9))
    expect(slot.write(node, 3 * CHUNK - 7, bytes(CHUNK + 14, 1))).toBe('exchange')
    const found = storage.bytesOf(node)
    expect(found).toHaveLength(4 * CHUNK + 7)
    expect(isAll(found.subarray(0, 3 * CHUNK - 7), 0)).toBe(true)
    expect(isAll(found.subarray(3 * CHUNK - 7), 1)).toBe(true)
  })

  test('E4: beyond maxBytes fails with ENOSPC and changes nothing, and the slot keeps its extents', () => {
    const node = storage.create('f', bytes(CHUNK, 1))
    slot.write(node, 0, bytes(CHUNK, 2))
    storage.quota.maxBytes = storage.quota.usedBytes
    expect(slot.write(node, 1 * CHUNK, bytes(CHUNK, 3))).toBe(errno.ENOSPC)
    expect(isAll(storage.bytesOf(node), 2)).toBe(true)
    expect(storage.quota.usedBytes).toBe(CHUNK)
    expect(slot.write(node, 0, bytes(CHUNK, 4))).toBe('exchange')
    expect(isAll(storage.bytesOf(node), 4)).toBe(true)
  })

  test('goes through the door if the arena is full, and uses the arena again once there is room', () => {
    const small = new TestStorage(4)
    const narrow = new TestSlot(small)
    const [kept, node] = [small.create('kept', bytes(4 * CHUNK, 1)), small.create('f')]
    for (const value of [2, 3]) {
      expect(narrow.write(node, 0, bytes(2 * CHUNK, value))).toBe('write')
      expect(isAll(narrow.read(node, 0, 2 * CHUNK), value)).toBe(true)
    }
    expect(isAll(small.bytesOf(kept), 1)).toBe(true)
    small.remove('kept')
    expect(narrow.write(node, 0, bytes(2 * CHUNK, 4))).toBe('write')
    expect(narrow.write(node, 0, bytes(2 * CHUNK, 5))).toBe('exchange')
    expect(isAll(small.bytesOf(node), 5)).toBe(true)
  })
})

describe('extents', () => {
  test('are freed when files are removed, truncated or overwritten, and when sessions leave', () => {
    const node = storage.create('f', bytes(16 * CHUNK, 1))
    for (let round = 0; round < 100; round += 1) slot.write(node, 0, bytes(16 * CHUNK, round))
    expect(storage.arena.free).toBe(EXTENTS - 32)
    slot.client.leave()
    expect(storage.arena.free).toBe(EXTENTS - 16)
    storage.nodes.resize(node, 2 * CHUNK + 10)
    expect(storage.arena.free).toBe(EXTENTS - 2)
    storage.nodes.hold(node)
    storage.remove('f')
    expect(storage.arena.free).toBe(EXTENTS - 2)
    storage.nodes.release(node)
    expect(storage.arena.free).toBe(EXTENTS)
  })

  test('are not reserved for a small write', () => {
    slot.write(storage.create('f'), 0, bytes(CHUNK - 1, 1))
    expect(storage.arena.free).toBe(EXTENTS)
  })

  test('of a session that was ended during a write stay unused until it reports that it has finished', () => {
    slot.write(storage.create('f'), 0, bytes(8 * CHUNK, 1))
    slot.control[CONTROL.FILLING] = 1
    slot.client.leave()
    expect(storage.arena.take(EXTENTS)).toHaveLength(EXTENTS - 16)
    slot.control[CONTROL.FILLING] = 0
    expect(storage.arena.take(EXTENTS)).toHaveLength(8)
  })

  test('of a session that the storage has dropped cannot be written any more', () => {
    slot.write(storage.create('f'), 0, bytes(4 * CHUNK, 1))
    slot.client.leave()
    const node = storage.create('next', bytes(EXTENTS * CHUNK - 4 * CHUNK, 2))
    expect(() => slot.copies.put(bytes(4 * CHUNK, 3), 0, 4 * CHUNK, 0)).toThrow('EIO')
    expect(isAll(storage.bytesOf(node), 2)).toBe(true)
  })

  test('are zeroed one at a time, once unused, when the storage has nothing else to do', () => {
    const node = storage.create('f', bytes(3 * CHUNK, 7))
    const take = slot.ask(node, 0, CHUNK)
    storage.remove('f')
    expect([storage.arena.scrub(), storage.arena.scrub(), storage.arena.scrub()]).toEqual([true, true, false])
    expect(isAll(take(), 7)).toBe(true)
    slot.call(OP.usage)
    expect(storage.arena.scrub()).toBe(true)
    expect(isAll(new Uint8Array(storage.arena.buffer), 0)).toBe(true)
  })
})

describe('R3: a slot that breaks the rules', () => {
  test('gets EIO and changes nothing if it uses more extents than it has, or another number than its bytes take', () => {
    const counts = [
      [0, 4 * CHUNK, 0],
      [0, 4 * CHUNK, 3],
      [0, 4 * CHUNK, 5],
      [0, 8 * CHUNK, 8],
      [1, 4 * CHUNK, 4],
      [0, CHUNK - 1, 1],
      [0, 4 * CHUNK, -1],
      [0, 4 * CHUNK, 1.5],
      [0, 4 * CHUNK, Number.NaN],
      [2 ** 53 - 1, 4 * CHUNK, 4],
    ] as const
    for (const [position, length, count] of counts) {
      const hostile = new TestSlot(storage)
      const name = `${position} ${length} ${count}`
      const node = storage.create(name, bytes(4 * CHUNK, 1))
      hostile.write(node, 0, bytes(4 * CHUNK, 2))
      const used = storage.quota.usedBytes
      const error = hostile.call(OP.exchange, node, position, length, count)
      expect([errno.EIO, errno.ENOSPC], name).toContain(error)
      expect(isAll(storage.bytesOf(node), 2), name).toBe(true)
      expect(storage.quota.usedBytes).toBe(used)
      hostile.client.leave()
      storage.remove(name)
      expect(storage.arena.free, name).toBe(EXTENTS)
    }
  })

  test('takes no extents of others by naming them where the storage writes its answers', () => {
    const other = new TestSlot(storage)
    const [mine, others] = [storage.create('mine'), storage.create('others')]
    other.write(others, 0, bytes(4 * CHUNK, 1))
    slot.write(mine, 0, bytes(4 * CHUNK, 2))
    new Uint32Array(slot.control.buffer).fill(0, 48)
    expect(slot.call(OP.exchange, mine, 0, 4 * CHUNK, 4)).toBe(0)
    expect(isAll(storage.bytesOf(others), 1)).toBe(true)
    storage.remove('mine')
    storage.remove('others')
    slot.client.leave()
    other.client.leave()
    expect(storage.arena.free).toBe(EXTENTS)
  })

  test('does not disturb the storage by growing the shared memory', () => {
    const { buffer } = storage.arena
    buffer.grow(buffer.maxByteLength)
    const node = storage.create('f', bytes(EXTENTS * CHUNK, 1))
    expect(isAll(storage.bytesOf(node), 1)).toBe(true)
    expect(storage.arena.free).toBe(0)
    storage.create('more', bytes(2 * CHUNK, 2))
    expect(isAll(storage.bytesOf(node), 1)).toBe(true)
  })

  test('is not served again', () => {
    const node = storage.create('f', bytes(4 * CHUNK, 1))
    expect(slot.call(OP.exchange, node, 0, 4 * CHUNK, 4)).toBe(errno.EIO)
    expect(slot.write(node, 0, bytes(10, 2))).toBe(errno.EIO)
    expect(isAll(storage.bytesOf(node), 1)).toBe(true)
  })
})
