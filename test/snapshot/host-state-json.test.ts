// N2: a few bytes of a snapshot's host state must not become gigabytes of objects in a slot's thread.
import { describe, expect, test } from 'vitest'
import { hasMoreValues, readHostState, writeHostState } from '../../workers/snapshot/host-state-json.js'

const count = (json: string) => {
  const bytes = Buffer.from(json)
  let most = 0
  while (hasMoreValues(bytes, most)) most++
  return most
}

describe('host state', () => {
  test.each([
    ['[1,2,3]', 3],
    ['[[],[],[[]]]', 7],
    ['{"a":1,"b":[2,3]}', 4],
    ['["a,b[{","\\",,,","\\\\",[]]', 5],
    ['["unterminated,,,,', 1],
  ])('%s has %d commas and brackets outside texts', (json, values) => {
    expect(count(json)).toBe(values)
  })

  test('of a few million lists is refused before they are made', () => {
    const json = Buffer.from(`[${'[],'.repeat(2 ** 21)}[]]`)
    expect(() => readHostState(json)).toThrow('its host state has more than 4194304 values')
    expect(() => writeHostState(new Array(2 ** 22 + 1).fill(0))).toThrow(RangeError)
  })

  test('larger than any is refused before it is decoded', () => {
    expect(() => readHostState(new Uint8Array(2 ** 26 + 1))).toThrow('67108865 bytes')
  })

  test('of ever so many names with commas is read', () => {
    const state = { names: new Array(30_000).fill(','.repeat(255)) }
    expect(readHostState(writeHostState(state))).toEqual(state)
  })
})
