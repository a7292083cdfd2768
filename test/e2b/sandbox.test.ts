// `brumate/e2b`: sandboxes and contexts with E2B's API.
import { MemoryStore, type SessionManager } from 'brumate'
import {
  E2B,
  InvalidArgumentError,
  NotSupportedError,
  Sandbox,
  SandboxError,
  SandboxNotFoundError,
  TimeoutError,
} from 'brumate/e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let sandbox: Sandbox

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
  sandbox = await Sandbox.create({ manager, envs: { PLACE: 'everywhere' } })
})

afterAll(async () => {
  await sandbox.kill()
})

describe('runCode', () => {
  test('keeps variables, and counts only the user’s executions', async () => {
    const own = await Sandbox.create({ manager })
    expect((await own.runCode('x = 1')).results).toEqual([])
    const execution = await own.runCode('x += 1; x', { envs: { A: 'b' } })
    expect(execution.text).toBe('2')
    expect(execution.executionCount).toBe(2)
    expect((await own.runCode('x')).executionCount).toBe(3)
    await own.kill()
  })

  test('returns displays in order, and marks the last expression as the main result', async () => {
    const heard: unknown[] = []
    const code = `
from IPython.display import HTML, JSON, Markdown
display(HTML('<b>1</b>'))
display(JSON({'a': 1}))
'text'`
    const execution = await sandbox.runCode(code, { onResult: (result) => void heard.push(result) })
    expect(execution.results.map((result) => result.formats())).toEqual([['html'], ['json'], []])
    expect(execution.results.map(({ isMainResult }) => isMainResult)).toEqual([false, false, true])
    expect(execution.results[0]?.html).toBe('<b>1</b>')
    expect(execution.text).toBe('text')
    expect(heard).toEqual(execution.results)
    expect(JSON.parse(JSON.stringify(execution)).results[2]).toEqual({ text: 'text' })
  })

  test('streams output as messages, and reports an exception as an error', async () => {
    const messages: object[] = []
    const errors: object[] = []
    const execution = await sandbox.runCode(
      "import sys\nprint('out')\nprint('err', file=sys.stderr)\n1 / 0",
      {
        onStdout: (message) => void messages.push(message),
        onStderr: (message) => void messages.push(message),
        onError: (error) => void errors.push(error),
      },
    )
    expect(messages).toMatchObject([
      { line: 'out\n', error: false },
      { line: 'err\n', error: true },
    ])
    expect(execution.logs).toEqual({ stdout: ['out\n'], stderr: ['err\n'] })
    expect(execution.error).toMatchObject({ name: 'ZeroDivisionError', value: 'division by zero' })
    expect(execution.error?.traceback).toMatch(/line 4[\s\S]*ZeroDivisionError: division by zero/)
    expect(errors).toEqual([execution.error])
  })

  test('returns a chart in E2B’s format', async () => {
    const chart = {
      title: null,
      axes: [
        {
          ...{ type: 'bar', title: 'Sales' },
          ...{ x: { label: 'Author', scale: 'linear' }, y: { label: 'Sum (EUR)', scale: 'linear' } },
          series: [{ type: 'bar', label: 'Books', color: null, x: ['A', 'B'], y: [1, 2] }],
        },
      ],
    }
    const code = `
class Figure:
    def _repr_mimebundle_(self, **_):
        return {'application/vnd.brumate.chart+json': ${JSON.stringify(JSON.stringify(chart))}, 'image/png': b'png'}
display(Figure())`
    const [result] = (await sandbox.runCode(code)).results
    expect(result?.png).toBe(Buffer.from('png').toString('base64'))
    expect(result?.formats()).toEqual(['png'])
    expect(result?.chart).toEqual({
      ...{
        type: 'bar',
        title: 'Sales',
        x_label: 'Author',
        x_unit: null,
        y_label: 'Sum (EUR)',
        y_unit: 'EUR',
      },
      elements: [
        { label: 'A', value: 1, group: 'Books' },
        { label: 'B', value: 2, group: 'Books' },
      ],
    })
  })

  test('sets environment variables for all contexts, or for one execution only', async () => {
    const code = "import os; [os.getenv(n, '-') for n in ('PLACE', 'ONCE')]"
    expect((await sandbox.runCode(code)).text).toBe("['everywhere', '-']")
    const envs = { PLACE: 'here', ONCE: 'a "quoted" \\ ü' }
    expect((await sandbox.runCode(code, { envs })).text).toBe(`['here', 'a "quoted" \\\\ ü']`)
    expect((await sandbox.runCode('1 / 0', { envs })).error?.name).toBe('ZeroDivisionError')
    expect((await sandbox.runCode(code)).text).toBe("['everywhere', '-']")
  })

  test('runs concurrent calls in order, each with its own environment variables', async () => {
    const get = "import os; os.environ.get('KEY')"
    const calls = [{ KEY: 'a' }, { KEY: 'b' }, undefined].map((envs, i) =>
      sandbox.runCode(`turns = ${i === 0 ? '[0]' : `[*turns, ${i}]`}; ${get}`, envs && { envs }),
    )
    expect((await Promise.all(calls)).map(({ text }) => text)).toEqual(['a', 'b', undefined])
    expect((await sandbox.runCode('turns')).text).toBe('[0, 1, 2]')
  })

  test('still returns a result if code breaks os.environ; the next call with envs is rejected', async () => {
    const own = await Sandbox.create({ manager })
    const broken = await own.runCode('import os; os.environ = None; 1', { envs: { A: 'b' } })
    expect(broken.text).toBe('1')
    await expect(own.runCode('1', { envs: { A: 'b' } })).rejects.toThrow(/restartCodeContext/)
    await expect(own.runCode('1', { envs: { 'A=': 'b' } })).rejects.toThrow(InvalidArgumentError)
    await own.kill()
  })

  test('rejects with TimeoutError after timeoutMs, and variables stay', async () => {
    await sandbox.runCode('kept = 1')
    const running = sandbox.runCode('import time; time.sleep(60)', { timeoutMs: 200 })
    await expect(running).rejects.toThrow(TimeoutError)
    await expect(running).rejects.toThrow(/timeoutMs/)
    expect((await sandbox.runCode('kept')).text).toBe('1')
  })

  test('reports an exceeded limit as an error of the execution', async () => {
    const small = await Sandbox.create({ manager, limits: { outputBytes: 1000 } })
    const { error } = await small.runCode("print('x' * 10_000)")
    expect(error).toMatchObject({ name: 'LimitError', value: expect.stringContaining('outputBytes') })
    await small.kill()
  })
})

describe('contexts', () => {
  test('have their own variables but share files', async () => {
    const context = await sandbox.createCodeContext({ cwd: 'job' })
    expect(context).toMatchObject({ language: 'python', cwd: '/home/user/job' })
    expect(await sandbox.listCodeContexts()).toContainEqual(context)
    await sandbox.runCode("shared = 1; open('/home/user/job/a.txt', 'w').write('from the default context');")
    const { text } = await sandbox.runCode("open('a.txt').read() + str('shared' in globals())", { context })
    expect(text).toBe('from the default contextFalse')
    await sandbox.removeCodeContext(context)
    expect(await sandbox.listCodeContexts()).not.toContainEqual(context)
    await expect(sandbox.runCode('1', { context })).rejects.toThrow(/no context/)
  })

  test('lose their variables on restart but keep files', async () => {
    const context = await sandbox.createCodeContext()
    await sandbox.runCode("y = 1; open('kept.txt', 'w').write('kept');", { context })
    await sandbox.restartCodeContext(context.id)
    const { text, executionCount } = await sandbox.runCode("('y' in globals(), open('kept.txt').read())", {
      context,
    })
    expect([text, executionCount]).toEqual(["(False, 'kept')", 1])
    await sandbox.removeCodeContext(context.id)
  })

  test('cannot be combined with a language', async () => {
    const [context] = await sandbox.listCodeContexts()
    const both = { language: 'python', ...(context ? { context } : {}) }
    await expect(sandbox.runCode('1', both)).rejects.toThrow(/context or language, but not both/)
  })
})

describe('lifecycle', () => {
  test('a paused sandbox is not running, and connect() restores variables, contexts and files', async () => {
    const { Sandbox: Bound } = new E2B({ manager })
    const paused = await Bound.create({ metadata: { user: 'ada' } })
    await paused.runCode(
      "import os; os.mkdir('deep'); os.chdir('deep'); n = 1; open('b.bin', 'wb').write(bytes(100_000));",
    )
    await paused.files.write('/app/state.json', '{}')
    const context = await paused.createCodeContext()
    await paused.runCode('other = 2', { context })
    expect(await paused.pause()).toBe(true)
    expect(await paused.pause()).toBe(false)
    expect(await paused.isRunning()).toBe(false)
    await expect(paused.runCode('n')).rejects.toThrow(SandboxNotFoundError)
    const query = { metadata: { user: 'ada' } }
    expect(await Bound.list({ query }).nextItems()).toMatchObject([
      { sandboxId: paused.sandboxId, state: 'paused' },
    ])

    const again = await Bound.connect(paused.sandboxId)
    expect((await again.runCode("(n, os.getcwd(), os.path.getsize('b.bin'))")).text).toBe(
      "(1, '/home/user/deep', 100000)",
    )
    expect((await paused.runCode('other', { context })).text).toBe('2')
    expect(await again.files.read('/app/state.json')).toBe('{}')
    expect(await Bound.list({ query: { ...query, state: ['running'] } }).nextItems()).toHaveLength(1)
    expect(await Bound.kill(paused.sandboxId)).toBe(true)
    expect(await Bound.list({ query }).nextItems()).toEqual([])
  })

  test('after its manager was closed, another manager can restore a sandbox from the store', async () => {
    const store = new MemoryStore()
    const first = await managerForTest({ store, slots: 1 })
    const created = await Sandbox.create({ manager: first })
    await created.runCode("n = 7; open('a.txt', 'w').write('kept');")
    await first.close()
    const second = await managerForTest({ store, slots: 1 })
    const again = await Sandbox.connect(created.sandboxId, { manager: second })
    expect((await again.runCode("(n, open('a.txt').read())")).text).toBe("(7, 'kept')")
  })

  test('connect() restores variables even if code has overwritten the files that hold the sandbox’s state', async () => {
    const hostile = await Sandbox.create({ manager })
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    await hostile.files.write('a.txt', 'lost')
    await hostile.runCode(`
n = 1
open('/.sandbox/home.tar', 'wb').write(b'x' * 5000)
open('/.sandbox/sandbox.json', 'w').write('{"contexts": [{"id": "../x", "cwd": 1}, 7, null], "envs": 5}')`)
    await hostile.pause()
    await hostile.connect()
    expect((await hostile.runCode('n')).text).toBe('1')
    expect(await hostile.listCodeContexts()).toEqual([
      { id: 'default', language: 'python', cwd: '/home/user' },
    ])
    expect((await warned).message).toMatch(/archive of the home directory/)
    await hostile.kill()
  })

  test('keeps files even if code replaces the state directory with a file, or its files with directories', async () => {
    const hostile = await Sandbox.create({ manager })
    for (const code of [
      "import os, shutil; shutil.rmtree('/.sandbox', ignore_errors=True); open('/.sandbox', 'w').close()",
      "shutil.rmtree('/.sandbox'); os.makedirs('/.sandbox/home.tar/x'); os.makedirs('/.sandbox/sandbox.json/x')",
    ]) {
      await hostile.files.write('a.txt', code)
      expect((await hostile.runCode(code)).error).toBeUndefined()
      expect((await hostile.runCode("open('b.txt', 'w').write('kept')")).text).toBe('4')
      expect(await hostile.pause()).toBe(true)
      await hostile.connect()
      expect(await hostile.files.read('a.txt')).toBe(code)
      expect(await hostile.files.read('b.txt')).toBe('kept')
    }
    await hostile.kill()
  })

  test('connect() during a pause waits for running calls and for the pause, then resumes', async () => {
    const own = await Sandbox.create({ manager })
    const [{ text }, paused, again] = await Promise.all([
      own.runCode('n = 5; n'),
      own.pause(),
      Sandbox.connect(own.sandboxId, { manager }),
    ])
    expect([text, paused, (await again.runCode('n')).text]).toEqual(['5', true, '5'])
    await own.kill()
  })

  test('when its timeout expires a sandbox is killed, or paused and resumed by the next call', async () => {
    const killed = await Sandbox.create({ manager, timeoutMs: 1 })
    await expect.poll(() => killed.isRunning()).toBe(false)
    await expect(killed.connect()).rejects.toThrow(SandboxNotFoundError)

    const lifecycle = { onTimeout: 'pause', autoResume: true } as const
    const paused = await Sandbox.create({ manager, lifecycle })
    await paused.runCode('n = 1')
    await paused.setTimeout(1)
    await expect.poll(() => paused.isRunning()).toBe(false)
    expect((await paused.runCode('n')).text).toBe('1')
    await paused.kill()
  })

  test('a killed sandbox cannot be found', async () => {
    const gone = await Sandbox.create({ manager })
    expect(await gone.kill()).toBe(true)
    expect(await gone.kill()).toBe(false)
    await expect(gone.getInfo()).rejects.toThrow(SandboxNotFoundError)
    await expect(Sandbox.connect('../etc', { manager })).rejects.toThrow(SandboxNotFoundError)
  })

  test('list() returns one page after another', async () => {
    const some = await Promise.all(
      [1, 2, 3].map(() => Sandbox.create({ manager, metadata: { page: 'yes' } })),
    )
    const paginator = Sandbox.list({ manager, query: { metadata: { page: 'yes' } }, limit: 2 })
    const pages: number[] = []
    while (paginator.hasNext) pages.push((await paginator.nextItems()).length)
    expect(pages).toEqual([2, 1])
    for (const opts of [{ limit: 0 }, { nextToken: 'x' }])
      expect(() => Sandbox.list({ manager, ...opts })).toThrow(InvalidArgumentError)
    for (const one of some) await one.kill()
  })
})

test('unsupported operations are rejected with a message that names an alternative', async () => {
  const refused: [() => Promise<unknown>, RegExp][] = [
    [() => sandbox.commands.run('pip install pandas'), /packages: \[\.\.\.\]/],
    [() => sandbox.commands.run('python3 main.py'), /runpy/],
    [() => sandbox.commands.run('ls'), /no shell/],
    [() => sandbox.pty.create(), /no terminal/],
    [() => sandbox.runCode('1', { language: 'bash' }), /Python only/],
    [() => sandbox.fork(), /session\.snapshotState\(\)/],
    [() => Sandbox.createSnapshot(sandbox.sandboxId), /session\.snapshotState\(\)/],
    [() => sandbox.downloadUrl('a.txt'), /files\.read/],
    [() => sandbox.pause({ keepMemory: false }), /keeps its variables/],
    [() => Sandbox.create('my-template', { manager }), /a template is an image/],
    [() => Sandbox.create({ manager, allowInternetAccess: true }), /no network/],
  ]
  for (const [call, message] of refused) {
    const error = await call().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NotSupportedError)
    expect(error).toBeInstanceOf(SandboxError)
    expect((error as Error).message).toMatch(message)
  }
  expect(() => sandbox.getHost(3000)).toThrow(NotSupportedError)
  expect(() => sandbox.git).toThrow(NotSupportedError)
})
