// What a model receives from an execution, in any framework. The session is a fake with prepared results.
import { describe, expect, test, vi } from 'vitest'
import { answerCalls } from '../../src/presentation/answers.js'
import { CallsInOrder } from '../../src/presentation/calls-in-order.js'
import { PythonTool, type PythonToolOptions, type ToolSession } from '../../src/presentation/python-tool.js'
import { stubsOf, toolCallbacks, withAcceptedSchemas } from '../../src/presentation/tool-callbacks.js'
import type { ExecuteResult } from '../../src/session/outcome.js'
import type { Session } from '../../src/session.js'
import {
  CancelledError,
  InvalidOptionError,
  PoolExhaustedError,
  SessionClosedError,
  SessionSuspendedError,
  TimeoutError,
} from '../../src/shared/errors.js'

const NOTHING: ExecuteResult = {
  ...{
    status: 'completed',
    stdout: '',
    stderr: '',
    value: undefined,
    exact: true,
    lost: [],
    repr: undefined,
  },
  ...{ display: {}, displays: [], executionCount: 1, durationMs: 1.4, peakMemoryBytes: 1, outputBytes: 0 },
  ...{ fileBytes: 0, files: [], moreFiles: 0, callbackInvocations: 0, pending: [] },
}

/** Creates a tool whose session returns this result or throws this error. */
function toolWith(
  answer: Partial<ExecuteResult> | Error,
  {
    state = 'attached',
    lostGlobals = [],
    ...options
  }: Partial<ToolSession> & Partial<PythonToolOptions> = {},
): PythonTool {
  const execute = async () => {
    if (answer instanceof Error) throw answer
    return { ...NOTHING, ...answer }
  }
  const pending = [{ id: '1', name: 'ask', args: {} }]
  const session = { execute, resume: execute, state, lostGlobals, pending } as unknown as ToolSession
  return new PythonTool({ session, ...options })
}

const png = new Uint8Array([1, 2, 3])

test('text displays are included, images are returned, and other forms are only named', async () => {
  const display = { 'text/html': '<b>' }
  const { text, images } = await toolWith({
    stdout: 'hi\n',
    repr: 'A()',
    display,
    displays: [
      { 'text/markdown': '# md', 'text/html': '<h1>' },
      { 'image/png': png, 'text/plain': 'Figure' },
      { 'application/pdf': new Uint8Array(9) },
      display,
    ],
  }).run('')
  expect(text).toBe(
    'hi\n[value]\nA()\n# md\n[a display that is not shown: application/pdf, 9 bytes]\n[an image]',
  )
  expect(images).toEqual([{ mimeType: 'image/png', data: png }])
  expect((await toolWith({ displays: [{ 'image/png': png }] }).run('')).text).toBe('[an image]')
  expect((await toolWith({}).run('')).text).toBe('(no output)')
})

test('images are limited in number and size, and long texts are truncated', async () => {
  const many = await toolWith({ displays: Array(40).fill({ 'image/png': png }) }).run('')
  expect(many.images.length).toBe(10)
  expect(many.text).toMatch(/10 more displays are left out[\s\S]*\[10 images\]$/)
  const large = await toolWith({ displays: [{ 'image/png': new Uint8Array(2 ** 23) }] }).run('')
  expect(large.images).toEqual([])
  const long = await toolWith(
    { stdout: 'a'.repeat(9000), value: 'b'.repeat(9000) },
    { maxTextLength: 1000 },
  ).run('')
  expect(long.text).toMatch(/^a{750}\n\[… 8000 characters left out …\]\na{250}$/)
  expect(long.structured).not.toHaveProperty('value')
})

test('errors caused by the code are outcomes for the model; errors for the program are thrown', async () => {
  const aborted = AbortSignal.abort()
  const outcomes = [
    new TimeoutError(1, 'interrupted'),
    new CancelledError('interrupted'),
    new SessionSuspendedError('s'),
    new InvalidOptionError('code', 'a string', 1),
  ]
  for (const error of outcomes)
    expect(await toolWith(error).run('')).toMatchObject({
      isError: true,
      structured: { error: { type: error.name } },
    })
  expect((await toolWith(outcomes[2] as Error).run('')).text).toContain(
    'earlier code is waiting for an answer to ask from outside the session',
  )

  const thrown = [
    new PoolExhaustedError('full'),
    new InvalidOptionError('timeoutMs', 'a number', 'x'),
    new TypeError(),
  ]
  for (const error of thrown) await expect(toolWith(error).run('')).rejects.toBe(error)
  const cancelled = new CancelledError('interrupted')
  await expect(toolWith(cancelled).run('', { signal: aborted })).rejects.toBe(cancelled)
  const closed = new SessionClosedError('closed')
  await expect(toolWith(closed, { state: 'closed' }).run('')).rejects.toBe(closed)
})

test('the first outcome names the variables lost in an upgrade', async () => {
  const tool = toolWith({ stdout: 'x' }, { lostGlobals: ['frame', 'model'] })
  expect((await tool.run('')).text).toBe(
    'x\n[note] after an upgrade, these variables of the session are lost: frame, model',
  )
  expect((await tool.run('')).text).toBe('x')
})

test('unknown options and options out of range are rejected', () => {
  expect(() => toolWith({}, { maxTextLength: 1 })).toThrow(/maxTextLength: expected an integer/)
  expect(() => toolWith({}, { timeoutMs: 0 })).toThrow(/timeoutMs: expected a number/)
  expect(() => toolWith({}, { tool: [] } as never)).toThrow(/unknown option "tool"/)
  expect(() => new PythonTool({ session: undefined as never })).toThrow(/session: expected a Session/)
})

test('tools get unique names valid in Python, and a schema keyword that sessions reject is dropped alone', async () => {
  const call = () => 1
  const named = toolCallbacks([
    ...['get-user', 'list', 'a b', 'a_b', '1st'].map((name) => ({ name, call })),
    { name: 'list', prefix: 'github', call },
  ])
  expect(Object.keys(named)).toEqual([
    'get_user',
    'tool_list',
    'tool_a_b',
    'tool_a_b_2',
    't_1st',
    'github_list',
  ])

  const parameters = { type: 'object', properties: { a: { type: 'string', odd: 1 } } }
  const callbacks = toolCallbacks([{ name: 'f', description: 'Does it.', parameters, call }])
  expect(stubsOf(callbacks)).toMatch(/^async def f\(a: str = \.\.\.\) -> Any:\n {4}"""Does it\."""/)
  const accepted = await withAcceptedSchemas(callbacks, async (given) => {
    const { properties } = (given.f as { parameters: typeof parameters }).parameters
    if ('odd' in properties.a) throw new InvalidOptionError('callbacks.f.parameters.properties.a.odd', '', 1)
    return properties
  })
  expect(accepted).toEqual({ a: { type: 'string' } })
})

describe('answers', () => {
  const limits = { callbackTimeoutMs: 50 } as Session['limits']
  const pending = [1, 2, 3, 4].map((n) => ({ id: `${n}`, name: `f${n}`, args: { n } }))
  const resume = async (answered: unknown) => answered

  test('run approved calls and raise for the others', async () => {
    const answers = { approvals: { 1: true, 2: false, 3: true }, results: { 4: 'four' } }
    const run = ({ name }: { name: string }) => {
      if (name === 'f3') throw new Error('it broke')
      return name
    }
    expect(await answerCalls({ pending, limits }, answers, { run, resume })).toMatchObject({
      results: { 1: 'f1', 4: 'four' },
      errors: { 2: { name: 'PermissionError' }, 3: { message: 'it broke' } },
    })
  })

  test('that are invalid are rejected before any tool runs', async () => {
    const run = vi.fn()
    const wrong = [
      { approvals: { 1: true, 9: true } },
      { approvals: { 1: 'false' as never } },
      { approvals: { 1: true }, results: { 1: 'one' } },
      { approvals: { 1: true }, errors: { 9: 'nine' } },
      { approvals: { 1: true }, aprovals: {} },
      undefined as never,
    ]
    for (const answers of wrong)
      await expect(answerCalls({ pending, limits }, answers, { run, resume })).rejects.toThrow(
        InvalidOptionError,
      )
    expect(run).not.toHaveBeenCalled()
  })

  test('given twice run the tool only once', async () => {
    const run = vi.fn(async () => 'paid')
    const session = { pending, limits }
    const twice = [1, 2].map(() => answerCalls(session, { approvals: { 1: true } }, { run, resume }))
    await expect(twice[1]).rejects.toThrow(/is being answered already/)
    expect(await twice[0]).toMatchObject({ results: { 1: 'paid' } })
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('use the callback time limit, and an aborted signal leaves the calls pending', async () => {
    const run = () => new Promise(() => {})
    const approvals = { 1: true }
    expect(await answerCalls({ pending, limits }, { approvals }, { run, resume })).toMatchObject({
      errors: { 1: { name: 'TimeoutError', message: 'f1() took longer than 50 ms' } },
    })
    const stopped = answerCalls(
      { pending, limits },
      { approvals },
      { run, resume, signal: AbortSignal.abort() },
    )
    await expect(stopped).rejects.toThrow(/aborted/)
  })
})

test('callbacks belong to the earliest call that is still running', async () => {
  const calls = new CallsInOrder<string>()
  const ends: (() => void)[] = []
  const start = (name: string) => calls.run(name, () => new Promise<void>((resolve) => ends.push(resolve)))
  const [first, second] = [start('a'), start('b')]
  expect(calls.current).toBe('a')
  ends[0]?.()
  await first
  expect(calls.current).toBe('b')
  ends[1]?.()
  await second
  expect(calls.current).toBeUndefined()
})
