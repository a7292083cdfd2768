// One interpreter made from an image: instantiated, filled, called, reverted. Owns the WebAssembly instance and its
// memory; files, clocks and the rest of what it imports are the host's, and what the bytes it exchanges mean is not its
// business.
import type { Image } from '../../src/image/image.js'
import type { Host } from '../host/host.js'
import { INTERPRETER_EXPORTS, type InterpreterExports } from './exports.js'
import { KernelFault, KernelLink, type KernelReply } from './link.js'

const PAGE_BYTES = 65_536
/** Block that `revert` looks at between the runs; untouched memory is only read, so that it stays unmapped. */
const BLOCK_BYTES = 65_536

export class Interpreter {
  readonly #image: Image
  readonly #host: Host
  readonly #exports: InterpreterExports
  readonly #link: KernelLink

  private constructor(image: Image, host: Host, exports: InterpreterExports) {
    this.#image = image
    this.#host = host
    this.#exports = exports
    this.#link = new KernelLink(exports, image.dispatch)
  }

  /** Instance, memory, one table entry, stack pointer: no code of the module runs (DESIGN.md 4, "Slot boot"). */
  static boot(image: Image, host: Host): Interpreter {
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
    fill(memory, image)
    const helper = new WebAssembly.Instance(image.trampolineModule, {
      env: { __indirect_function_table: table, memory },
    }).exports
    trampoline.call = helper.call as TrampolineCall
    table.grow(image.tableLength + 1 - table.length)
    table.set(image.tableLength, helper.trampoline)
    exports.__stack_pointer.value = image.stackPointer
    host.bind(exports)
    return new Interpreter(image, host, exports)
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
    return reply
  }

  /**
   * Makes the interpreter the image again, byte for byte (I1): memory, stack pointer, and the host's files and
   * descriptors. False, with nothing done, when its memory has grown: WebAssembly memory cannot shrink, and a fresh slot
   * is the cheaper way back.
   */
  revert(): boolean {
    const { memory, __stack_pointer: stackPointer } = this.#exports
    if (memory.buffer.byteLength !== this.#image.memoryBytes) return false
    const heap = new Uint8Array(memory.buffer)
    const { runs, runBytes } = this.#image
    const zeros = new Uint8Array(BLOCK_BYTES)
    let from = 0
    let source = 0
    for (let i = 0; i < runs.length; i += 2) {
      const offset = runs[i] ?? 0
      const length = runs[i + 1] ?? 0
      clear(heap, zeros, from, offset)
      heap.set(runBytes.subarray(source, source + length), offset)
      source += length
      from = offset + length
    }
    clear(heap, zeros, from, heap.length)
    stackPointer.value = this.#image.stackPointer
    this.#host.reset()
    return true
  }
}

type TrampolineCall = (f: number, self: number, args: number, kwargs: number) => number

function interpreterExports(instance: WebAssembly.Instance): InterpreterExports {
  for (const name of INTERPRETER_EXPORTS) {
    if (instance.exports[name] === undefined) throw new Error(`the image's module does not export ${name}`)
  }
  return instance.exports as unknown as InterpreterExports
}

function fill(memory: WebAssembly.Memory, image: Image): void {
  const heap = new Uint8Array(memory.buffer)
  let source = 0
  for (let i = 0; i < image.runs.length; i += 2) {
    const length = image.runs[i + 1] ?? 0
    heap.set(image.runBytes.subarray(source, source + length), image.runs[i] ?? 0)
    source += length
  }
}

function clear(heap: Uint8Array, zeros: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += zeros.length) {
    const end = Math.min(at + zeros.length, to)
    if (Buffer.compare(heap.subarray(at, end), zeros.subarray(0, end - at)) !== 0) heap.fill(0, at, end)
  }
}
