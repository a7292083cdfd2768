// R11: matching a schema's `pattern` against a guest's text never stalls the main thread. Patterns that are certainly fast run
// without the overhead of a time limit.
import { Script } from 'node:vm'
import type { Callbacks, SessionManager } from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { compileBounded } from '../../src/callbacks/bounded-ajv.js'
import { isLinear } from '../../src/callbacks/linear-pattern.js'
import { sharedManager } from '../support/shared-manager.js'

describe('isLinear', () => {
  test.each([
    ...[
      '^[a-z]+$',
      '^a',
      'abc',
      '^\\d{4}-\\d{2}-\\d{2}$',
      '^[^@]+@[^@.]+(\\.[^@.]+)*$',
      '^(red|rose|green)$',
    ],
    ...[
      '^[a-z0-9]+(?:-[a-z0-9]+)*$',
      '^(?<year>\\d{4})?x*$',
      '^[A-Za-z_][\\w-]*$',
      '^\\p{Lu}[0-9]*$',
      '(jpg|png)$',
    ],
    ...[
      '^#[\\da-f]{6}$',
      '^\\/(?:[^/]+\\/)*$',
      '^[^#]*#?$',
      '^https?:\\/\\/[^\\s/]+',
      '^\\u{1F600}+a$',
      '^a{1,900}b$',
    ],
  ])('accepts %s', (pattern) => {
    new RegExp(pattern, 'u')
    expect(isLinear(pattern)).toBe(true)
  })

  test.each([
    ...[
      '^(a+)+$',
      '^(a|a)*$',
      '^(a|ab)*c$',
      '^(a*)*$',
      '^(a?){30}a{30}$',
      'a+$',
      '^a*a*$',
      '^(.*)x',
      '^(a)\\1$',
    ],
    ...[
      '^(?=a)a*$',
      '^(?!a)',
      '^(?<=a)b',
      '^\\w+\\d+$',
      '^[a-z]+\\S+$',
      '^(a|b|ab)*$',
      '(\\w+\\s?)+',
      '^(?:.|\\n)*a',
    ],
    ...[
      '^(?<n>a)\\k<n>$',
      '^(a+|b)*$',
      '^((a{1,9}){1,9}){1,9}$',
      '^\\u{e9}+é+$',
      '^(a?|b?)+c',
      '^[^a]+[^b]+$',
    ],
  ])('rejects %s, which may not be linear', (pattern) => {
    new RegExp(pattern, 'u')
    expect(isLinear(pattern)).toBe(false)
  })

  test('only accepts patterns that are fast on any text', () => {
    let seed = 1
    const below = (n: number) => {
      seed = (seed * 48_271) % 0x7fffffff
      return seed % n
    }
    const pick = (from: readonly string[]) => from[below(from.length)] ?? ''
    const atom = (depth: number): string =>
      depth > 0 && below(3) === 0
        ? `(?:${sequence(depth - 1)}${below(2) ? `|${sequence(depth - 1)}` : ''})`
        : pick(['a', 'b', '[ab]', '[^a]', '.', '\\w', 'c'])
    const sequence = (depth: number): string =>
      Array.from(
        { length: 1 + below(3) },
        () => atom(depth) + pick(['', '', '*', '+', '?', '{2}', '{1,40}', '*?']),
      ).join('')
    const texts = ['a', 'b', 'ab', 'aab', 'abc'].map((part) => `${part.repeat(1024 / part.length)}!`)
    let linear = 0
    for (let n = 0; n < 3_000; n++) {
      const pattern = `${pick(['^', '^', ''])}${sequence(3)}${pick(['$', ''])}`
      if (!isLinear(pattern)) continue
      linear += 1
      const source = `${JSON.stringify(texts)}.map((text) => new RegExp(${JSON.stringify(pattern)}, 'u').test(text))`
      expect(() => new Script(source).runInThisContext({ timeout: 2_000 }), pattern).not.toThrow()
    }
    expect(linear).toBeGreaterThan(300)
  })
})

test('only patterns that may be slow are checked under the time limit', () => {
  const schema = (pattern: string) => ({ type: 'object', properties: { q: { type: 'string', pattern } } })
  expect(compileBounded(schema('^[a-z]+$')).isTimed).toBe(false)
  expect(compileBounded(schema('^(a+)+$')).isTimed).toBe(true)
  const byName = (keyword: string, value: unknown) =>
    compileBounded({ type: 'object', [keyword]: value }).isTimed
  expect(byName('patternProperties', { '^(a+)+$': {} })).toBe(true)
  expect(byName('propertyNames', { pattern: '^(a+)+$' })).toBe(true)
  expect(byName('patternProperties', { '^a': {} })).toBe(false)
})

describe('slow text', () => {
  const text = { type: 'string', pattern: '^(a+)+$' }
  const tool = (schema: object, fn = (args: object): unknown => args) => ({
    fn,
    parameters: { type: 'object', ...schema },
  })
  const called: unknown[] = []
  const callbacks: Callbacks = {
    by_pattern: tool({ properties: { q: text } }, (args) => called.push(args)),
    by_properties: tool({ properties: { o: { patternProperties: { '^(a+)+$': {} } } } }),
    by_names: tool({ properties: { o: { propertyNames: { pattern: '^(a|a)*$' } } } }),
    by_list: tool({ properties: { l: { type: 'array', items: { pattern: '\\d+$' } } } }),
  } as Callbacks
  let manager: SessionManager
  beforeAll(async () => {
    manager = await sharedManager({ slots: 1 })
  })

  test.each([
    ['by_pattern', 'q=S', 'q'],
    ['by_properties', 'o={S: 1}', 'o'],
    ['by_names', 'o={S: 1}', 'o'],
    ['by_list', "l=['1' * 1022 + 'x1'] * 40", 'l'],
  ])('R11: %s(%s) raises ValueError each time instead of stalling', async (name, args, field) => {
    await using session = await manager.createSession({ callbacks })
    const code = `
import asyncio, re
S = 'a' * 25 + '!'
results = await asyncio.gather(*(${name}(${args}) for _ in range(3)), return_exceptions=True)
sorted({(type(r).__name__, re.sub(r'\\.\\d+', '', str(r))) for r in results})`
    const result = await session.execute(code)
    const reason = 'is too large to be checked: matching a pattern of the schema takes more than 5 ms'
    expect(result.value).toEqual([['ValueError', `${name}() argument '${field}' ${reason}`]])
  })

  test('a pattern that could be slow still matches harmless text', async () => {
    await using session = await manager.createSession({ callbacks })
    const code = 'import asyncio\nlen(await asyncio.gather(*(by_pattern(q="a" * n) for n in range(1, 30))))'
    expect((await session.execute(code)).value).toBe(29)
    expect(called.at(-1)).toEqual({ q: 'a'.repeat(29) })
  })
})
