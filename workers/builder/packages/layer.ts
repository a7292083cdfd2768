// What a wheel adds to an image: files, compiled modules and native libraries. Owns making a layer, in an interpreter that is then
// discarded; layer-store.ts stores it on disk.
import type { WheelFile } from '../../../src/shared/messages/builder.js'
import { Host } from '../../host/host.js'
import { InterruptCell } from '../../host/interrupt.js'
import type { ReadableImage } from '../../image-bytes.js'
import { Interpreter } from '../../interpreter/interpreter.js'
import { Opcode } from '../../interpreter/link.js'
import { PackageFailure } from './failure.js'
import { stillRandom } from './still-world.js'
import { FRAME, FRAME_HEAD_BYTES, MAX_WHEEL_BYTES, UNPACK } from './unpack-code.js'

export interface LayerFile {
  /** Relative to site-packages. */
  readonly path: string
  /** Empty for a library. */
  readonly bytes: Uint8Array
}

export interface Layer {
  readonly files: readonly LayerFile[]
  readonly libraries: readonly LayerFile[]
}

/** Enough to unpack the largest wheel. Beyond it, Python raises MemoryError. */
const MEMORY_BYTES = 1024 * 1024 * 1024
const LIMITS = { memoryBytes: MEMORY_BYTES, outputBytes: null, fileBytes: null }
/** Limit for the files of a layer, including compiled modules. */
const MAX_OUTPUT_BYTES = 3 * MAX_WHEEL_BYTES
const WHEEL_VARIABLE = 'wheel'

/**
 * Unpacks a wheel. The result depends only on the wheel's bytes and the image.
 *
 * @throws PackageFailure
 */
export function makeLayer(base: ReadableImage, { name }: WheelFile, wheel: Uint8Array): Layer {
  const frames = new Frames()
  let written = ''
  const host = new Host({
    files: base.files,
    bytes: base.bytes,
    cwd: base.cwd,
    interrupt: new InterruptCell(),
    random: stillRandom(),
    onOutput: (stream, from, start, end) => {
      if (stream === 1) frames.add(Uint8Array.prototype.slice.call(from, start, end))
      else if (written.length < 1000) written += Buffer.from(from.subarray(start, end)).toString('utf8')
    },
  })
  host.configure(LIMITS, 'UTC')
  let outcome = ''
  try {
    const interpreter = Interpreter.boot(base, host)
    interpreter.call(Opcode.set, ...variable(WHEEL_VARIABLE, wheel))
    const reply = interpreter.call(
      Opcode.execute,
      Uint8Array.of(1, 0, 0, 0, 0),
      new TextEncoder().encode(UNPACK),
    )
    outcome = reply.kind === 'done' ? Buffer.from(reply.payload).toString('latin1') : reply.kind
  } catch (cause) {
    throw new PackageFailure(name, 'its wheel cannot be unpacked: it ends the interpreter', { cause })
  }
  const layer = frames.layer
  if (layer === undefined) {
    const reason = frames.refusal ?? `its wheel cannot be unpacked: ${written || outcome.slice(0, 1000)}`
    throw new PackageFailure(name, reason)
  }
  return layer
}

/** The parts of the kernel request that sets a variable to bytes. */
function variable(name: string, bytes: Uint8Array): Uint8Array[] {
  const text = new TextEncoder().encode(name)
  const head = Buffer.alloc(4)
  head.writeUInt32LE(text.length)
  // Marshal bytes of `(bytes, [])`.
  const before = Buffer.alloc(10)
  before.writeUInt8(0x28, 0)
  before.writeUInt32LE(2, 1)
  before.writeUInt8(0x73, 5)
  before.writeUInt32LE(bytes.length, 6)
  return [head, text, before, bytes, Uint8Array.of(0x5b, 0, 0, 0, 0)]
}

/** Parses the output of the unpacking code. A hostile wheel may control it, so lengths are checked. */
class Frames {
  readonly #parts: Uint8Array[] = []
  #bytes = 0

  add(part: Uint8Array): void {
    this.#bytes += part.length
    if (this.#bytes > MAX_OUTPUT_BYTES) throw new Error('the wheel is too large when it is unpacked')
    this.#parts.push(part)
  }

  /** Undefined if the output is incomplete. */
  get layer(): Layer | undefined {
    const files: LayerFile[] = []
    const libraries: LayerFile[] = []
    for (const { kind, path, bytes } of this.#all()) {
      if (kind === FRAME.end) return { files, libraries }
      if (kind === FRAME.file) files.push({ path, bytes })
      else if (kind === FRAME.library) {
        // Importing and dlopen only check that the file exists: the code is in the image's module.
        files.push({ path, bytes: new Uint8Array(0) })
        libraries.push({ path, bytes })
      } else return undefined
    }
    return undefined
  }

  get refusal(): string | undefined {
    for (const { kind, bytes } of this.#all()) {
      if (kind === FRAME.refused) return Buffer.from(bytes).toString('utf8')
    }
    return undefined
  }

  *#all(): Generator<{ kind: number; path: string; bytes: Uint8Array }> {
    const whole = Buffer.concat(this.#parts)
    for (let at = 0; at + FRAME_HEAD_BYTES <= whole.length; ) {
      const pathEnd = at + FRAME_HEAD_BYTES + whole.readUInt32LE(at + 1)
      const end = pathEnd + whole.readUInt32LE(at + 5)
      if (end > whole.length) return
      const path = whole.toString('utf8', at + FRAME_HEAD_BYTES, pathEnd)
      yield { kind: whole.readUInt8(at), path, bytes: whole.subarray(pathEnd, end) }
      at = end
    }
  }
}
