// All sessions at a storage. Owns who they are, and that what any of them gave back comes before what is asked later by another.
import { Client, type Served } from './client.js'
import { BELL } from './wire.js'

export class Clients {
  readonly #served: Served
  readonly #bells: Int32Array
  readonly #clients = new Map<number, Client>()
  /** What the bell said when all had taken back. */
  #given = 0

  constructor(served: Omit<Served, 'takeBack'>, bells: Int32Array) {
    this.#served = { ...served, takeBack: () => this.takeBack() }
    this.#bells = bells
  }

  attach(id: number, door: SharedArrayBuffer): void {
    this.#clients.set(id, new Client(this.#served, door))
  }

  drop(id: number): void {
    this.#clients.get(id)?.drop()
    this.#clients.delete(id)
  }

  /** False if nobody asked for anything. */
  serve(): boolean {
    let busy = false
    for (const client of this.#clients.values()) busy = client.serve() || busy
    return busy
  }

  takeBack(): void {
    const given = Atomics.load(this.#bells, BELL.GIVEN)
    if (given === this.#given) return
    this.#given = given
    for (const client of this.#clients.values()) client.takeBack()
  }
}
