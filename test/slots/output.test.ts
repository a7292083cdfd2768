// What becomes of an execution's bytes in the slot: one text, or the bytes themselves where that is sooner.
import { expect, test } from 'vitest'
import { Output } from '../../workers/slot/output.js'

const QUIET = { stdout: false, stderr: false }
const bytes = (text: string) => new TextEncoder().encode(text)

function open(live = QUIET) {
  const sent: string[] = []
  const output = new Output((_, text) => sent.push(text))
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
