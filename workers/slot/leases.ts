// The leases of a slot, one after the other. Owns the interpreter, the current lease, and renewing the interpreter between two
// leases (S1); lease.ts serves each lease.
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
   * Ends the current lease and begins the next.
   *
   * @throws Error if the slot cannot be renewed; it must not be used again
   */
  async renew(wire: LeaseWire): Promise<void> {
    this.#replaceLease()
    // The previous lease's memory counts against maxMemoryBytes until this slot is ready, so wait until it is free.
    await this.#oldMemories.freed()
    this.#lease.open(wire, this.#interpreter)
  }

  /** Not inlined into `renew`: its stack frame would keep the old memory alive while it waits for that memory to be freed. */
  #replaceLease(): void {
    const ended = this.#lease
    ended.end()
    this.#lease = new SlotLeaseSide(this.#image)
    const replaced = this.#interpreter.renew(this.#lease.host)
    if (replaced) this.#oldMemories.add(replaced)
    ended.free()
  }
}
