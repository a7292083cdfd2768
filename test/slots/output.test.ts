// What becomes of an execution's bytes in the slot, and what is left in shared memory of those that were not sent.
import { expect, test } from 'vitest'
import { OUTPUT_BUFFER_BYTES, SharedOutput } from '../../src/shared/messages/output.js'
import { Output } from '../../workers/slot/output.js'

const MODE = { stdout: false, stderr: false, isSent: true }
const bytes = (text: string) => new TextEncoder().encode(text)

function open(mode = MODE) {
  const sent: string[] = []
  const shared = new SharedOutput()
  const output = new Output((_, text) => sent.push(text), shared)
  output.begin(1, mode)
  const write = (text: string) => {
    const all = bytes(`_${text}_`)
    output.write(1, all, 1, all.length - 1)
  }
  /** What the main thread finds when the worker has ended. */
  const rest = () => Buffer.from(new SharedOutput(shared.memory).rest(1, 1, sent.length)).toString()
  return { output, sent, write, rest }
}

test('a small output comes at the end', () => {
  const { output, write, sent } = open()
  write('a')
  write('é'.repeat(200))
  expect(output.end()).toEqual({ stdout: `a${'é'.repeat(200)}`, stderr: '' })
  expect(output.end()).toEqual({ stdout: '', stderr: '' })
  expect(sent).toEqual([])
})

test.each(['x', 'é', '\u{10ffff}', '\uffff'])(
  'of a large output with %j only the rest comes at the end',
  (character) => {
    const { output, write, sent, rest } = open()
    let all = ''
    for (let n = 0; n < 2000; n++) {
      write('x'.repeat(100) + character)
      all += 'x'.repeat(100) + character
    }
    const unsent = rest()
    expect(unsent.length).toBeLessThan(OUTPUT_BUFFER_BYTES)
    expect(sent.join('') + unsent).toBe(all)
    expect(sent.join('') + output.end().stdout).toBe(all)
    expect(rest()).toBe('')
  },
)

test('a byte sequence that never becomes a character comes as such', () => {
  for (const mode of [MODE, { ...MODE, stdout: true }]) {
    const { output, sent } = open(mode)
    output.write(1, Uint8Array.from([0x61, 0xe2, 0x82]), 0, 3)
    expect(sent.join('') + output.end().stdout + (mode.stdout ? sent.at(-1) : '')).toContain('a\ufffd')
  }
})

test('what nobody listens to is kept as far as the buffer has room', () => {
  const { output, write, sent } = open({ ...MODE, isSent: false })
  write('x'.repeat(200_000))
  expect(output.end().stdout).toBe('x'.repeat(OUTPUT_BUFFER_BYTES))
  expect(sent).toEqual([])
})

test('the rest of another execution, or with chunks on their way, is none', () => {
  const { write, rest } = open()
  write('a')
  expect(rest()).toBe('a')
  const shared = new SharedOutput()
  shared.begin(1)
  shared.setLength(1, 10)
  expect([shared.rest(2, 1, 0).length, shared.rest(1, 1, 1).length, shared.rest(1, 1, 0).length]).toEqual([
    0, 0, 10,
  ])
  shared.setLength(1, 2 ** 30)
  expect(shared.rest(1, 1, 0).length).toBe(OUTPUT_BUFFER_BYTES)
  shared.setLength(1, -5)
  expect(shared.rest(1, 1, 0).length).toBe(0)
})

test('the chunks add up to the whole output, and no character is split', () => {
  const { output, sent } = open({ ...MODE, stdout: true })
  const all = bytes('é'.repeat(100_000))
  for (let at = 0; at < all.length; at += 33_333) output.write(1, all, at, Math.min(at + 33_333, all.length))
  expect(output.end().stdout).toBe('')
  expect(sent.length).toBeGreaterThan(2)
  expect(sent.join('')).toBe('é'.repeat(100_000))
})
