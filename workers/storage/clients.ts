// All sessions at a storage. Owns who they are, and that what any of them has posted comes before what is asked later by another.
import { Client, type Served } from './client.js'
import { BELL } from './wire.js'

export class Clients {
  readonly #served: Served
  readonly #bells: Int32Array
  readonly #clients = new Map<number, Client>()
  /** What the bell said when all that was posted was done. */
  #posted = 0

  constructor(served: Omit<Served, 'takePosted'>, bells: Int32Array) {
    this.#served = { ...served, takePosted: () => this.takePosted() }
    this.#bells = bells
  }

  attach(id: number, door: SharedArrayBuffer): void {
    this.#clients.set(id, new Client(this.#served, door))
  }

  drop(id: number): void {
    this.#clients.get(id)?.leave()
    this.#clients.delete(id)
  }

  /** False if nobody asked for anything. */
  serve(): boolean {
    let busy = false
    for (const client of this.#clients.values()) busy = client.serve() || busy
    return busy
  }

  /** Something was posted that is not done. */
  get hasPosted(): boolean {
    return Atomics.load(this.#bells, BELL.POSTED) !== this.#posted
  }

  takePosted(): void {
    const posted = Atomics.load(this.#bells, BELL.POSTED)
    if (posted === this.#posted) return
    this.#posted = posted
    for (const client of this.#clients.values()) client.takePosted()
  }
}
