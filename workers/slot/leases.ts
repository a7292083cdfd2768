// The leases of a slot, one after the other. Owns the interpreter, the present lease, and making the interpreter the image again
// between two (S1); what serves a lease is lease.ts's.
import type { LeaseWire } from '../../src/shared/messages/slot.js'
import type { ReadableImage } from '../image-bytes.js'
import { Interpreter } from '../interpreter/interpreter.js'
import { OldMemories } from '../memory/old-memory.js'
import { SlotLeaseSide } from './lease.js'

export class SlotLeases {
  readonly #image: ReadableImage
  readonly #interpreter: Interpreter
  readonly #oldMemories = new OldMemories()
  #lease: SlotLeaseSide

  /** Boots the interpreter. */
  constructor(image: ReadableImage) {
    this.#image = image
    this.#lease = new SlotLeaseSide(image)
    this.#interpreter = Interpreter.boot(image, this.#lease.host)
  }

  /** Begins the first lease. */
  open(wire: LeaseWire): void {
    this.#lease.open(wire, this.#interpreter)
  }

  /**
   * Ends the present lease and begins the next.
   *
   * @throws Error where the slot cannot be renewed: it must not be used again
   */
  async renew(wire: LeaseWire): Promise<void> {
    this.#lease.end()
    this.#lease = new SlotLeaseSide(this.#image)
    this.#renewInterpreter()
    // Until this slot is ready, what the lease before had counts as well (maxMemoryBytes).
    await this.#oldMemories.freed()
    this.#lease.open(wire, this.#interpreter)
  }

  /** Apart from what waits for the memory to be freed, for that would keep it. */
  #renewInterpreter(): void {
    const replaced = this.#interpreter.renew(this.#lease.host)
    if (replaced) this.#oldMemories.add(replaced)
  }
}
