// Behaviours D7: which names a callback can have, and which definitions are rejected.
import { InvalidOptionError } from 'brumate'
import { describe, expect, test } from 'vitest'
import { expectTyped, pythonErrorOf, rejectionOf } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'

const REFUSED = [
  ...['if', 'None', 'True', 'await', 'lambda', 'match', 'type', 'case'],
  ...['print', 'len', 'int', 'ValueError', 'id', 'open', 'input', 'brumate', '_', 'exit', 'copyright'],
  ...[
    '',
    ' ',
    '1a',
    'a-b',
    'a.b',
    'iterator.next',
    'é',
    '__proto__',
    '__import__',
    '_private',
    'a b',
    'x'.repeat(101),
  ],
]

describeSessions(
  'names',
  (open) => {
    test.each(REFUSED)('D7: the name %j is rejected at creation', async (name) => {
      const callbacks = Object.fromEntries([[name, () => 1]])
      const error = await rejectionOf(InvalidOptionError, open({ callbacks }))
      expectTyped(error, 'INVALID_OPTION')
      expect(error.option).toBe('callbacks')
    })

    test('D7: names of the maximum length, and names with a meaning in JavaScript, are allowed', async () => {
      const longest = 'x'.repeat(100)
      const names = [longest, 'constructor', 'toString', 'hasOwnProperty', 'then', 'self', 'a1_']
      const session = await open({
        callbacks: Object.fromEntries(names.map((name) => [name, (): string => `I am ${name}`])),
      })
      for (const name of names) expect((await session.execute(`await ${name}()`)).value).toBe(`I am ${name}`)
    })

    test.each([
      'constructor',
      'toString',
      'valueOf',
      'hasOwnProperty',
      '__proto__',
      'prototype',
      'isPrototypeOf',
    ])('D27, B15: %s is not a callback unless declared, neither by name nor with call_sync', async (name) => {
      const session = await open({ callbacks: { echo: ({ x }) => x } })
      const byName = await pythonErrorOf(session.execute(`await ${name}()`))
      expect([byName.type, byName.detail]).toEqual(['NameError', expect.stringContaining(name)])
      const sync = await pythonErrorOf(session.execute(`import brumate; brumate.call_sync('${name}')`))
      expect(sync.type).toBe('NameError')
    })

    test('D7: a variable can shadow a callback, and clearState restores the callback', async () => {
      const session = await open({ callbacks: { echo: ({ x }) => x } })
      expect((await session.execute('echo = 5; echo')).value).toBe(5)
      await session.clearState()
      expect((await session.execute('await echo(x=6)')).value).toBe(6)
      await session.reset()
      expect((await session.execute('await echo(x=7)')).value).toBe(7)
    })

    test('D7, C8: restoring a snapshot restores callbacks that code has deleted or replaced', async () => {
      const session = await open({ callbacks: { kept: () => 1, gone: () => 2, replaced: () => 3 } })
      await session.execute('import builtins\ndel builtins.gone\nbuiltins.replaced = None')
      await session.restoreState(await session.snapshotState())
      const { value } = await session.execute('[await gone(), await replaced(), await kept()]')
      expect(value).toEqual([2, 3, 1])
    })

    test('C8: restoring a snapshot with the same callbacks keeps the same function objects', async () => {
      const session = await open({ callbacks: { tool: () => 1 } })
      await session.execute('alias = tool')
      await session.restoreState(await session.snapshotState())
      expect((await session.execute('[alias is tool, await alias()]')).value).toEqual([true, 1])
    })

    describe('D7: an invalid callback is rejected', () => {
      test.each<[string, unknown]>([
        ['callbacks', 5],
        ['callbacks', [() => 1]],
        ['callbacks.tool', { tool: 5 }],
        ['callbacks.tool', { tool: null }],
        ['callbacks.tool', { tool: {} }],
        ['callbacks.tool.parameter', { tool: { fn: () => 1, parameter: {} } }],
        ['callbacks.tool.description', { tool: { fn: () => 1, description: 5 } }],
        ['callbacks.tool.parameters', { tool: { fn: () => 1, parameters: 5 } }],
        ['callbacks.tool.parameters', { tool: { fn: () => 1, parameters: null } }],
        ['callbacks.tool.parameters.type', { tool: { fn: () => 1, parameters: {} } }],
        ['callbacks.tool.parameters.type', { tool: { fn: () => 1, parameters: { type: 'string' } } }],
        [
          'callbacks.tool.parameters',
          { tool: { fn: () => 1, parameters: { type: 'object', properties: { a: { type: 'nope' } } } } },
        ],
        ['callbacks', Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`t${i}`, () => 1]))],
      ])('%s %#', async (option, callbacks) => {
        // biome-ignore lint/suspicious/noExplicitAny: TypeScript would reject these values
        const error = await rejectionOf(InvalidOptionError, open({ callbacks: callbacks as any }))
        expect(error.option).toBe(option)
      })
    })
  },
  [fresh],
)
