// R3: how much of a worker's error text the main thread keeps.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { messageOf } from '../../src/shared/thrown.js'
import { printable } from '../../src/slots/guard.js'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const MESSAGE_BYTES = 2 ** 22
const COUNT = 4

/** An error as it arrives from another thread: its message is a single block of memory. */
const receivedError = () => structuredClone(new Error('x'.repeat(MESSAGE_BYTES)))

function heldBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test.each<[string, (error: Error) => unknown]>([
  ['its message', (error) => messageOf(error, '')],
  ['a reason made of it', (error) => printable(error.message)],
])('%s of a long error keeps only as much memory as it shows', (_, keep) => {
  const before = heldBytes()
  const kept = Array.from({ length: COUNT }, () => keep(receivedError()))
  expect(heldBytes() - before).toBeLessThan(MESSAGE_BYTES)
  expect(kept).toHaveLength(COUNT)
})

test('a reason may be cut between any two characters, and stays well-formed text', () => {
  expect(printable(`${'x'.repeat(1999)}\u{1f40d}`)).toBe(`${'x'.repeat(1999)}\ufffd`)
  expect(messageOf(new Error('a\ud800'), '')).toBe('a\ud800')
})
