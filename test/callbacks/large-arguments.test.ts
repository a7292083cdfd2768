// Schema checks of a guest's arguments are bounded in size and time: arguments too large to check raise a ValueError that names the field.
import { describe, expect, test } from 'vitest'
import { ArgumentsError, resolveParameters } from '../../src/callbacks/schema.js'
import type { Value } from '../../src/shared/values/value.js'
import { cpuMsOf } from '../support/cpu-time.js'

function faultOf(
  x: Record<string, unknown>,
  value: unknown,
  more: Record<string, unknown> = {},
): string | undefined {
  const check = resolveParameters('parameters', 'tool', { type: 'object', properties: { x }, ...more })
  try {
    check.check({ x: value as Value }, 0)
    return undefined
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    return `${error.name}: ${error.message}`
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const nested = (depth: number) => {
  let value: unknown = {}
  for (let i = 0; i < depth; i++) value = { n: value }
  return value
}
const TOO_MANY = 'is too large to be checked: the schema takes more than 100000 checks'

describe('uniqueItems', () => {
  const unique = { type: 'array', uniqueItems: true }

  test('compares 20,000 members in milliseconds', () => {
    const members = numbers(20_000)
    // Comparing all pairs would take eight seconds.
    expect(cpuMsOf(() => expect(faultOf(unique, members)).toBeUndefined())).toBeLessThan(1000)
  })

  test.each([
    ['objects, whatever the order of their keys', [{ a: 1, b: [2] }, 5, { b: [2], a: 1 }], '0 and 2'],
    ['text that is long', ['a'.repeat(3000), 'a'.repeat(3001), 'a'.repeat(3000)], '0 and 2'],
    ['zeros', [0, -0], '0 and 1'],
    ['bytes', [Uint8Array.of(1), Uint8Array.of(1)], '0 and 1'],
    ['dates', [new Date(1), new Date(2), new Date(1)], '0 and 2'],
    ['sets', [new Set([1, 'a']), new Set(['a', 1])], '0 and 1'],
  ])('finds duplicate %s', (_name, items, pair) => {
    expect(faultOf(unique, items)).toBe(
      `ValueError: tool() argument 'x': must NOT have duplicate items (items ## ${pair} are identical)`,
    )
  })

  test.each([
    ['a number and its text', [1, '1', 1n, true, 'true', null, 'null']],
    ['arrays and objects', [[], {}, [[]], [{}], { a: 1 }, ['a', 1]]],
    ['text with the marks of others', ['[', '"', '["a"]', ['a'], 'a,b', ['a,b'], ['a', 'b']]],
    ['bytes and text', [Uint8Array.of(1), 'bAQ==', new Date(1), 'd1']],
  ])('does not confuse %s', (_name, items) => {
    expect(faultOf(unique, items)).toBeUndefined()
  })

  test('rejects members whose comparison takes too long', () => {
    expect(
      faultOf(
        unique,
        numbers(20_000).map((n) => ({ a: [n] })),
      ),
    ).toBe(`ValueError: tool() argument 'x' ${TOO_MANY}`)
  })
})

test.each([
  ['members', { type: 'array', items: { type: 'integer' } }, numbers(150_000), "'x.99998'"],
  [
    'texts with a pattern',
    { type: 'array', items: { pattern: '^a*$' } },
    Array(1000).fill('a'.repeat(1000)),
    "'x.",
  ],
  [
    'keys with a pattern',
    { patternProperties: { '^k': {} } },
    Object.fromEntries(numbers(30_000).map((n) => [`k${n}`, n])),
    "'x'",
  ],
  ['long texts', { minLength: 900_000, maxLength: 900_000 }, 'a'.repeat(1_200_000), ''],
])('too many %s are rejected', (_name, schema, value, field) => {
  const fault = faultOf(schema, value)
  expect(fault).toMatch(/^ValueError: /)
  expect(fault).toContain(field)
})

test('patterns read text up to 1024 characters', () => {
  const bound =
    "ValueError: tool() argument 'x' is too large to be checked: patterns read at most 1024 characters"
  expect(faultOf({ pattern: '^a*$' }, 'a'.repeat(1024))).toBeUndefined()
  expect(faultOf({ pattern: '^a*$' }, 'a'.repeat(1025))).toBe(bound)
  expect(faultOf({ format: 'email' }, 'a'.repeat(1025))).toBe(bound)
  expect(faultOf({ patternProperties: { a: {} } }, { ['k'.repeat(1025)]: 1 })).toBe(bound)
  expect(faultOf({ type: 'string' }, 'a'.repeat(1_000_000))).toBeUndefined()
})

test('length limits count characters, and long text is not counted when its size already decides', () => {
  expect(faultOf({ maxLength: 2 }, '😀😀')).toBeUndefined()
  expect(faultOf({ maxLength: 2 }, '😀😀😀')).toContain('must NOT have more than 2 characters')
  expect(faultOf({ minLength: 3 }, '😀😀')).toContain('must NOT have fewer than 3 characters')
  expect(faultOf({ minLength: 3 }, '😀😀a')).toBeUndefined()
  expect(faultOf({ minLength: 1, maxLength: 30_000_000 }, 'a'.repeat(20_000_000))).toBeUndefined()
  expect(faultOf({ maxLength: 10 }, 'a'.repeat(20_000_000))).toContain('must NOT have more than 10')
})

// Two branches at each level, so 2 ** 200 evaluations without a bound.
const either = (place: string) => ({
  anyOf: [
    { properties: { n: { $ref: place } }, required: ['a'] },
    { properties: { n: { $ref: place } }, required: ['b'] },
  ],
})
const later = (place: string) => ({
  anyOf: [
    { allOf: [{ properties: { n: { $ref: place } } }, { required: ['a'] }] },
    { allOf: [{ properties: { n: { $ref: place } } }, { required: ['b'] }] },
  ],
})

test.each([
  ['$defs', { $defs: { node: later('#/$defs/node') } }, '#/$defs/node'],
  ['a place of one’s own', { 'x-nodes': { 'a/b': later('#/x-nodes/a~1b') } }, '#/x-nodes/a~1b'],
])('schemas in %s that branch at every level have a bounded cost', (_name, more, place) => {
  expect(faultOf({ $ref: place }, nested(200), more)).toContain(TOO_MANY)
  expect(faultOf({ $ref: place }, nested(2), more)).toContain('must have required property')
  expect(
    faultOf({ $ref: place }, nested(200), { $defs: { node: either('#/$defs/node') }, ...more }),
  ).toBeDefined()
})

test('a recursive schema can check deeply nested arguments', () => {
  const node = { type: 'object', properties: { n: { $ref: '#/$defs/node' } } }
  expect(faultOf({ $ref: '#/$defs/node' }, nested(1000), { $defs: { node } })).toBeUndefined()
})

test('the schema shown to Python and to models has no internal keywords', () => {
  const given = { type: 'object', properties: { x: { type: 'string', pattern: '^a' } } }
  expect(resolveParameters('parameters', 'tool', given).schema).toEqual(given)
})

test('arguments with more than 100,000 members are not passed to a Standard Schema', () => {
  const schema = {
    '~standard': { version: 1 as const, vendor: 'by hand', validate: (value: unknown) => ({ value }) },
  }
  const check = resolveParameters('parameters', 'tool', schema)
  expect(check.check({ x: 1 }, 100_000)).toEqual({ x: 1 })
  expect(() => check.check({ x: 1 }, 100_001)).toThrow('they have more than 100000 members')
})
