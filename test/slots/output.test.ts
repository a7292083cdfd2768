// What becomes of an execution's bytes in the slot: one text, or the bytes themselves where that is sooner; and chunks for listeners.
import { expect, test } from 'vitest'
import { Output } from '../../workers/slot/output.js'

const QUIET = { stdout: false, stderr: false }
const bytes = (text: string) => new TextEncoder().encode(text)

function open(live = QUIET) {
  const sent: string[] = []
  const output = new Output(({ text }) => void sent.push(text))
  output.begin(live)
  const write = (text: string) => {
    const all = bytes(`_${text}_`)
    output.write(1, all, 1, all.length - 1)
  }
  return { output, sent, write }
}

test('a small output is text', () => {
  const { output, write } = open()
  write('a')
  write('é'.repeat(200))
  expect(output.end()).toEqual({ stdout: `a${'é'.repeat(200)}`, stderr: '' })
  expect(output.end()).toEqual({ stdout: '', stderr: '' })
})

test('a large ASCII output is returned as bytes, in a buffer that is not used again', () => {
  const { output, write } = open()
  for (let n = 0; n < 2000; n++) write(`line ${n}\n`)
  const { stdout } = output.end()
  if (typeof stdout === 'string') throw new Error('expected bytes')
  const before = Buffer.from(stdout)
  expect(before.toString()).toBe(Array.from({ length: 2000 }, (_, n) => `line ${n}\n`).join(''))
  output.begin(QUIET)
  write('x'.repeat(1000))
  expect(before.equals(stdout)).toBe(true)
})

test.each(['é', '\u{10ffff}', '\uffff'])('a large output with %j is text', (character) => {
  const { output, write } = open()
  for (let n = 0; n < 300; n++) write('x'.repeat(100))
  write(character)
  expect(output.end().stdout).toBe('x'.repeat(30_000) + character)
})

test('the chunks add up to the whole output, and no character is split', () => {
  const { output, sent } = open({ stdout: true, stderr: false })
  const all = bytes('é'.repeat(100_000))
  for (let at = 0; at < all.length; at += 33_333) output.write(1, all, at, Math.min(at + 33_333, all.length))
  expect(output.end().stdout).toBe('é'.repeat(100_000))
  expect(sent.length).toBeGreaterThan(2)
  expect(sent.join('')).toBe('é'.repeat(100_000))
})

/** What a listener of both streams hears: stream and text of each part. */
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
  output.begin({ stdout: true, stderr: true })
  const write = (stream: 1 | 2, ...texts: string[]) => {
    for (const text of texts) output.write(stream, bytes(text), 0, bytes(text).length)
  }
  return { output, sent, write }
}

test('a chunk waits for the end of its line, and what comes later keeps the order of both streams', () => {
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

test('a large chunk is cut at a line, a long line anywhere, and a character between the streams in neither', () => {
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
  expect(output.end().stdout).toContain('y€')
})
