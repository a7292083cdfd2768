// The encoder of a snapshot's head, against an independent one.
import { Packr, Unpackr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { type Packable, pack } from '../../src/shared/snapshot/pack.js'

const packr = new Packr({ useRecords: false, moreTypes: false })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })
const text = (length: number) => 'é'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2)
const LENGTHS = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000]

describe('pack', () => {
  test('writes numbers in the shortest form', () => {
    const powers = [7, 8, 16, 31, 32, 52].flatMap((bits) => [2 ** bits - 1, 2 ** bits])
    for (const value of [0, 1, ...powers, 0.5, -0.5, 1e300, -1e9 - 0.5, Date.UTC(2026, 0, 1)])
      expect(Buffer.from(pack(value)).toString('hex'), String(value)).toBe(packr.pack(value).toString('hex'))
    for (const value of [-1, -0, Number.NaN, Number.POSITIVE_INFINITY])
      expect(unpackr.unpack(pack(value)), String(value)).toBe(value)
  })

  test.each(LENGTHS)('writes text, bytes, lists and maps of length %d', (length) => {
    const list: Packable = new Array(length).fill(5)
    const map: Packable = Object.fromEntries(
      Array.from({ length: length % 65_000 }, (_, i) => [`key ${i}`, i]),
    )
    for (const value of [text(length), new Uint8Array(length).fill(7), list, map]) {
      const packed = pack(value)
      const back = unpackr.unpack(packed)
      if (value instanceof Uint8Array) expect(Buffer.from(back).equals(value)).toBe(true)
      else expect(JSON.stringify(back)).toBe(JSON.stringify(value))
      expect(packed.length).toBeLessThanOrEqual(packr.pack(value).length)
    }
  })

  test('writes U+FFFD for a lone surrogate, and returns bytes of their own', () => {
    const packed = pack({ text: 'a\ud800b' })
    expect(unpackr.unpack(packed)).toEqual({ text: 'a\ufffdb' })
    expect(packed.buffer.byteLength).toBe(packed.length)
  })
})
