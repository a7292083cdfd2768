// Kinds of objects are recognized in any realm: Jest and vitest's vmThreads run the library in a realm of its own.
import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { isError, isPlainObject, isRangeError } from '../../src/shared/realms.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import { guard } from '../../src/slots/guard.js'

const context = createContext({})
const other = (code: string): unknown => runInContext(code, context)

test('the other realm has its own Object', () => {
  expect(other('({})') instanceof Object).toBe(false)
})

test('R3: a message of another realm is accepted if it is a plain object, and rejected otherwise', () => {
  expect(guard(other('({ event: "ready" })'))).toEqual({ kind: 'event', event: { event: 'ready' } })
  for (const code of ['[]', 'new Map', 'new Date', 'new (class A {})', 'Object.create({ event: "ready" })'])
    expect(() => guard(other(code)), code).toThrow('not a plain object')
})

describe('isPlainObject', () => {
  test.each(['({ a: 1 })', 'JSON.parse("{}")', 'Object.create(null)'])('accepts %s', (code) => {
    expect(isPlainObject(other(code) as object)).toBe(true)
  })
  test.each([
    '[]',
    'new Map',
    'new Set',
    'new Date',
    '/x/',
    'new Uint8Array(1)',
    '(() => 1)',
    'new (class {})',
    'Promise.resolve()',
  ])('rejects %s', (code) => {
    expect(isPlainObject(other(code) as object)).toBe(false)
  })
})

test('errors of another realm are recognized', () => {
  expect(isError(other('new TypeError("x")'))).toBe(true)
  expect(isRangeError(other('new RangeError("x")'))).toBe(true)
  expect(isRangeError(other('({ name: "RangeError" })'))).toBe(false)
})

test('values of another realm are encoded like those of this one', () => {
  const code = '({ a: [1, "x", null], b: new Uint8Array([1, 2]), c: { d: 1.5 } })'
  const same = { a: [1, 'x', null], b: Uint8Array.of(1, 2), c: { d: 1.5 } }
  expect(encodePlain(other(code), 'x')).toEqual(encodePlain(same, 'x'))
})
