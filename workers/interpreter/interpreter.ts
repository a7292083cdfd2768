// One interpreter made from an image: calls, captures, reverts and renews it. Owns its WebAssembly instance (instance.ts). The host owns
// files, clocks and everything else that it imports.
import type { Host } from '../host/host.js'
import type { ReadableImage } from '../image-bytes.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { wipeDeadMemory } from './dead-memory.js'
import type { InterpreterExports } from './exports.js'
import { ImageInstance } from './instance.js'
import { areInternedStringsFull, tidyInternedStrings } from './interned-strings.js'
import { KernelFault, KernelLink, type KernelReply } from './link.js'
import {
  applyMemory,
  captureMemory,
  DELTA_PAGE_BYTES,
  type MemoryCapture,
  type MemoryDelta,
} from './memory-delta.js'

export class Interpreter {
  readonly #image: ReadableImage
  #host: Host
  #instance: ImageInstance
  #link: KernelLink
  /**
   * Numbers of the only pages that can differ from the image's, ascending. Undefined while that is unknown: from the start of any call,
   * which is when the memory is written to, until the next capture or the next return to the image.
   */
  #changedPages: Uint32Array | undefined = NO_PAGES

  private constructor(image: ReadableImage, host: Host, instance: ImageInstance) {
    this.#image = image
    this.#host = host
    this.#instance = instance
    this.#link = new KernelLink(instance.exports, image.dispatch)
  }

  static boot(image: ReadableImage, host: Host): Interpreter {
    return new Interpreter(image, host, new ImageInstance(image, host))
  }

  get #exports(): InterpreterExports {
    return this.#instance.exports
  }

  /**
   * Sends the kernel a request. The stack is empty before and after (I2).
   *
   * @throws whatever ended the interpreter: it must not be called again after that
   */
  call(opcode: number, ...parts: readonly Uint8Array[]): KernelReply {
    this.#changedPages = undefined
    const reply = this.#link.call(opcode, ...parts)
    if (this.#host.ended) throw this.#host.ended
    const { value } = this.#exports.__stack_pointer
    if (value !== this.#image.stackPointer) throw new KernelFault(`the stack pointer came back as ${value}`)
    this.#keepInternedStrings()
    return reply
  }

  /** Every execution interns the name of its cell: after some twenty thousand the table would move, and a snapshot have it. */
  #keepInternedStrings(): void {
    const { buffer } = this.#exports.memory
    const { internedStrings } = this.#image.landmarks
    if (areInternedStringsFull(buffer, internedStrings))
      tidyInternedStrings(new Uint8Array(buffer), internedStrings, this.#image)
  }

  /**
   * Sets the interpreter back to the image, byte for byte (I1), with the same host: memory, globals, and the host's files and
   * descriptors. Does nothing and returns false if memory or a table has grown.
   */
  revert(): boolean {
    if (this.#instance.hasGrown) return false
    this.revertMemory()
    this.#host.reset()
    return true
  }

  /**
   * Sets the interpreter back to the image, with another host: code that runs next can observe nothing of what ran before (S1). If memory
   * or a table has grown, creates a new instance, without compiling anything, and returns the old memory, which is free when V8 has
   * collected it.
   *
   * @throws Error if the interpreter has ended or is in the middle of a call; it must not be used again
   */
  renew(host: Host): WebAssembly.Memory | undefined {
    if (this.#host.ended) throw this.#host.ended
    if (this.#exports.__stack_pointer.value !== this.#image.stackPointer)
      throw new KernelFault('it cannot be renewed while something runs')
    const previous = this.#exports.memory
    const isReplaced = this.#instance.hasGrown
    if (isReplaced) {
      this.#host.close()
      this.#instance = new ImageInstance(this.#image, host)
      this.#link = new KernelLink(this.#exports, this.#image.dispatch)
      this.#changedPages = NO_PAGES
    } else {
      this.revertMemory()
      this.#instance.serveBy(host, this.#host)
    }
    this.#host = host
    return isReplaced ? previous : undefined
  }

  /**
   * Sets only memory and globals back, even if the memory has grown. Memory beyond the image's is zeroed, which is enough if a snapshot is
   * applied next. Writes only the pages that the last capture found if nothing has run since: a hibernated session's slot is renewed ten
   * times as fast.
   */
  revertMemory(): void {
    const pages = this.#changedPages
    this.#changedPages = undefined
    this.#instance.restore(pages)
    this.#changedPages = NO_PAGES
  }

  /** What the memory has that the image's has not, without what is dead. Between calls only (I2). @throws NoRoomError */
  capture(room: PackingRoom = UNLIMITED_ROOM): MemoryCapture {
    const heap = new Uint8Array(this.#exports.memory.buffer)
    const { landmarks, stackPointer } = this.#image
    this.#changedPages = undefined
    wipeDeadMemory(heap, landmarks, stackPointer, this.#image)
    // The image's stack is zero as well: it was wiped in the same way.
    const zero = [pageAfter(landmarks.stackLow), pageBefore(stackPointer)] as const
    const captured = captureMemory(heap, this.#image, zero, room)
    this.#changedPages = captured.pages
    return captured
  }

  /** Makes room for a delta, before anything is given up for it. False if there is none. */
  reserve(memoryBytes: number): boolean {
    return this.#host.reserve(memoryBytes)
  }

  /**
   * Makes the memory what it was when the delta was taken. It is the image's now: this interpreter has just been booted, or
   * reverted. The delta has been checked (N2); the host's part is the caller's.
   *
   * @throws RangeError, with nothing done, if the memory cannot grow as far: `reserve` tells beforehand
   */
  apply(delta: MemoryDelta): void {
    const { memory, __stack_pointer: stackPointer } = this.#exports
    if (!this.reserve(delta.memoryBytes)) throw new RangeError(`no memory of ${delta.memoryBytes} bytes`)
    this.#changedPages = undefined
    applyMemory(new Uint8Array(memory.buffer), this.#image, delta)
    stackPointer.value = this.#image.stackPointer
  }
}

const NO_PAGES = new Uint32Array(0)

function pageBefore(address: number): number {
  return address - (address % DELTA_PAGE_BYTES)
}

function pageAfter(address: number): number {
  return pageBefore(address + DELTA_PAGE_BYTES - 1)
}
