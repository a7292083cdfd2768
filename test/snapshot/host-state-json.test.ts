// N2: a few bytes of a snapshot's host state must not become gigabytes of objects in a slot's thread.
import { describe, expect, test } from 'vitest'
import { readHostState, valuesIn, writeHostState } from '../../workers/snapshot/host-state-json.js'

describe('host state', () => {
  test.each([
    ['[1,2,3]', 3],
    ['[[],[],[[]]]', 7],
    ['{"a":1,"b":[2,3]}', 4],
    ['["a,b[{","\\",,,","\\\\",[]]', 5],
    ['["unterminated,,,,', 1],
  ])('%s has %d commas and brackets outside texts', (json, values) => {
    expect(valuesIn(Buffer.from(json), 100)).toBe(values)
  })

  test('of a few million lists is refused before they are made', () => {
    const json = Buffer.from(`[${'[],'.repeat(2 ** 21)}[]]`)
    expect(() => readHostState(json)).toThrow('its host state has more than 4194304 values')
    expect(() => writeHostState({ names: new Array(2 ** 22 + 1).fill(0) })).toThrow(RangeError)
  })

  test('larger than any is refused before it is decoded', () => {
    expect(() => readHostState(new Uint8Array(2 ** 26 + 1))).toThrow('67108865 bytes')
  })

  test('of ever so many names with commas is read', () => {
    const state = { names: new Array(30_000).fill(','.repeat(255)) }
    expect(readHostState(Buffer.concat(writeHostState(state)))).toEqual(state)
  })

  test('of many nodes is written in pieces that are read as one', () => {
    const state = { version: 1, nodes: Array.from({ length: 1000 }, (_, id) => [id, `name "${id}"`]) }
    const parts = writeHostState(state)
    expect(parts.length).toBeGreaterThan(2)
    expect(readHostState(Buffer.concat(parts))).toEqual(state)
  })
})
