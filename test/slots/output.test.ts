// An execution's output in the slot: when it is sent, and how much of the unsent output the main thread finds in shared memory.
import { expect, test } from 'vitest'
import { OUTPUT_BUFFER_BYTES, SharedOutput } from '../../src/shared/messages/output.js'
import { Output } from '../../workers/slot/output.js'

const MODE = { stdout: false, stderr: false, isSent: true }
const bytes = (text: string) => new TextEncoder().encode(text)

function open(mode = MODE) {
  const sent: string[] = []
  const shared = new SharedOutput()
  const output = new Output(({ text }) => void sent.push(text), shared)
  output.begin(1, mode)
  const write = (text: string) => {
    const all = bytes(`_${text}_`)
    output.write(1, all, 1, all.length - 1)
  }
  /** The unsent output that the main thread reads after the worker has ended. */
  const rest = () => Buffer.from(new SharedOutput(shared.memory).rest(1, 1, sent.length)).toString()
  return { output, sent, write, rest }
}

test('small output is returned at the end and not sent before', () => {
  const { output, write, sent } = open()
  write('a')
  write('é'.repeat(200))
  expect(output.end()).toEqual({ stdout: `a${'é'.repeat(200)}`, stderr: '' })
  expect(output.end()).toEqual({ stdout: '', stderr: '' })
  expect(sent).toEqual([])
})

test.each(['x', 'é', '\u{10ffff}', '\uffff'])(
  'large output with %j is sent in chunks, and only the rest is returned at the end',
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

test('an incomplete character at the end becomes a replacement character', () => {
  for (const mode of [MODE, { ...MODE, stdout: true }]) {
    const { output, sent } = open(mode)
    output.write(1, Uint8Array.from([0x61, 0xe2, 0x82]), 0, 3)
    const { stdout } = output.end()
    expect(sent.join('') + stdout).toBe('a\ufffd')
  }
})

test('output that nobody listens to is kept up to the size of the buffer', () => {
  const { output, write, sent } = open({ ...MODE, isSent: false })
  write('x'.repeat(200_000))
  expect(output.end().stdout).toBe('x'.repeat(OUTPUT_BUFFER_BYTES))
  expect(sent).toEqual([])
})

test('unsent output is not read for another execution or while chunks are in transit, and never beyond the buffer', () => {
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

test('chunks add up to the whole output, and no character is split', () => {
  const { output, sent } = open({ ...MODE, stdout: true })
  const all = bytes('é'.repeat(100_000))
  for (let at = 0; at < all.length; at += 33_333) output.write(1, all, at, Math.min(at + 33_333, all.length))
  expect(output.end().stdout).toBe('')
  expect(sent.length).toBeGreaterThan(2)
  expect(sent.join('')).toBe('é'.repeat(100_000))
})

/** Records what a listener of both streams receives: stream and text of each part. */
function openBoth() {
  const sent: (readonly (readonly [number, string])[])[] = []
  const output = new Output(({ stream, text, lengths = [text.length] }) => {
    let at = 0
    sent.push(
      Array.from(lengths, (length, i) => {
        at += length
        return [i % 2 === 0 ? stream : 3 - stream, text.slice(at - length, at)] as const
      }),
    )
  })
  output.begin(1, { stdout: true, stderr: true, isSent: true })
  const write = (stream: 1 | 2, ...texts: string[]) => {
    for (const text of texts) output.write(stream, bytes(text), 0, bytes(text).length)
  }
  return { output, sent, write }
}

test('a chunk waits for the end of its line, and later chunks keep the order of both streams', () => {
  const { output, sent, write } = openBoth()
  write(1, 'out 0')
  expect(sent).toEqual([])
  write(1, '\n')
  expect(sent).toEqual([[[1, 'out 0\n']]])
  write(2, 'err 0', '\n')
  write(1, 'out 1', '\n')
  write(2, 'err ')
  output.flush()
  expect(sent.slice(1)).toEqual([
    [
      [2, 'err 0\n'],
      [1, 'out 1\n'],
      [2, 'err '],
    ],
  ])
  write(2, '1\n')
  output.end()
  expect(sent.slice(2)).toEqual([[[2, '1\n']]])
})

test('a large chunk is cut at a line end, a long line anywhere, but a character never, even between writes to the other stream', () => {
  const { output, sent, write } = openBoth()
  const line = `${'x'.repeat(99)}\n`
  write(1, `first\n`)
  for (let n = 0; n < 700; n++) write(1, line.slice(0, 60), line.slice(60))
  for (const [[, text] = [0, '']] of sent) expect(text).toMatch(/\n$/)
  expect(sent.length).toBeGreaterThan(1)
  write(1, 'y'.repeat(70_000))
  output.flush()
  const [euro, after] = [bytes('€'), sent.length]
  output.write(1, euro, 0, 2)
  write(2, 'err')
  output.write(1, euro, 2, 3)
  output.flush()
  expect(sent.slice(after).flat()).toEqual([
    [2, 'err'],
    [1, '€'],
  ])
  expect(output.end()).toEqual({ stdout: '', stderr: '' })
})
