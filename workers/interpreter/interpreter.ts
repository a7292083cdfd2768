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
   * which writes to memory, until the next capture or the next return to the image.
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
   * @throws the error that ended the interpreter; it must not be called again after that
   */
  call(opcode: number, ...parts: readonly Uint8Array[]): KernelReply {
    this.#changedPages = undefined
    const reply = this.#link.call(opcode, ...parts)
    if (this.#host.ended) throw this.#host.ended
    const { value } = this.#exports.__stack_pointer
    if (value !== this.#image.stackPointer)
      throw new KernelFault(`the stack pointer is wrong after a call: ${value}`)
    this.#keepInternedStrings()
    return reply
  }

  /** Every execution interns the name of its cell. After some twenty thousand, the table would move, and snapshots would contain it. */
  #keepInternedStrings(): void {
    const { buffer } = this.#exports.memory
    const { internedStrings } = this.#image.landmarks
    if (areInternedStringsFull(buffer, internedStrings))
      tidyInternedStrings(new Uint8Array(buffer), internedStrings, this.#image)
  }

  /**
   * Restores the interpreter to the image, byte for byte (I1), with the same host: memory, globals, and the host's files and
   * descriptors. Does nothing and returns false if memory or a table has grown.
   */
  revert(): boolean {
    if (this.#instance.hasGrown) return false
    this.revertMemory()
    this.#host.reset()
    return true
  }

  /**
   * Restores the interpreter to the image, with another host: code that runs next can observe nothing of what ran before (S1). If memory
   * or a table has grown, creates a new instance, without compiling anything, and returns the old memory, which becomes free when V8 has
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
   * Restores only memory and globals, even if the memory has grown. Zeroes memory beyond the image's, which is enough if a snapshot is
   * applied next. If nothing has run since the last capture, writes only the pages that the capture found: that renews the slot of a
   * hibernated session ten times as fast.
   */
  revertMemory(): void {
    const pages = this.#changedPages
    this.#changedPages = undefined
    this.#instance.restore(pages)
    this.#changedPages = NO_PAGES
  }

  /** Captures the differences between memory and the image's, without dead memory. Only between calls (I2). @throws NoRoomError */
  capture(room: PackingRoom = UNLIMITED_ROOM): MemoryCapture {
    const heap = new Uint8Array(this.#exports.memory.buffer)
    const { landmarks, stackPointer } = this.#image
    this.#changedPages = undefined
    wipeDeadMemory(heap, landmarks, stackPointer, this.#image)
    // The image's stack is zero as well, because it was wiped in the same way.
    const zero = [pageAfter(landmarks.stackLow), pageBefore(stackPointer)] as const
    const captured = captureMemory(heap, this.#image, zero, room)
    this.#changedPages = captured.pages
    return captured
  }

  /** Makes room for a delta, before the current state is discarded for it. Returns false if there is no room. */
  reserve(memoryBytes: number): boolean {
    return this.#host.reserve(memoryBytes)
  }

  /**
   * Restores the memory to what it was when the delta was taken. The memory must be identical to the image's: the interpreter was just
   * booted or reverted. The delta must have been checked (N2). The caller restores the host.
   *
   * @throws RangeError if the memory cannot grow enough, before any change; use `reserve` to find out beforehand
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
