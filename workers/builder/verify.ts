// Proves that a recorded image works before it is used: boots it as a slot does, on the real host, and runs code. Owns that code; a wrong
// result is an error, and the image is dropped.
import type { ImageContents } from '../../src/shared/image/format.js'
import { loadImage } from '../../src/shared/image/load.js'
import { Host } from '../host/host.js'
import { InterruptCell } from '../host/interrupt.js'
import { readable } from '../image-bytes.js'
import type { InterpreterExports } from '../interpreter/exports.js'
import { Interpreter } from '../interpreter/interpreter.js'
import { Opcode } from '../interpreter/link.js'

/** Uses the trampoline, the standard library's file, the zone data and the host's clock. */
const QUESTION = `
import colorsys, datetime, time, zoneinfo
assert sorted(['b', 'a'], key=str.upper) == ['a', 'b'] and time.time() > 0
assert datetime.datetime(2040, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).tzname() == 'CEST'
colorsys.rgb_to_hsv(0, 0, 0)
'it ' + 'works'
`

export async function verifyImage(contents: ImageContents): Promise<void> {
  const image = readable(await loadImage('', contents))
  let output = ''
  const host = new Host({
    files: image.files,
    bytes: image.bytes,
    native: image.native,
    cwd: image.cwd,
    interrupt: new InterruptCell(),
    onOutput: (_, from, start, end) => {
      output += Buffer.from(from.subarray(start, end)).toString('latin1')
    },
  })
  const fresh = new WebAssembly.Instance(image.module, host.imports(image.module))
    .exports as unknown as InterpreterExports
  // Memory outside the runs is zero only if instantiation writes nothing.
  if (new Uint8Array(fresh.memory.buffer).some((byte) => byte !== 0))
    throw new Error('the core module writes memory')
  if (fresh.__indirect_function_table.length !== image.tableLength)
    throw new Error('the core module has another table')
  const interpreter = Interpreter.boot(image, host)
  const reply = interpreter.call(
    Opcode.execute,
    Uint8Array.of(1, 0, 0, 0, 0),
    new TextEncoder().encode(QUESTION),
  )
  const text = Buffer.from(reply.kind === 'done' ? reply.payload : reply.kind).toString('latin1')
  if (reply.kind !== 'done' || !text.includes('it works')) {
    throw new Error(`the new image failed its test: ${reply.kind} ${text} ${output}`)
  }
}
