// Loads the image's code from dist/, with types from src/: opening an image starts a compiled worker, which only the build has.
import { fileURLToPath } from 'node:url'
import type { Image } from '../../src/shared/image/image.js'

const load = <T>(path: string): Promise<T> =>
  import(new URL(`../../dist/${path}`, import.meta.url).href) as Promise<T>

export const { openImage } = await load<typeof import('../../src/image/open.js')>('src/image/open.js')
export const { loadImageFile } =
  await load<typeof import('../../src/image/load-file.js')>('src/image/load-file.js')
export const { imageKey } = await load<typeof import('../../src/image/key.js')>('src/image/key.js')
export const { Host } = await load<typeof import('../../workers/host/host.js')>('workers/host/host.js')
export const { InterruptCell } =
  await load<typeof import('../../workers/host/interrupt.js')>('workers/host/interrupt.js')
export const { Interpreter } = await load<typeof import('../../workers/interpreter/interpreter.js')>(
  'workers/interpreter/interpreter.js',
)
export const { Opcode } = await load<typeof import('../../workers/interpreter/link.js')>(
  'workers/interpreter/link.js',
)

export const { readable } =
  await load<typeof import('../../workers/image-bytes.js')>('workers/image-bytes.js')

/** Runs Python in a fresh interpreter of the image, in this thread. @returns what it printed */
export function runPython(shared: Image, code: string): string {
  const image = readable(shared)
  const output: Uint8Array[] = []
  const host = new Host({
    files: image.files,
    bytes: image.bytes,
    native: image.native,
    cwd: image.cwd,
    interrupt: new InterruptCell(),
    onOutput: (_, from, start, end) => output.push(Uint8Array.prototype.slice.call(from, start, end)),
  })
  const interpreter = Interpreter.boot(image, host)
  const reply = interpreter.call(Opcode.execute, Uint8Array.of(1, 0, 0, 0, 0), new TextEncoder().encode(code))
  const printed = Buffer.concat(output).toString()
  const done = reply.kind === 'done' && reply.payload[5] === 'T'.charCodeAt(0)
  if (!done) throw new Error(`${printed}${Buffer.from(reply.kind === 'done' ? reply.payload : reply.kind)}`)
  return printed
}

/** A script that opens the image in a process of its own and prints `OpenReport` as JSON. */
export const OPEN_SCRIPT = fileURLToPath(new URL('open.mjs', import.meta.url))

export interface OpenReport {
  readonly id: string
  readonly progress: readonly string[]
  readonly node: string
}
