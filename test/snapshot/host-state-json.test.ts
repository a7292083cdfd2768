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
  ])('%s has %d commas and brackets outside strings', (json, values) => {
    expect(valuesIn(Buffer.from(json), 100)).toBe(values)
  })

  test('of a few million lists is rejected before they are created', () => {
    const json = Buffer.from(`[${'[],'.repeat(2 ** 21)}[]]`)
    expect(() => readHostState(json)).toThrow('its host state has more than 4194304 values')
    expect(() => writeHostState({ names: new Array(2 ** 22 + 1).fill(0) })).toThrow(RangeError)
  })

  test('beyond the size limit is rejected before it is decoded', () => {
    expect(() => readHostState(new Uint8Array(2 ** 26 + 1))).toThrow('67108865 bytes')
  })

  test('with many commas inside names is read', () => {
    const state = { names: new Array(30_000).fill(','.repeat(255)) }
    expect(readHostState(Buffer.concat(writeHostState(state)))).toEqual(state)
  })

  test('with many nodes is written in pieces that read back as one', () => {
    const state = { version: 1, nodes: Array.from({ length: 1000 }, (_, id) => [id, `name "${id}"`]) }
    const parts = writeHostState(state)
    expect(parts.length).toBeGreaterThan(2)
    expect(readHostState(Buffer.concat(parts))).toEqual(state)
  })
})
