// All sessions at a storage. Owns who they are, that what any of them has posted comes before what is asked later by another, and
// what each may still know about a node that another changes.

import { POSTING } from '../../src/shared/messages/storage-door.js'
import type { NodeId } from '../host/fs/node-store.js'
import { Client } from './client.js'
import type { Served, StatusReader } from './served.js'

/** Descriptors that all sessions of a host directory have together, about. Each has its share of them, and a few in any case. */
const MOST_HOST_FILES = 4096
const LEAST_HOST_FILES = 64

export class Clients {
  /** In the order in which they came. */
  readonly all: Client[] = []
  readonly #served: Served
  readonly #byId = new Map<number, Client>()
  #isWatched = false

  constructor(served: Omit<Served, 'takePosted' | 'changes'>) {
    const isHosts = served.directory !== undefined
    this.#served = {
      ...served,
      takePosted: () => this.takePosted(),
      // Beside the sessions, any program of the host changes its directories.
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

  /** Its bell, which nobody listens to any more. */
  drop(id: number): Int32Array | undefined {
    const client = this.#byId.get(id)
    if (client === undefined) return undefined
    client.leave()
    this.#byId.delete(id)
    this.all.splice(this.all.indexOf(client), 1)
    return client.bell
  }

  /** Somebody waits for an answer, or has posted something that is not done. */
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
    // What was posted before that is not told.
    this.takePosted()
  }

  /** The node has changed: whoever knows its status does not know it any more. 0: any node may have. */
  changed(node: NodeId): void {
    for (const client of this.all) {
      if (client.knownNode === node || (node === 0 && client.knownNode !== 0)) client.forget()
    }
  }

  /** The reader is about to get the node's status, and may rely on it until `changed` is called. */
  #know(reader: StatusReader, node: NodeId): number {
    let isAlone = true
    for (const other of this.all) {
      if (other === reader || other.knownNode !== node) continue
      isAlone = false
      // Its writes have to be heard of from now on, before they return; those that were posted before are done now.
      other.setPosting(POSTING.ASK)
    }
    if (!isAlone) this.takePosted()
    reader.knownNode = node
    reader.setPosting(isAlone ? (this.#isWatched ? POSTING.RING : POSTING.QUIET) : POSTING.ASK)
    return reader.changes
  }
}
