// C3, C5: describing in an interpreter of the image, where memory is bounded and pages are counted.
import { beforeAll, expect, inject, test } from 'vitest'
import type { Image } from '../../src/image/image.js'
import { Host, Interpreter, InterruptCell, Opcode, openImage } from '../image/built.js'

let image: Image
beforeAll(async () => {
  image = await openImage({ cacheDir: inject('cacheDir') })
})

const MIB = 1024 * 1024
const PAGE_BYTES = 4096

class Session {
  readonly host: InstanceType<typeof Host>
  readonly interpreter: ReturnType<typeof Interpreter.boot>
  #memory: WebAssembly.Memory | undefined

  constructor(memoryBytes: number | null = null) {
    this.host = new Host({
      files: image.files,
      fileBytes: image.fileBytes,
      cwd: image.cwd,
      interrupt: new InterruptCell(),
      onOutput: () => {},
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

  run(code: string) {
    return this.interpreter.call(Opcode.execute, Uint8Array.of(1, 0, 0, 0, 0), Buffer.from(code))
  }

  describe() {
    const bound = Buffer.alloc(4)
    bound.writeUInt32LE(MIB)
    return this.interpreter.call(Opcode.describe, bound)
  }
}

test('C3: with memory short a description fails like any request, and works when there is some again', () => {
  const session = new Session(64 * MIB)
  session.run('hoard, x, text = None, 1, "t" * 100_000')
  session.run(`
size = 1 << 24
while size > 256:
    try:
        while True: hoard = (hoard, bytearray(size))
    except MemoryError:
        size >>= 1
try:
    while True: hoard = (hoard,)
except MemoryError:
    pass
`)
  const failed = session.describe()
  expect(failed.kind).toBe('done')
  expect(Buffer.from(failed.kind === 'done' ? failed.payload : []).toString('latin1')).toContain(
    'MemoryError',
  )
  session.run('while hoard: hoard = hoard[0]')
  const described = session.describe()
  expect(described.kind).toBe('described')
  expect(Buffer.from(described.kind === 'described' ? described.values : []).toString('latin1')).toContain(
    'x',
  )
})

test('C5: describing again and again takes no memory', () => {
  const session = new Session()
  session.run('values = [{"name": str(i), "at": i * 1.5} for i in range(2000)]\nclass C: pass\nc = C()')
  session.describe()
  const before = session.memory.slice()
  for (let i = 0; i < 50; i++) expect(session.describe().kind).toBe('described')
  expect(session.memory.length).toBe(before.length)
})

test('C5: describing a small session writes to few pages of its memory', () => {
  const session = new Session()
  session.run('a, b, c = 1, "two", [3.0, None]\ndef f(): return a\nclass C: pass')
  const before = session.memory.slice()
  session.describe()
  const after = session.memory
  let pages = 0
  for (let at = 0; at < before.length; at += PAGE_BYTES) {
    if (Buffer.compare(before.subarray(at, at + PAGE_BYTES), after.subarray(at, at + PAGE_BYTES)) !== 0)
      pages++
  }
  expect(pages).toBeLessThan(80)
})
