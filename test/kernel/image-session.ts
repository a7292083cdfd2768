// Drives an interpreter of the image in the test's own thread, request by request, with a door that a function answers at once.
// Owns the requests; asserts nothing.
import type { Image } from '../../src/shared/image/image.js'
import type { Decoded } from '../../src/shared/values/decode.js'
import { decode } from '../../src/shared/values/document.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import type { KernelReply } from '../../workers/interpreter/link.js'
import { Host, Interpreter, InterruptCell, Opcode, readable } from '../image/built.js'
import { TestDoor } from '../support/test-door.js'

export interface Call {
  readonly id: number
  readonly name: string
  readonly args: Record<string, unknown>
}

/** Marshal bytes of `(value, fixups)`; a fixup is [path, kind, payload]. */
export function answerBytes(
  id: number,
  ok: boolean,
  value: unknown,
  fixups: readonly unknown[] = [],
): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(id)
  head[4] = ok ? 1 : 0
  return Buffer.concat([head, encodePlain([value, fixups], 'answer')])
}

export function readCall(tree: Decoded): Call {
  const [id, name, args] = tree as [number, string, Record<string, unknown>]
  return { id, name, args }
}

export class ImageSession {
  readonly door = new TestDoor()
  readonly host: InstanceType<typeof Host>
  readonly interpreter: ReturnType<typeof Interpreter.boot>
  readonly interrupt = new SharedArrayBuffer(4)
  #memory: WebAssembly.Memory | undefined
  #output = ''
  #count = 0

  constructor(shared: Image, memoryBytes: number | null = null) {
    const image = readable(shared)
    this.host = new Host({
      files: image.files,
      bytes: image.bytes,
      native: image.native,
      cwd: image.cwd,
      interrupt: new InterruptCell(this.interrupt),
      onOutput: (_, from, start, end) => {
        this.#output += Buffer.from(from.subarray(start, end)).toString()
      },
      door: this.door,
    })
    const bind = this.host.bind.bind(this.host)
    this.host.bind = (exports) => {
      this.#memory = exports.memory
      bind(exports)
    }
    this.interpreter = Interpreter.boot(image, this.host)
    this.host.configure({ memoryBytes, outputBytes: null, fileBytes: null }, 'UTC')
  }

  get memory(): Uint8Array {
    return new Uint8Array(this.#memory?.buffer ?? new ArrayBuffer(0))
  }

  /** Returns the output written since the last call. */
  output(): string {
    const text = this.#output
    this.#output = ''
    return text
  }

  callbacks(descriptions: readonly object[]): void {
    this.interpreter.call(Opcode.callbacks, encodePlain(descriptions, 'callbacks'))
  }

  /** Starts code. The reply may say that it waits. */
  start(code: string): KernelReply {
    const head = Buffer.alloc(5)
    head.writeUInt32LE(++this.#count)
    this.host.beginExecution(this.#count)
    return this.interpreter.call(Opcode.execute, head, Buffer.from(code))
  }

  /** Runs code to its end. @throws Error with its traceback */
  value(code: string): unknown {
    let reply = this.start(code)
    // On a slow machine the interpreter also returns while something is ready to run.
    while (reply.kind === 'waiting' && reply.delayMs === 0) reply = this.interpreter.call(Opcode.step)
    return this.outcome(reply)
  }

  outcome(reply: KernelReply): unknown {
    if (reply.kind !== 'done') throw new Error(`the execution is ${reply.kind}`)
    const [ok, ...rest] = decode(reply.payload).tree as Decoded[]
    if (ok !== true) throw new Error(String(rest[2]))
    return rest[1]
  }

  /** Requests an interrupt of the running execution, as the main thread does. */
  interruptNow(): void {
    Atomics.store(new Int32Array(this.interrupt), 0, this.#count)
  }
}
