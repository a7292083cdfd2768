// Interpreters of the build's image in this thread, for tests of their memory. Owns running code in them and access to their memory.
import type { Image } from '../../src/shared/image/image.js'
import type { Interpreter as BuiltInterpreter } from '../../workers/interpreter/interpreter.js'

/** The built modules, because the image belongs to the build. */
const load = <T>(path: string): Promise<T> =>
  import(new URL(`../../dist/workers/${path}`, import.meta.url).href) as Promise<T>
const { Host } = await load<typeof import('../../workers/host/host.js')>('host/host.js')
const { InterruptCell } = await load<typeof import('../../workers/host/interrupt.js')>('host/interrupt.js')
const { readable } = await load<typeof import('../../workers/image-bytes.js')>('image-bytes.js')
const { Interpreter } = await load<typeof import('../../workers/interpreter/interpreter.js')>(
  'interpreter/interpreter.js',
)
const { Opcode } = await load<typeof import('../../workers/interpreter/link.js')>('interpreter/link.js')

export class TestInterpreter {
  readonly interpreter: BuiltInterpreter
  readonly #memory: () => ArrayBuffer
  readonly #output: Uint8Array[] = []
  #count = 0

  constructor(shared: Image) {
    const image = readable(shared)
    const host = new Host({
      files: image.files,
      bytes: image.bytes,
      native: image.native,
      cwd: image.cwd,
      interrupt: new InterruptCell(),
      onOutput: (_, from, start, end) => this.#output.push(Uint8Array.prototype.slice.call(from, start, end)),
    })
    let memory: WebAssembly.Memory | undefined
    const bind = host.bind.bind(host)
    host.bind = (exports) => {
      memory = exports.memory
      bind(exports)
    }
    this.interpreter = Interpreter.boot(image, host)
    this.#memory = () => (memory as WebAssembly.Memory).buffer as ArrayBuffer
  }

  /** Growth detaches the buffer: read this again after each run. */
  get heap(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory())
  }

  /** Output of the code; throws with the traceback if the code fails. */
  run(code: string): string {
    const head = Buffer.alloc(5)
    head.writeUInt32LE(++this.#count)
    let reply = this.interpreter.call(Opcode.execute, head, new TextEncoder().encode(code))
    // If something is ready, it only returned because the machine is slow.
    while (reply.kind === 'waiting' && reply.delayMs === 0) reply = this.interpreter.call(Opcode.step)
    const printed = Buffer.concat(this.#output.splice(0)).toString()
    if (reply.kind !== 'done' || reply.payload[5] !== 'T'.charCodeAt(0))
      throw new Error(`${printed}${reply.kind} ${Buffer.from(reply.kind === 'done' ? reply.payload : [])}`)
    return printed
  }
}
