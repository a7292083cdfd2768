// C3, C5: describing a session in an interpreter of the image, with bounded memory, and counting the pages it writes to.
import { beforeAll, expect, inject, test } from 'vitest'
import type { Image } from '../../src/shared/image/image.js'
import type { KernelReply } from '../../workers/interpreter/link.js'
import { Opcode, openImage } from '../image/built.js'
import { ImageSession } from './image-session.js'

let image: Image
beforeAll(async () => {
  image = await openImage({ cacheDir: inject('cacheDir') })
})

const MIB = 1024 * 1024
const PAGE_BYTES = 4096

function describe(session: ImageSession): KernelReply {
  const bound = Buffer.alloc(4)
  bound.writeUInt32LE(MIB)
  return session.interpreter.call(Opcode.describe, bound)
}

test('C3: describing fails with MemoryError if memory is short, and works again once there is some', () => {
  const session = new ImageSession(image, 64 * MIB)
  session.start('hoard, x, text = None, 1, "t" * 100_000')
  session.start(`
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
  const failed = describe(session)
  expect(failed.kind).toBe('done')
  expect(Buffer.from(failed.kind === 'done' ? failed.payload : []).toString('latin1')).toContain(
    'MemoryError',
  )
  session.start('while hoard: hoard = hoard[0]')
  const described = describe(session)
  expect(described.kind).toBe('described')
  expect(Buffer.from(described.kind === 'described' ? described.values : []).toString('latin1')).toContain(
    'x',
  )
})

test('C5: describing repeatedly does not grow memory', () => {
  const session = new ImageSession(image)
  session.start('values = [{"name": str(i), "at": i * 1.5} for i in range(2000)]\nclass C: pass\nc = C()')
  describe(session)
  const before = session.memory.slice()
  for (let i = 0; i < 50; i++) expect(describe(session).kind).toBe('described')
  expect(session.memory.length).toBe(before.length)
})

test('C5: describing a small session writes to fewer than 80 pages of its memory', () => {
  const session = new ImageSession(image)
  session.start('a, b, c = 1, "two", [3.0, None]\ndef f(): return a\nclass C: pass')
  const before = session.memory.slice()
  describe(session)
  const after = session.memory
  let pages = 0
  for (let at = 0; at < before.length; at += PAGE_BYTES) {
    if (Buffer.compare(before.subarray(at, at + PAGE_BYTES), after.subarray(at, at + PAGE_BYTES)) !== 0)
      pages++
  }
  expect(pages).toBeLessThan(80)
})
