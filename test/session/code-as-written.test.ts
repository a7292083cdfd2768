// Code as people and models write it: indented as a whole, with a byte order mark, with warnings, with a missing await.
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let session: Session

beforeAll(async () => {
  manager = await sharedManager({ slots: 1 })
  session = await manager.createSession({ callbacks: { fetch: () => 'data' } })
})
beforeEach(() => session.reset())
afterAll(() => session?.close())

const evaluate = async (code: string) => (await session.execute(code)).value
const stderrOf = async (code: string) => (await session.execute(code)).stderr

describe('code that is indented as a whole', () => {
  test('runs, and multi-line strings in it stay as they are', async () => {
    expect(
      await evaluate('    text = """a\nb\n      c"""\n    if text:\n        text += "!"\n    text'),
    ).toBe('a\nb\n      c!')
    expect(await evaluate('\n\t# a comment\n\tx = 1\n\n\tx + 1\n')).toBe(2)
  })

  test('reports errors at the original line numbers', async () => {
    const run = await pythonErrorOf(session.execute('    a = 1\n    1 / 0'))
    expect(run.traceback).toContain('File "<cell 1>", line 2, in <module>\n    1 / 0\n')
    const { traceback } = await pythonErrorOf(session.execute('  def f():\n  pass'))
    expect(traceback).toContain('line 2')
    expect(traceback).toContain('after function definition on line 1')
    const mixed = await pythonErrorOf(session.execute('    a = 1\nb = 2'))
    expect(mixed).toMatchObject({
      type: 'IndentationError',
      message: 'IndentationError: unexpected indent',
    })
  })
})

test('a byte order mark is ignored', async () => {
  expect(await evaluate('\ufeffx = 1')).toBeUndefined()
  expect(await evaluate('\ufeff  x + 1')).toBe(2)
})

test('a warning appears even if an earlier cell caused the same warning', async () => {
  const code = 'import warnings\nwarnings.warn("old")'
  expect(await stderrOf(code)).toBe('<cell 1>:2: UserWarning: old\n  warnings.warn("old")\n')
  expect(await stderrOf(code)).toBe('<cell 2>:2: UserWarning: old\n  warnings.warn("old")\n')
  expect(await stderrOf('for _ in range(3): warnings.warn("loop")')).toBe(
    '<cell 3>:1: UserWarning: loop\n  for _ in range(3): warnings.warn("loop")\n',
  )
})

describe('a coroutine that is not awaited', () => {
  const warning = (cell: number, line: number, name: string, text: string) =>
    `<cell ${cell}>:${line}: RuntimeWarning: coroutine '${name}' was never awaited\n  ${text}\n`

  test('is reported once, by the cell that creates it', async () => {
    expect(await stderrOf('x = 1\nfetch()')).toBe(warning(1, 2, 'fetch', 'fetch()'))
    expect(await stderrOf('2')).toBe('')
    expect(await stderrOf('[fetch()]')).toBe(warning(3, 1, 'fetch', '[fetch()]'))
    expect((await session.execute('await _[0]')).value).toBe('data')
    expect(await stderrOf('3')).toBe('')
  })

  test('is reported at a line of user code if a failed cell drops it', async () => {
    const code = 'def fail(_): 1 / 0\n\nfail(fetch())'
    const { stderr } = await pythonErrorOf(session.execute(code))
    expect(stderr).toBe(warning(1, 3, 'fetch', 'fail(fetch())'))
  })
})

test('inspect.getsource finds classes defined in cells, with and without methods', async () => {
  const classes = ['class A:\n    x = 1\n', '@dataclass(slots=True)\nclass B:\n    y: int\n']
  await session.execute(`import inspect\nfrom dataclasses import dataclass\n${classes.join('\n')}`)
  await session.execute('def make():\n    class C:\n        def f(self): pass\n    return C')
  expect(await evaluate('[inspect.getsource(A), inspect.getsource(B)]')).toEqual(classes)
  expect(await evaluate('inspect.getsource(make())')).toBe('    class C:\n        def f(self): pass\n')
  expect(await evaluate('del A, B\nimport gc, linecache\ngc.collect()\n"<cell 1>" in linecache.cache')).toBe(
    false,
  )
  expect((await pythonErrorOf(session.execute('exec("class D: pass")\ninspect.getsource(D)'))).type).toBe(
    'OSError',
  )
})
