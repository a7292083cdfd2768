// `brumate/restate` with Restate's own server: what the handlers do, and that killing processes neither repeats nor loses work.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { CompletedReply, ExecuteReply, FailedReply, PendingAnswer } from 'brumate/restate'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type * as Clusters from '../../examples/restate/cluster.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
// Import the build: the cluster starts its compiled service programs.
const { Cluster, findServer, until }: typeof Clusters = await import(
  `${root}dist/examples/restate/cluster.js`
)
const server = findServer()
/** The client needs Node 22. The example has a polyfill for Node 20, but these tests do not depend on the version of Node. */
const isLeftOut = server === undefined || !('withResolvers' in Promise)

describe.skipIf(isLeftOut)('sessions as virtual objects', () => {
  let directory: string
  let cluster: Clusters.Cluster

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'brumate-restate-'))
    cluster = await Cluster.start({ server: server ?? '', directory, env: { CACHE_DIR: inject('cacheDir') } })
  })
  afterAll(async () => {
    await cluster?.stop()
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  })

  async function completed(id: string, code: string): Promise<CompletedReply> {
    const reply = (await cluster.call(id, 'execute', { code })) as ExecuteReply
    if (reply.status === 'failed') throw new Error(reply.error.message)
    return reply
  }

  async function waiting(id: string): Promise<readonly PendingAnswer[]> {
    let pending: readonly PendingAnswer[] = []
    await until(async () => {
      pending = (await cluster.call(id, 'pending')) as readonly PendingAnswer[]
      return pending.length > 0
    })
    return pending
  }

  test('variables persist between executions, whichever process runs them', async () => {
    await completed('plain', 'n = 0')
    for (let n = 1; n <= 4; n += 1) expect((await completed('plain', 'n += 1; n')).value).toBe(n)
    const odd = await completed('plain', 'print("out")\n{"raw": b"x", "set": {1}, "big": 2**64}')
    expect([odd.value, odd.stdout]).toEqual([
      { raw: { $bytes: 'eA==' }, set: { $set: [1] }, big: { $bigint: '10000000000000000' } },
      'out\n',
    ])
  })

  test('a Python error is returned as a reply, and the state stays as the code left it', async () => {
    const reply = (await cluster.call('raising', 'execute', { code: 'x = 1\nx / 0' })) as FailedReply
    expect(reply).toMatchObject({
      status: 'failed',
      error: { name: 'PythonError', fields: { type: 'ZeroDivisionError' } },
    })
    const late = (await cluster.call('raising', 'execute', {
      code: 'while 1: x = 2',
      timeoutMs: 100,
    })) as FailedReply
    expect(late.error).toMatchObject({
      name: 'TimeoutError',
      fields: { timeoutMs: 100, outcome: 'interrupted' },
    })
    expect(await cluster.call('raising', 'get', 'x')).toBe(2)
    expect(await cluster.call('raising', 'execute', {}).catch(String)).toMatch(
      /400 .*code: expected a string/,
    )
    expect(await cluster.call('raising', 'get', 'nothing').catch(String)).toMatch(/400 .*NameError/)
    expect(await cluster.call('not an id', 'get', 'x').catch(String)).toMatch(/400 /)
  })

  test('host calls continue as their answers arrive; the reply has the output of the whole execution', async () => {
    const reply = cluster.call('calls', 'execute', {
      code: `
import asyncio
print('one')
first = asyncio.ensure_future(approve(what='a')), asyncio.ensure_future(approve(what='b'))
cost = await price(32)
print('two')
order = []
for done in asyncio.as_completed(first):
    order.append(await done)
try:
    await approve(what='c')
except Exception as error:
    order.append(str(error))
[cost, order]`,
    })
    await until(async () => (await waiting('calls')).length === 2)
    const [a, b] = await waiting('calls')
    expect([a?.args, b?.args]).toEqual([{ what: 'a' }, { what: 'b' }])
    await cluster.call('calls', 'resume', { results: { [b?.id ?? '']: { $set: ['B'] } } })
    await until(async () => (await waiting('calls')).length === 1)
    await cluster.call('calls', 'resume', { results: { [a?.id ?? '']: 'A' } })
    await until(
      async () =>
        (await waiting('calls'))[0]?.name === 'approve' && (await waiting('calls'))[0]?.id !== a?.id,
    )
    const [c] = await waiting('calls')
    await cluster.call('calls', 'resume', { errors: { [c?.id ?? '']: 'not today' } })
    expect(await reply).toMatchObject({
      status: 'completed',
      stdout: 'one\ntwo\n',
      value: [2, [{ $set: ['B'] }, 'A', 'not today']],
      callbackInvocations: 4,
      executionCount: 1,
    })
    expect(await cluster.call('calls', 'pending')).toEqual([])
    expect(await cluster.call('calls', 'resume', { results: { 9: 1 } }).catch(String)).toMatch(/404 /)
  })

  test('cancelling an execution interrupts it and leaves a usable session', async () => {
    const sent = (await cluster.call('cancelled', 'execute/send', {
      code: "state = 'waits'\ntry:\n    await approve(what='x')\nfinally:\n    state = 'ended'",
    })) as { readonly invocationId: string }
    await waiting('cancelled')
    await cluster.cancel(sent.invocationId)
    expect(await cluster.call('cancelled', 'get', 'state')).toBe('ended')
    // Running code is interrupted; otherwise this loop would never end.
    const endless = { code: 'while True: pass', timeoutMs: null }
    const running = (await cluster.call('cancelled', 'execute/send', endless)) as { invocationId: string }
    await until(async () => (await cluster.journalOf(running.invocationId)) >= 2)
    await cluster.cancel(running.invocationId)
    expect((await completed('cancelled', '1 + 1')).value).toBe(2)
    expect(await cluster.call('cancelled', 'pending')).toEqual([])
  })

  test('set, reset and delete work over HTTP', async () => {
    await cluster.call('other', 'set', { name: 'x', value: { $bytes: 'eA==' } })
    expect((await completed('other', 'x')).repr).toBe("b'x'")
    await cluster.call('other', 'reset')
    expect(await cluster.call('other', 'get', 'x').catch(String)).toMatch(/NameError/)
    await cluster.call('other', 'set', { name: 'x', value: 1 })
    await cluster.call('other', 'delete')
    expect((await completed('other', '"x" in globals()')).value).toBe(false)
    expect(await cluster.call('other', 'set', { name: 'x', value: { $odd: 1 } }).catch(String)).toMatch(
      /400 /,
    )
  })

  test('a result that is too large is returned without its value', async () => {
    const reply = await completed('large', 'print("x" * 3_000_000, end="end")\nlist(range(1_000_000))')
    expect([reply.value, reply.exact, reply.stdout.endsWith('end')]).toEqual([undefined, false, true])
    expect((await completed('large', 'len("still there")')).value).toBe(11)
  })
})

describe.skipIf(isLeftOut)('when processes are killed', { concurrent: true }, () => {
  async function run(...args: string[]): Promise<string> {
    const env = { ...process.env, CACHE_DIR: inject('cacheDir'), XDG_CACHE_HOME: dirname(inject('cacheDir')) }
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env, timeout: 110_000 })
    return stdout
  }

  test('the example: an approval survives the death of both processes, and the refund is made once', async () => {
    expect((await run('examples/run.mjs', 'restate')).trim().split('\n')).toEqual([
      'two service processes run',
      'waiting: approve {"what":"refund order 1204"}',
      'both are killed',
      'another one runs',
      String.raw`completed: "asking\n75.25 paid back\n" receipt 1204`,
      'refunds: 1',
    ])
  }, 120_000)

  test('every execution and every side effect happens exactly once', async () => {
    const args = ['--seconds', '4', '--sessions', '3', '--json', '--cache-dir', inject('cacheDir')]
    const report = JSON.parse(
      await run('chaos/restate.mjs', ...args).catch((error: { stdout?: string }) => {
        if (!error.stdout) throw error
        return error.stdout
      }),
    ) as { readonly violations: string[]; readonly executions: number }
    expect(report.violations, JSON.stringify(report)).toEqual([])
    expect(report.executions).toBeGreaterThan(0)
  }, 120_000)
})

test('the example’s README shows the commands that exist', async () => {
  const page = await readFile(join(root, 'examples/restate/README.md'), 'utf8')
  for (const command of ['npm install --prefix examples/restate', 'node examples/run.mjs restate'])
    expect(page).toContain(command)
})
