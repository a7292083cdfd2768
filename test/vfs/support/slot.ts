// A storage's thread and its slots, simulated on the test's own thread: requests at a door are served at once. Owns no assertion.

import {
  BELL_BYTES,
  CONTROL,
  NUMBERS,
  NUMBERS_AT,
  OP,
  STATE,
  WINDOW_AT,
} from '../../../src/shared/messages/storage-door.js'
import { Files } from '../../../workers/host/fs/files.js'
import type { NodeId } from '../../../workers/host/fs/node-store.js'
import { PrivateNodes } from '../../../workers/host/fs/private-nodes.js'
import { Quota } from '../../../workers/host/fs/quota.js'
import { Tree } from '../../../workers/host/fs/tree.js'
import { ArenaCopies } from '../../../workers/host/mounts/arena-copies.js'
import { StorageDoor } from '../../../workers/host/mounts/door.js'
import { NO_IMAGE } from '../../../workers/image-bytes.js'
import { Arena } from '../../../workers/storage/arena.js'
import { Client } from '../../../workers/storage/client.js'
import { Locks } from '../../../workers/storage/locks.js'

export const CHUNK = 65_536
const WINDOW_BYTES = 1024 * 1024

export class TestStorage {
  readonly quota = new Quota()
  readonly slots: TestSlot[] = []
  readonly arena: Arena
  readonly nodes: PrivateNodes
  readonly served: ConstructorParameters<typeof Client>[0]

  /** @param extents size of the arena */
  constructor(extents: number) {
    this.arena = new Arena(new SharedArrayBuffer(0, { maxByteLength: extents * CHUNK }))
    this.nodes = new PrivateNodes(NO_IMAGE, this.quota, this.arena)
    this.served = {
      files: new Files(new Tree(this.nodes, true), '/'),
      locks: new Locks(),
      takePosted: () => {
        for (const { client } of this.slots) client.takePosted()
      },
      shared: { arena: this.arena, nodes: this.nodes, changed: () => {} },
      changes: () => 0,
    }
  }

  create(name: string, bytes = new Uint8Array(0)): NodeId {
    const node = this.nodes.create(this.nodes.root, name, { kind: 'file', mode: 0o644 })
    this.nodes.write(node, 0, bytes, 0, bytes.length)
    return node
  }

  remove(name: string): void {
    this.nodes.remove(this.nodes.root, name)
  }

  /** The file's bytes, as the storage's thread reads them. */
  bytesOf(node: NodeId): Uint8Array {
    const bytes = new Uint8Array(this.nodes.status(node).size)
    this.nodes.read(node, 0, bytes, 0, bytes.length)
    return bytes
  }
}

export class TestSlot {
  readonly client: Client
  readonly control: Int32Array
  readonly numbers: Float64Array
  readonly window: Buffer
  readonly copies: ArenaCopies
  readonly door: StorageDoor

  constructor(storage: TestStorage) {
    const { served, arena } = storage
    const door = new SharedArrayBuffer(WINDOW_AT + WINDOW_BYTES)
    const bell = new SharedArrayBuffer(BELL_BYTES)
    this.client = new Client(served, door, bell)
    this.control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.numbers = new Float64Array(door, NUMBERS_AT, NUMBERS)
    this.window = Buffer.from(door, WINDOW_AT)
    this.copies = new ArenaCopies(arena.buffer, door, this.window)
    this.door = new StorageDoor(door, bell)
    storage.slots.push(this)
  }

  /** Returns 0 or the error number. */
  call(op: number, ...numbers: number[]): number {
    this.numbers.set(numbers)
    this.control[CONTROL.OP] = op
    this.control[CONTROL.STATE] = STATE.REQUEST
    this.client.serve()
    return this.control[CONTROL.ERROR] ?? 0
  }

  /** Writes through the arena if it has room. Returns the operation that was used, or the error number. */
  write(node: NodeId, position: number, bytes: Uint8Array): 'write' | 'exchange' | number {
    const extents = this.copies.put(bytes, 0, bytes.length, position)
    if (extents === 0) this.window.set(bytes)
    const error = this.call(extents === 0 ? OP.write : OP.exchange, node, position, bytes.length, extents)
    if (error !== 0) return error
    this.copies.used(extents)
    return extents === 0 ? 'write' : 'exchange'
  }

  /** Overwrites whole chunks inside the file without waiting. Returns false if that is impossible. */
  overwrite(node: NodeId, position: number, bytes: Uint8Array): boolean {
    const extents = this.copies.put(bytes, 0, bytes.length, position)
    if (extents === 0 || !this.door.overwrite(node, position, extents)) return false
    this.copies.used(extents)
    return true
  }

  /** Requests a read, and copies later: the lent pieces belong to the slot until its next request. */
  ask(node: NodeId, position: number, length: number): () => Uint8Array {
    this.call(OP.read, node, position, length)
    const [count = 0, pieces = 0] = this.numbers
    return () => {
      const bytes = new Uint8Array(count)
      this.copies.take(count, pieces, bytes, 0)
      return bytes
    }
  }

  read(node: NodeId, position: number, length: number): Uint8Array {
    return this.ask(node, position, length)()
  }
}
