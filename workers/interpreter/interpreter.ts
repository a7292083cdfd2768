// One interpreter made from an image: instantiated, filled, called, reverted. Owns the WebAssembly instance and its
// memory; files, clocks and the rest of what it imports are the host's, and what the bytes it exchanges mean is not its
// business.
import type { Host } from '../host/host.js'
import type { CopyImageBytes, ReadableImage } from '../image-bytes.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import { Clearing } from './clear.js'
import { wipeDeadMemory } from './dead-memory.js'
import { INTERPRETER_EXPORTS, type InterpreterExports } from './exports.js'
import { areInternedStringsFull, tidyInternedStrings } from './interned-strings.js'
import { KernelFault, KernelLink, type KernelReply } from './link.js'
import {
  applyMemory,
  captureMemory,
  DELTA_PAGE_BYTES,
  type MemoryCapture,
  type MemoryDelta,
} from './memory-delta.js'

const PAGE_BYTES = 65_536

export class Interpreter {
  readonly #image: ReadableImage
  readonly #host: Host
  readonly #exports: InterpreterExports
  readonly #copyImage: CopyImageBytes
  readonly #link: KernelLink

  private constructor(
    image: ReadableImage,
    host: Host,
    exports: InterpreterExports,
    copyImage: CopyImageBytes,
  ) {
    this.#image = image
    this.#host = host
    this.#exports = exports
    this.#copyImage = copyImage
    this.#link = new KernelLink(exports, image.dispatch)
  }

  /** Instance, memory, one table entry, stack pointer: no code of the module runs (DESIGN.md 4, "Slot boot"). */
  static boot(image: ReadableImage, host: Host): Interpreter {
    const trampoline: { call?: TrampolineCall } = {}
    const imports = host.imports(image.module)
    // Reached only when a guest clears the pointer to the table entry below; the same function serves both.
    Object.assign(imports.env ?? {}, {
      _PyEM_TrampolineCall_JS: (f: number, self: number, args: number, kwargs: number) => {
        if (trampoline.call === undefined) throw new KernelFault('a call before the interpreter was booted')
        return trampoline.call(f, self, args, kwargs)
      },
    })
    const instance = new WebAssembly.Instance(image.module, imports)
    const exports = interpreterExports(instance)
    const { memory, __indirect_function_table: table } = exports
    const missingBytes = image.memoryBytes - memory.buffer.byteLength
    if (missingBytes > 0) memory.grow(missingBytes / PAGE_BYTES)
    const copyImage = image.bytes.into(memory)
    copyRuns(image.runs, copyImage)
    const helper = new WebAssembly.Instance(image.trampolineModule, {
      env: { __indirect_function_table: table, memory },
    }).exports
    trampoline.call = helper.call as TrampolineCall
    table.grow(image.tableLength + 1 - table.length)
    table.set(image.tableLength, helper.trampoline)
    exports.__stack_pointer.value = image.stackPointer
    host.bind(exports, image.stackProbeModule)
    return new Interpreter(image, host, exports, copyImage)
  }

  /**
   * Sends the kernel a request. The stack is empty before and after (I2).
   *
   * @throws whatever ended the interpreter: it must not be called again after that
   */
  call(opcode: number, ...parts: readonly Uint8Array[]): KernelReply {
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
   * Makes the interpreter the image again, byte for byte (I1): memory, stack pointer, and the host's files and
   * descriptors. False, with nothing done, when its memory has grown: WebAssembly memory cannot shrink, and a fresh slot
   * is the cheaper way back.
   */
  revert(): boolean {
    if (this.#exports.memory.buffer.byteLength !== this.#image.memoryBytes) return false
    this.revertMemory()
    this.#host.reset()
    return true
  }

  /**
   * Only the memory and the stack pointer, whatever size it has: what is beyond the image's is zero then, which serves as well
   * where a snapshot is applied next.
   */
  revertMemory(): void {
    const { memory, __stack_pointer: stackPointer } = this.#exports
    const heap = new Uint8Array(memory.buffer)
    const { runs } = this.#image
    copyRuns(runs, this.#copyImage)
    const gaps = new Clearing(heap)
    let from = 0
    for (let i = 0; i < runs.length; i += 2) {
      const offset = runs[i] ?? 0
      gaps.clear(from, offset)
      from = offset + (runs[i + 1] ?? 0)
    }
    gaps.clear(from, heap.length)
    stackPointer.value = this.#image.stackPointer
  }

  /** What the memory has that the image's has not, without what is dead. Between calls only (I2). @throws NoRoomError */
  capture(room: PackingRoom = UNLIMITED_ROOM): MemoryCapture {
    const heap = new Uint8Array(this.#exports.memory.buffer)
    const { landmarks, stackPointer } = this.#image
    wipeDeadMemory(heap, landmarks, stackPointer, this.#image)
    // The image's stack is zero as well: it was wiped in the same way.
    const zero = [pageAfter(landmarks.stackLow), pageBefore(stackPointer)] as const
    return captureMemory(heap, this.#image, zero, room)
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
    applyMemory(new Uint8Array(memory.buffer), this.#image, delta)
    stackPointer.value = this.#image.stackPointer
  }
}

type TrampolineCall = (f: number, self: number, args: number, kwargs: number) => number

function interpreterExports(instance: WebAssembly.Instance): InterpreterExports {
  for (const name of INTERPRETER_EXPORTS) {
    if (instance.exports[name] === undefined) throw new Error(`the image's module does not export ${name}`)
  }
  return instance.exports as unknown as InterpreterExports
}

function pageBefore(address: number): number {
  return address - (address % DELTA_PAGE_BYTES)
}

function pageAfter(address: number): number {
  return pageBefore(address + DELTA_PAGE_BYTES - 1)
}

function copyRuns(runs: Uint32Array, copyImage: CopyImageBytes): void {
  let source = 0
  for (let i = 0; i < runs.length; i += 2) {
    const length = runs[i + 1] ?? 0
    copyImage(source, runs[i] ?? 0, length)
    source += length
  }
}
