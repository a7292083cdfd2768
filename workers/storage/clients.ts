// All sessions of a storage. Owns the list of them, the order between posts and later requests of other sessions, and invalidating what a
// session has cached about a node that another one changes.

import { POSTING } from '../../src/shared/messages/storage-door.js'
import type { NodeId } from '../host/fs/node-store.js'
import { Client } from './client.js'
import type { Served, StatusReader } from './served.js'

/** About how many descriptors all sessions of a host directory may have together. They share it equally, but each gets at least a few. */
const MOST_HOST_FILES = 4096
const LEAST_HOST_FILES = 64

export class Clients {
  /** Clients in the order in which they were attached. */
  readonly all: Client[] = []
  readonly #served: Served
  readonly #byId = new Map<number, Client>()
  #isWatched = false

  constructor(served: Omit<Served, 'takePosted' | 'changes'>) {
    const isHosts = served.directory !== undefined
    this.#served = {
      ...served,
      takePosted: () => this.takePosted(),
      // Any program on the host can change its directories, so a session cannot rely on a status.
      changes: isHosts ? undefined : (reader, node) => this.#know(reader, node),
      maxHolds: isHosts
        ? () => Math.max(LEAST_HOST_FILES, Math.floor(MOST_HOST_FILES / this.all.length))
        : undefined,
    }
  }

  attach(id: number, door: SharedArrayBuffer, bell: SharedArrayBuffer): void {
    const client = new Client(this.#served, door, bell)
    this.#byId.set(id, client)
    this.all.push(client)
  }

  /** Detaches a session. Returns its bell, which no longer has to be listened to. */
  drop(id: number): Int32Array | undefined {
    const client = this.#byId.get(id)
    if (client === undefined) return undefined
    client.leave()
    this.#byId.delete(id)
    this.all.splice(this.all.indexOf(client), 1)
    return client.bell
  }

  /** Whether a session waits for an answer, or has unprocessed posts. */
  get hasWork(): boolean {
    for (const client of this.all) if (client.isWaiting || client.hasPosted) return true
    return false
  }

  takePosted(): void {
    for (const client of this.all) if (client.hasPosted) client.takePosted()
  }

  watch(on: boolean): void {
    this.#isWatched = on
    if (!on) return
    for (const client of this.all) if (client.knownNode !== 0) client.setPosting(POSTING.ASK)
    // Process earlier posts now: their changes are not reported.
    this.takePosted()
  }

  /** Invalidates the cached status of a node that has changed. 0: any node may have changed. */
  changed(node: NodeId): void {
    for (const client of this.all) {
      if (client.knownNode === node || (node === 0 && client.knownNode !== 0)) client.forget()
    }
  }

  /** Records that the reader is about to get the node's status, and may rely on it until `changed` is called. */
  #know(reader: StatusReader, node: NodeId): number {
    let isAlone = true
    for (const other of this.all) {
      if (other === reader || other.knownNode !== node) continue
      isAlone = false
      // From now on, its writes must be processed before they return. Earlier posts are processed below.
      other.setPosting(POSTING.ASK)
    }
    if (!isAlone) this.takePosted()
    reader.knownNode = node
    reader.setPosting(isAlone ? (this.#isWatched ? POSTING.RING : POSTING.QUIET) : POSTING.ASK)
    return reader.changes
  }
}
