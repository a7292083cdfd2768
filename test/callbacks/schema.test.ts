// Behaviours D4, D6: arguments are validated on the host before the function runs, by JSON Schema or Standard Schema; and how callbacks
// are described to Python and to models.
import { type Callbacks, InvalidOptionError, type Session, type SessionManager } from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
beforeAll(async () => {
  manager = await sharedManager({ slots: 1 })
})

const open = (callbacks: Callbacks): Promise<Session> => manager.createSession({ callbacks })

describe('D4: JSON Schema', () => {
  const parameters = {
    type: 'object',
    properties: {
      n: { type: 'integer', minimum: 1 },
      mode: { enum: ['fast', 'safe'] },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 2 },
      at: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] },
    },
    required: ['n'],
    additionalProperties: false,
  }

  test.each([
    ['n=0', 'ValueError', "tool() argument 'n': must be >= 1, got 0 (int)"],
    ['n=1.5', 'TypeError', "tool() argument 'n': must be integer, got 1.5 (float)"],
    ['n="1"', 'TypeError', `tool() argument 'n': must be integer, got "1" (str)`],
    ['n=None', 'TypeError', "tool() argument 'n': must be integer, got None"],
    ['n=True', 'TypeError', "tool() argument 'n': must be integer, got True"],
    ['n=b"1"', 'TypeError', "tool() argument 'n': must be integer, got bytes"],
    ['n=[1, 2]', 'TypeError', "tool() argument 'n': must be integer, got a list of 2"],
    ['n={"a": 1}', 'TypeError', "tool() argument 'n': must be integer, got a dict"],
    ['mode="fast"', 'TypeError', "tool() is missing the argument 'n'"],
    [
      'N=1, m=2',
      'TypeError',
      "tool() is missing the argument 'n'; it got 'N', 'm', which it has no parameter for; did you mean `n`?",
    ],
    ['n=1, mode="wild"', 'ValueError', `argument 'mode': must be one of "fast", "safe", got "wild" (str)`],
    ['n=1, tags=["a", 2]', 'TypeError', "tool() argument 'tags.1': must be string, got 2 (int)"],
    ['n=1, tags=["a", "b", "c"]', 'ValueError', "argument 'tags'"],
    ['n=1, at={}', 'TypeError', "argument 'at'"],
    ['n=1, at={"x": "y"}', 'TypeError', `tool() argument 'at.x': must be number, got "y" (str)`],
    ['n=1, extra=1', 'TypeError', "tool() has no parameter 'extra'; it takes n, "],
    ['n=1, **{"__proto__": 1}', 'TypeError', ''],
    ['n=1, **{"constructor": 1}', 'TypeError', "tool() has no parameter 'constructor'"],
  ])('tool(%s) raises %s', async (args, type, message) => {
    let called = false
    await using session = await open({
      tool: {
        fn: () => {
          called = true
        },
        parameters,
      },
    })
    if (args.includes('__proto__')) {
      // Such a key is left out, so it never reaches a prototype.
      await session.execute(`await tool(${args})`)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      return
    }
    const error = await pythonErrorOf(session.execute(`await tool(${args})`))
    expect([error.type, error.detail]).toEqual([type, expect.stringContaining(message)])
    expect(called).toBe(false)
  })

  test('valid arguments arrive with defaults filled in', async () => {
    const seen: unknown[] = []
    await using session = await open({
      tool: {
        fn: (args) => void seen.push(args),
        parameters: {
          type: 'object',
          properties: { n: { type: 'integer' }, unit: { type: 'string', default: 'mm' } },
        },
      },
    })
    await session.execute('await tool(3); await tool(n=4, unit="cm"); await tool(5, other=[1])')
    expect(seen).toEqual([
      { n: 3, unit: 'mm' },
      { n: 4, unit: 'cm' },
      { n: 5, unit: 'mm', other: [1] },
    ])
  })

  test('changing the schema object afterwards has no effect', async () => {
    const parameters = { type: 'object', properties: { n: { type: 'integer' } } }
    await using session = await open({ tool: { fn: ({ n }) => n, parameters } })
    ;(parameters.properties as Record<string, unknown>).n = { type: 'string' }
    expect((await session.execute('await tool(1)')).value).toBe(1)
  })
})

/** A hand-written Standard Schema, like those of zod and similar libraries. */
function schemaOf(
  validate: (value: unknown) => unknown,
  jsonSchema?: (options: { target: string }) => Record<string, unknown>,
) {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'by hand',
      validate: validate as never,
      ...(jsonSchema ? { jsonSchema: { input: jsonSchema } } : {}),
    },
  }
}

describe('D4: Standard Schema', () => {
  const numberOnly = (value: unknown) => {
    const { n } = value as { n?: unknown }
    if (typeof n !== 'number') return { issues: [{ message: 'expected a number', path: ['n'] }] }
    return { value: { n: n * 2 } }
  }

  test('the function receives the schema’s output, and errors name the field', async () => {
    await using session = await open({ tool: { fn: ({ n }) => n, parameters: schemaOf(numberOnly) } })
    expect((await session.execute('await tool(n=21)')).value).toBe(42)
    const error = await pythonErrorOf(session.execute('await tool(n="x")'))
    expect([error.type, error.detail]).toEqual(['ValueError', "tool() argument 'n': expected a number"])
  })

  test('D1: without a JSON Schema form, positional arguments are rejected', async () => {
    await using session = await open({ tool: { fn: ({ n }) => n, parameters: schemaOf(numberOnly) } })
    expect((await pythonErrorOf(session.execute('await tool(1)'))).type).toBe('TypeError')
    expect(session.toolSchemas('anthropic')).toMatchObject([{ input_schema: { type: 'object' } }])
  })

  test('D1, D6: a JSON Schema form provides positional arguments and signatures', async () => {
    const targets: string[] = []
    const parameters = schemaOf(numberOnly, ({ target }) => {
      targets.push(target)
      return {
        $schema: 'https://json-schema.org/x',
        type: 'object',
        properties: { n: { type: 'number' } },
        required: ['n'],
      }
    })
    await using session = await open({ tool: { fn: ({ n }) => n, parameters } })
    const { value } = await session.execute('import inspect\n[await tool(4), str(inspect.signature(tool))]')
    expect(value).toEqual([8, '(n: float)'])
    expect(targets).toEqual(['draft-2020-12'])
    expect(JSON.stringify(session.toolSchemas('openai'))).not.toContain('$schema')
  })

  test('supports async validation, object paths, issues without a path, and schemas that throw', async () => {
    await using session = await open({
      later: {
        fn: () => 'called',
        parameters: schemaOf(async () => ({ issues: [{ message: 'no', path: [{ key: 'a' }, 0, 'b'] }] })),
      },
      pathless: { fn: () => 'called', parameters: schemaOf(() => ({ issues: [{ message: 'no' }] })) },
      throwing: {
        fn: () => 'called',
        parameters: schemaOf(() => {
          throw new RangeError('the schema itself')
        }),
      },
    })
    expect((await pythonErrorOf(session.execute('await later()'))).detail).toBe(
      "later() argument 'a.0.b': no",
    )
    expect((await pythonErrorOf(session.execute('await pathless()'))).message).toContain('no')
    expect((await pythonErrorOf(session.execute('await throwing()'))).detail).toBe('the schema itself')
  })
})

describe('D6: introspection', () => {
  test('brumate.callbacks() returns a copy of what was declared', async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string', description: 'Where.' } } }
    await using session = await open({
      weather: { fn: () => 1, description: 'Tells the weather.\n\nOf today.', parameters },
      bare: () => 1,
    })
    const { value } = await session.execute(
      'import brumate\nlisted = brumate.callbacks()\nlisted[0]["name"] = "changed"; listed[0]["parameters"].clear()\nbrumate.callbacks()',
    )
    expect(value).toEqual([
      { name: 'weather', description: 'Tells the weather.\n\nOf today.', parameters },
      { name: 'bare', description: '', parameters: null },
    ])
  })

  test('signatures show types, defaults and optional parameters, and tolerate names invalid in Python', async () => {
    const parameters = {
      type: 'object',
      properties: {
        b: { type: 'boolean' },
        s: { type: 'string' },
        l: { type: 'array', default: [] },
        o: { type: ['object', 'null'] },
        'not-a-name': { type: 'string' },
        class: { type: 'string' },
      },
      required: ['b'],
    }
    await using session = await open({ tool: { fn: () => 1, parameters }, bare: () => 1 })
    const { value } = await session.execute(
      'import inspect\n[str(inspect.signature(tool)), str(inspect.signature(bare)), inspect.iscoroutinefunction(tool), tool.__name__, bare.__doc__, tool.__annotations__["s"] is str]',
    )
    expect(value).toEqual([
      '(b: bool, s: str = None, l: list = [], o=None, **arguments)',
      '(**arguments)',
      true,
      'tool',
      null,
      true,
    ])
  })
})

describe('toolSchemas', () => {
  const parameters = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }
  const callbacks = { add: { fn: () => 1, description: 'Adds.', parameters }, bare: () => 1 }
  const nothing = { type: 'object', properties: {} }

  test('returns OpenAI’s format', async () => {
    await using session = await open(callbacks)
    expect(session.toolSchemas('openai')).toEqual([
      { type: 'function', function: { name: 'add', description: 'Adds.', parameters } },
      { type: 'function', function: { name: 'bare', description: '', parameters: nothing } },
    ])
  })

  test('returns Anthropic’s format', async () => {
    await using session = await open(callbacks)
    expect(session.toolSchemas('anthropic')).toEqual([
      { name: 'add', description: 'Adds.', input_schema: parameters },
      { name: 'bare', description: '', input_schema: nothing },
    ])
  })

  test('returns a copy, follows setCallbacks, and rejects unknown formats', async () => {
    await using session = await open(callbacks)
    const [first] = session.toolSchemas('anthropic') as { input_schema: { properties: unknown } }[]
    if (first) first.input_schema.properties = 'changed'
    expect(session.toolSchemas('anthropic')[0]).toMatchObject({ input_schema: parameters })
    await session.setCallbacks({ other: () => 1 })
    expect(session.toolSchemas('anthropic')).toMatchObject([{ name: 'other' }])
    expect(() => session.toolSchemas('gemini' as never)).toThrow(InvalidOptionError)
    await session.setCallbacks({})
    expect(() => session.toolSchemas('gemini' as never)).toThrow(InvalidOptionError)
  })
})
