// Values as JSON: every form survives a round trip, and hostile input is rejected.
import { NdArray } from 'brumate'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromJson, JsonValueError, toJson } from '../../src/shared/values/json.js'

const there = (value: unknown) => fromJson(JSON.parse(JSON.stringify(toJson(value))))

test('every form of a value survives a round trip', () => {
  for (const value of [
    ...[null, true, 1, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -(2n ** 70n), 0n, '', 'ü\0\ud800'],
    ...[new Uint8Array([1, 2]), new Uint8Array(), Float32Array.of(1.5), BigInt64Array.of(-1n)],
    ...[new Date(0), [1, [2]], new Set(['a', null]), new Map<unknown, unknown>([[[1], { a: 1 }]])],
    ...[{ a: { b: [] } }, { $date: 'no date' }, { $x: 1, y: 2 }, { x: 1, $y: 2 }, {}],
    new NdArray(Float64Array.of(1, 2), [1, 2], 'float64'),
    new NdArray(['a'], [1], 'str'),
  ])
    expect(there(value)).toEqual(value)
  expect(there({ a: undefined, b: 1 })).toEqual({ b: 1 })
})

test('any JSON survives a round trip, whatever its keys', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('$set', '$date', '$map', '$object', '$bytes'))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.bigInt()),
      fc.array(tie('tree')),
      fc.dictionary(
        key.filter((name) => name !== '__proto__'),
        tie('tree'),
      ),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      expect(there(value)).toEqual(value)
    }),
  )
})

test('a __proto__ key is read as plain data and does not set the prototype', () => {
  const read = fromJson(JSON.parse('{"__proto__": {"a": 1}}')) as object
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  expect(Object.keys(read)).toEqual(['__proto__'])
})

test('values that are too large, too deep or have no JSON form are rejected', () => {
  const deep = () => {
    let value: unknown = 1
    for (let i = 0; i < 100_000; i += 1) value = [value]
    return value
  }
  for (const value of [
    'x'.repeat(2000),
    Array(1000).fill(1),
    new Uint8Array(2000),
    2n ** 10_000n,
    { a: 'x'.repeat(2000) },
  ])
    expect(() => toJson(value, 1000)).toThrow(JsonValueError)
  for (const value of [deep(), () => 1, Symbol('x'), undefined, [undefined]])
    expect(() => toJson(value)).toThrow(JsonValueError)
  expect(() => fromJson(deep())).toThrow(JsonValueError)
})

test('malformed forms are rejected', () => {
  for (const json of [
    ...[
      { $x: 1 },
      { $set: 1 },
      { $map: [1] },
      { $bigint: '1_0' },
      { $bytes: 1 },
      { $number: {} },
      { $date: null },
    ],
    ...[{ $array: ['constructor', ''] }, { $array: 1 }, { $ndarray: null }, { $object: [[1, 2]] }],
  ])
    expect(() => fromJson(json), JSON.stringify(json)).toThrow(JsonValueError)
})
