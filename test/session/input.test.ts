// Functions that ask a person: input(), getpass() and breakpoint().
import { type InputContext, type InputFn, type Session, type SessionManager, Snapshot } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let talking: Session
/** The current implementation of the tests' `onInput`. */
let answer: InputFn = () => null

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
  talking = await manager.createSession({
    onInput: (prompt, context) => answer(prompt, context),
    limits: { callbackTimeoutMs: 50 },
  })
})
afterAll(() => talking?.close())

describe('input()', () => {
  test('gets its answer from onInput at top level, in functions and in loops, and the prompt is not output', async () => {
    const asked: string[] = []
    answer = async (prompt) => {
      asked.push(prompt)
      return `answer ${asked.length}`
    }
    const { value, stdout } = await talking.execute(py`
      import asyncio, builtins
      first = input('one? ')
      def blocking(): return input('two? ')
      async def awaiting(): return [input('three? '), *[input(n) for n in range(2)]]
      print('so far')
      [first, blocking(), await awaiting(), builtins.input(), (lambda: input('last'))()]
    `)
    expect(asked).toEqual(['one? ', 'two? ', 'three? ', '0', '1', '', 'last'])
    expect(value).toEqual([
      'answer 1',
      'answer 2',
      ['answer 3', 'answer 4', 'answer 5'],
      'answer 6',
      'answer 7',
    ])
    expect(stdout).toBe('so far\n')
    expect((await talking.execute("x = input('again')")).value).toBeUndefined()
    expect(await talking.get('x')).toBe('answer 8')
  })

  test('may take longer than a callback, up to the execution’s time limit', async () => {
    answer = () => new Promise((resolve) => setTimeout(() => resolve('late'), 80))
    expect((await talking.execute("input('?')")).value).toBe('late')
  })

  test.each([
    ['null', () => null, 'EOFError', 'EOF when reading a line'],
    ['nothing', () => undefined, 'EOFError', 'EOF when reading a line'],
    ['a number', () => 5, 'TypeError', 'onInput must return a string or null, got 5 (number)'],
    [
      'an error',
      () => {
        throw Object.assign(new Error('gone'), { name: 'ConnectionError' })
      },
      'ConnectionError',
      'gone',
    ],
  ])('raises in Python when onInput gives %s', async (_, given, type, message) => {
    answer = given as InputFn
    const error = await pythonErrorOf(talking.execute("input('?')"))
    expect([error.type, error.message]).toEqual([type, expect.stringContaining(message)])
    expect(error.traceback).toContain("input('?')")
    expect((await pythonErrorOf(talking.execute("def f(): input('?')\nf()"))).type).toBe(type)
  })

  test('raises EOFError without onInput, like a program without a terminal', async () => {
    await using session = await manager.createSession()
    const error = await pythonErrorOf(session.execute("x = input('name? ')"))
    expect([error.type, error.message.includes('EOF when reading a line')]).toEqual(['EOFError', true])
    expect(error.stdout).toBe('name? ')
    expect((await pythonErrorOf(session.execute('import getpass\ngetpass.getpass()'))).type).toBe('EOFError')
  })

  test('can be replaced by a user function of that name', async () => {
    answer = () => expect.fail()
    const { value } = await talking.execute(
      "def input(*args): return ['mine', *args]\nresult = input('a')\ndel input\nresult",
    )
    expect(value).toEqual(['mine', 'a'])
  })

  test('works in a cell that runs its own loop', async () => {
    answer = (prompt) => `<${prompt}>`
    const { value } = await talking.execute(py`
      import asyncio
      async def main(): return input('in a loop')
      [asyncio.run(main()), input('before')]
    `)
    expect(value).toEqual(['<in a loop>', '<before>'])
  })
})

describe('a suspended input()', () => {
  test('is pending, is frozen mid-execution, and continues in another session', async () => {
    answer = (_, { suspend }: InputContext) => suspend('ask a person')
    const code = "name = input('name? ')\ncity = input('city? ')\nf'{name} from {city}'"
    const suspended = await talking.execute(code)
    expect(suspended.pending).toMatchObject([
      { name: 'input', args: { prompt: 'name? ', password: false }, reason: 'ask a person' },
    ])
    const bytes = (await talking.snapshotState()).toBytes()
    const [call] = talking.pending
    const rest = await talking.resume({ results: { [call?.id ?? '']: 'Ada' } })
    expect(rest.pending).toMatchObject([{ name: 'input', args: { prompt: 'city? ' } }])
    await talking.reset()

    await using other = await manager.createSession({
      from: Snapshot.fromBytes(bytes),
      onInput: () => 'Paris',
    })
    const { value } = await other.resume({ results: { [other.pending[0]?.id ?? '']: 'Grace' } })
    expect(value).toBe('Grace from Paris')
  })

  test('fails where it blocks, and the error says where it can be suspended', async () => {
    answer = (_, { suspend }: InputContext) => suspend()
    const error = await pythonErrorOf(talking.execute('def f(): return input()\nf()'))
    expect(error.message).toContain('call it at the top level or in an async function')
  })
})

test('getpass() passes `password` to onInput', async () => {
  const asked: unknown[] = []
  answer = (prompt, { password }) => {
    asked.push([prompt, password])
    return 'secret'
  }
  const { value } = await talking.execute(py`
    import getpass
    from getpass import getpass as read
    [getpass.getpass(), getpass.getpass('PIN: '), read('again: ')]
  `)
  expect(value).toEqual(['secret', 'secret', 'secret'])
  expect(asked).toEqual([
    ['Password: ', true],
    ['PIN: ', true],
    ['again: ', true],
  ])
})

test('breakpoint() and pdb.set_trace() fail with one clear line', async () => {
  for (const code of ['x = 1\nbreakpoint()', 'import pdb\npdb.set_trace()']) {
    const error = await pythonErrorOf(talking.execute(code))
    expect(error.type).toBe('RuntimeError')
    expect(error.traceback.trimEnd().split('\n').at(-1)).toMatch(
      /^RuntimeError: breakpoint\(\) needs a terminal for the debugger/,
    )
    expect([error.stdout, error.stderr]).toEqual(['', ''])
  }
  const ignored = await talking.execute(
    "import os\nos.environ['PYTHONBREAKPOINT'] = '0'\nbreakpoint()\ndel os.environ['PYTHONBREAKPOINT']\n1",
  )
  expect(ignored.value).toBe(1)
})
