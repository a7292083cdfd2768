// brumate/client: what the suite of sessions does not cover. Requests go to an app in this process; `fetch` functions simulate failures.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as library from 'brumate'
import { MemoryStore, type PythonSession, type SessionManager } from 'brumate'
import {
  BrumateClient,
  CancelledError,
  ConversionError,
  InvalidOptionError,
  PythonError,
  ServerError,
  SessionClosedError,
  SnapshotError,
  StorageError,
  TimeoutError,
} from 'brumate/client'
import { serve } from 'brumate/server'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openManager } from '../support/manager.js'
import { py } from '../support/session-code.js'
import { appOf, clientOf } from './support/over-http.js'

describe('brumate/client', () => {
  let manager: SessionManager
  let client: BrumateClient

  beforeAll(async () => {
    manager = await openManager({ slots: 3, store: new MemoryStore(), durability: 'checkpoint' })
    client = await clientOf(manager)
  })
  afterAll(() => manager.close())

  async function open(options: Parameters<BrumateClient['createSession']>[0] = {}) {
    const session = await client.createSession(options)
    onTestFinished(() => session.close())
    return session
  }

  describe('callbacks', () => {
    it('run in the client, concurrently or in sequence, within one execution', async () => {
      const heard: string[] = []
      const session = await open({
        callbacks: {
          price: {
            description: 'The price of an order.',
            parameters: { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'] },
            fn: ({ order }) => order / 16,
          },
          fail: () => {
            throw new RangeError('no luck')
          },
        },
        onStdout: (text) => heard.push(text),
      })
      const result = await session.execute(py`
        import asyncio
        print('begin')
        open('/tmp/made', 'w').write('x')
        prices = await asyncio.gather(price(16), price(order=32))
        try:
            await fail()
        except Exception as error:
            print(type(error).__name__, error)
        open('/tmp/made', 'a').write('y')
        sum(prices)
      `)
      expect(result).toMatchObject({
        status: 'completed',
        value: 3,
        executionCount: 1,
        callbackInvocations: 3,
      })
      expect(result.stdout).toBe('begin\nHostError no luck\n')
      expect(heard.join('')).toBe(result.stdout)
      expect(result.files).toEqual([{ path: '/tmp/made', change: 'created', sizeBytes: 2 }])
      expect(await session.toolStubs()).toContain('async def price(order: int)')
      await expect(session.execute('await price(order="x")')).rejects.toThrow(/TypeError/)
    })

    it('receive and return exact values; a result without a Python form is an error in Python', async () => {
      const session = await open({
        callbacks: { echo: ({ value }) => value, odd: () => new (class Odd {})() },
      })
      const { value } = await session.execute('await echo(value={"n": 2**70, "b": b"x", 1: {3}})')
      const inner = new Map<unknown, unknown>([
        ['n', 2n ** 70n],
        ['b', new Uint8Array([120])],
        [1, new Set([3])],
      ])
      expect(value).toEqual(inner)
      await expect(session.execute('await odd()')).rejects.toThrow(
        'TypeError: the result of odd: expected null',
      )
    })

    it('run concurrently: a fast one is answered while a slow one still runs', async () => {
      let finish = () => {}
      const finished = new Promise<void>((resolve) => {
        finish = resolve
      })
      const session = await open({
        callbacks: { fast: () => 1, slow: () => finished.then(() => 2), done: () => finish() },
      })
      const { value } = await session.execute(py`
        import asyncio
        task = asyncio.create_task(slow())
        one = await fast()
        await done()
        one + await task
      `)
      expect(value).toBe(3)
    })

    it('can suspend: the call stays pending, and any client can resume it', async () => {
      const session = await open({ id: 'approval', callbacks: { approve: (_, { suspend }) => suspend() } })
      const { status, pending } = await session.execute('answer = await approve(what="refund")\nanswer')
      expect([status, pending.length, pending[0]?.args]).toEqual(['suspended', 1, { what: 'refund' }])
      await expect(session.execute('1')).rejects.toThrow(library.SessionSuspendedError)
      const other = await client.openSession('approval')
      expect(other.pending).toEqual(pending)
      expect((await other.resume({ results: { [pending[0]?.id ?? '']: new Set(['yes']) } })).value).toEqual(
        new Set(['yes']),
      )
      await session.refresh()
      expect([session.pending, session.executionCount]).toEqual([[], 1])
      await session.delete()
    })

    it('are aborted when their execution times out or is cancelled', async () => {
      const aborted: boolean[] = []
      const wait = (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted.push(true)
            resolve(undefined)
          })
        })
      const session = await open({ callbacks: { wait } })
      await expect(session.execute('x = 1\nawait wait()', { timeoutMs: 300 })).rejects.toThrow(TimeoutError)
      const controller = new AbortController()
      const run = session.execute('x += 1\nawait wait()', {
        signal: controller.signal,
        onDisplay: () => {},
      })
      await until(() => session.executionCount === 2 && session.pending.length === 1)
      controller.abort('enough')
      await expect(run).rejects.toMatchObject({ constructor: CancelledError, cause: 'enough' })
      expect([(await session.execute('x')).value, aborted]).toEqual([2, [true, true]])
    })

    it('may take as long as the time limit of their execution, all of them together', async () => {
      const session = await open({ callbacks: { wait: () => delay(400) } })
      const code = 'for _ in range(10): await wait()'
      await expect(session.execute(code, { timeoutMs: 1000 })).rejects.toThrow(TimeoutError)
      expect((await session.execute('1')).value).toBe(1)
    })

    it('answer input()', async () => {
      const session = await open({ onInput: (prompt) => `${prompt}Ada` })
      expect((await session.execute('input("name: ")')).value).toBe('name: Ada')
    })
  })

  describe('sessions', () => {
    it('can be created, found, listed and deleted by id', async () => {
      const one = await client.createSession({ id: 'list-1', labels: { team: 'a' } })
      await one.set('x', 1n)
      expect(await (await client.getOrCreate('list-1')).get('x')).toBe(1)
      await (await client.getOrCreate('list-2', { labels: { team: 'b' } })).close()
      await one.close()
      await expect(one.get('x')).rejects.toThrow(SessionClosedError)
      const listed = await all(client.list({ prefix: 'list-', labels: { team: 'a' } }))
      expect(listed).toEqual([expect.objectContaining({ id: 'list-1', createdAt: expect.any(Date) })])
      await expect(client.createSession({ id: 'list-1' })).rejects.toThrow(InvalidOptionError)
      expect(await (await client.openSession('list-1')).get('x')).toBe(1)
      expect([await client.delete('list-1'), await client.delete('list-1')]).toEqual([true, false])
      await expect(client.openSession('list-1')).rejects.toThrow('the server has no session list-1')
      await client.delete('list-2')
    })

    it('without an id are deleted when they are closed', async () => {
      const session = await client.createSession()
      await session.close()
      expect(await client.delete(session.id)).toBe(false)
    })

    it('report SessionClosedError after another client has deleted them', async () => {
      const session = await client.createSession({ id: 'gone' })
      await client.delete('gone')
      await expect(session.execute('1')).rejects.toThrow(SessionClosedError)
      expect(session.state).toBe('closed')
      await session.close()
    })

    it('are copied by fork, snapshots and restoreState', async () => {
      const session = await open()
      await session.set('x', 1)
      const snapshot = await session.snapshotState()
      const fork = await session.fork()
      onTestFinished(() => fork.close())
      await session.set('x', 2)
      const copy = await open({ from: snapshot })
      expect([await session.get('x'), await fork.get('x'), await copy.get('x')]).toEqual([2, 1, 1])
      expect(library.Snapshot.fromBytes(snapshot.toBytes()).globals()).toEqual({ x: 1 })
      expect(await session.restoreState(snapshot)).toEqual([])
      expect(await session.get('x')).toBe(1)
      await expect(session.restoreState(new Uint8Array(100))).rejects.toThrow(SnapshotError)
    })

    it('have files', async () => {
      const { files } = await open()
      await files.mkdir('/tmp/a/b', { recursive: true })
      await files.writeFile('/tmp/a/b/ü.txt', 'hellö')
      expect(await files.readFile('/tmp/a/b/ü.txt', 'utf8')).toBe('hellö')
      expect(await files.readFile('/tmp/a/b/ü.txt')).toEqual(new TextEncoder().encode('hellö'))
      expect(await files.list('/tmp/a/b')).toEqual(['ü.txt'])
      await files.rename('/tmp/a/b/ü.txt', '/tmp/a/x')
      expect(await files.stat('/tmp/a/x')).toMatchObject({ kind: 'file', sizeBytes: 6 })
      const writer = files.createWriteStream('/tmp/big').getWriter()
      for (const byte of [1, 2, 3]) await writer.write(new Uint8Array(100_000).fill(byte))
      await writer.close()
      const read = async (options?: object) => {
        const parts = await all(files.createReadStream('/tmp/big', options))
        return parts.flatMap((part) => [...part])
      }
      expect((await read()).length).toBe(300_000)
      expect(await read({ start: 99_999, end: 100_001 })).toEqual([1, 2])
      expect(await read({ start: 300_000 })).toEqual([])
      await files.remove('/tmp/a', { recursive: true })
      const missing = await files.readFile('/tmp/a/x').catch((error) => error)
      expect(missing).toBeInstanceOf(StorageError)
      expect(missing).toMatchObject({ reason: 'ENOENT', path: '/tmp/a/x' })
    })

    it('run code once per idempotency key, even if the connection breaks', async () => {
      let breaks = 1
      const broken = await clientOf(manager, {
        fetch: (async (...args: ConstructorParameters<typeof Request>) => {
          const response = await sent(manager, ...args)
          if (!String(args[0]).endsWith('/execute') || breaks-- <= 0) return response
          // The code has run, but the response is lost.
          await response.text()
          throw new TypeError('fetch failed')
        }) as typeof fetch,
      })
      await (await client.createSession({ id: 'once' })).set('n', 0)
      const session = await broken.openSession('once')
      const { value } = await session.execute('n += 1\nn', { idempotencyKey: 'k1' })
      expect(value).toBe(1)
      breaks = 1
      await expect(session.execute('n += 1')).rejects.toMatchObject({ code: 'UNREACHABLE' })
      expect(await session.get('n')).toBe(2)
      await expect(session.execute('n = 7', { idempotencyKey: 'k1' })).rejects.toMatchObject({
        ...{ constructor: InvalidOptionError, option: 'idempotencyKey' },
      })
      await session.delete()
    })

    it('take the longest key for an execution with callbacks, and reject a key that no header can have', async () => {
      const session = await open({ id: 'keys', callbacks: { two: () => 2 } })
      const run = (idempotencyKey: string) => session.execute('await two()', { idempotencyKey })
      expect((await run('k'.repeat(256))).value).toBe(2)
      expect((await run('a key')).value).toBe(2)
      for (const key of ['é', '🦙', 'line\nbreak', ' k', 'k '])
        await expect(run(key)).rejects.toMatchObject({
          ...{ constructor: InvalidOptionError, option: 'idempotencyKey' },
        })
      await session.delete()
    })

    it('continue an execution with a key whose client was lost between two callbacks', async () => {
      const code = 'one = await ask(n=1)\ntwo = await ask(n=2)\none, two'
      const first = await open({
        id: 'continued',
        callbacks: { ask: ({ n }, { suspend }) => (n === 1 ? 'first' : suspend()) },
      })
      expect((await first.execute(code, { idempotencyKey: 'k' })).status).toBe('suspended')
      const other = await client.openSession('continued', { callbacks: { ask: () => 'second' } })
      expect(await other.execute(code, { idempotencyKey: 'k' })).toMatchObject({
        ...{ status: 'completed', value: ['first', 'second'] },
      })
      await other.delete()
    })
  })

  describe('errors', () => {
    it('are instances of the library’s classes and carry the output produced so far', async () => {
      expect([library.PythonError, library.StorageError]).toEqual([PythonError, StorageError])
      const session = await open()
      const error = await session.execute('print("out")\ndisplay(1)\n1 / 0').catch((caught) => caught)
      expect(error).toBeInstanceOf(library.PythonError)
      expect(error).toMatchObject({ type: 'ZeroDivisionError', stdout: 'out\n', code: 'PYTHON' })
      expect([error.displays.length, error.frames.at(-1).line]).toEqual([1, 3])
      await expect(session.get('nothing')).rejects.toMatchObject({ type: 'NameError' })
      await expect(session.set('x', () => {})).rejects.toThrow(ConversionError)
      await expect(session.set('class', 1)).rejects.toThrow(InvalidOptionError)
    })

    const problem = (status: number, code: string, headers = {}) =>
      new Response(JSON.stringify({ code, status, detail: 'no', quota: 'sessions' }), {
        status,
        headers: { 'content-type': 'application/problem+json', ...headers },
      })
    const answering = (answers: ((signal: AbortSignal) => Response)[], options = {}) => {
      const asked: string[] = []
      const fetch = (async (url: string, init: RequestInit) => {
        asked.push(`${init.method} ${new URL(url).pathname}`)
        return (answers.length > 1 ? answers.shift() : answers[0])?.(init.signal as AbortSignal)
      }) as typeof globalThis.fetch
      return { asked, client: new BrumateClient({ url: 'http://x/base/', fetch, ...options }) }
    }

    it('of a draining server are retried; an exceeded quota is not', async () => {
      const page = () => Response.json({ sessions: [] })
      const draining = answering([() => problem(503, 'DRAINING'), page])
      expect(await all(draining.client.list())).toEqual([])
      expect(draining.asked).toEqual(['GET /base/v1/sessions', 'GET /base/v1/sessions'])
      const full = answering([() => problem(429, 'QUOTA', { 'retry-after': '60' })])
      await expect(full.client.createSession()).rejects.toMatchObject({
        ...{ constructor: ServerError, code: 'QUOTA', status: 429, retryAfterMs: 60_000 },
        details: { quota: 'sessions' },
      })
      expect(full.asked.length).toBe(1)
    })

    it('of a busy server are retried, also for requests that must not run twice; the last one reaches the caller', async () => {
      const busy = () => problem(503, 'BUSY', { 'retry-after': '0.01' })
      const session = () => Response.json({ id: 'x', labels: {}, executionCount: 0, state: 'dormant' })
      const once = answering([busy, session])
      expect((await once.client.createSession({ id: 'x' })).id).toBe('x')
      expect(once.asked).toEqual(['POST /base/v1/sessions', 'POST /base/v1/sessions'])
      const always = answering([busy], { retries: 3 })
      await expect(always.client.createSession()).rejects.toMatchObject({
        ...{ constructor: ServerError, name: 'ServerError', message: 'no' },
        ...{ code: 'BUSY', status: 503, retryAfterMs: 10 },
      })
      expect(always.asked.length).toBe(4)
      const patient = answering([() => problem(503, 'BUSY', { 'retry-after': '6' })])
      await expect(patient.client.createSession()).rejects.toMatchObject({ code: 'BUSY', retryAfterMs: 6000 })
      expect(patient.asked.length).toBe(1)
    })

    it('of a server without a free interpreter are retried, also after the events have begun', async () => {
      const events = (...list: readonly [string, unknown][]) =>
        new Response(
          list.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join(''),
          {
            headers: { 'content-type': 'text/event-stream; charset=utf-8' },
          },
        )
      const full = () => events(['error', { code: 'POOL_EXHAUSTED', status: 503, detail: 'no slot' }])
      const output = { stdout: '', stderr: '', displays: [], executionCount: 1 }
      const error = { code: 'PYTHON', message: 'ValueError: ran', type: 'ValueError' }
      const ran = () => events(['result', { ...output, status: 'error', error }])
      const created = () => Response.json({ id: 'x', labels: {}, executionCount: 0, state: 'dormant' })
      const once = answering([created, full, ran])
      await expect((await once.client.createSession({ id: 'x' })).execute('1')).rejects.toThrow('ran')
      expect(once.asked.length).toBe(3)
      const always = answering([created, full], { retries: 1 })
      const session = await always.client.createSession({ id: 'x' })
      await expect(session.execute('1')).rejects.toMatchObject({ code: 'POOL_EXHAUSTED', message: 'no slot' })
      expect(always.asked.length).toBe(3)
    })

    it('for a silent server come after the limit from the last byte, however long the whole answer takes', async () => {
      const slow = (parts: number, ms: number) => (signal: AbortSignal) => {
        let left = parts
        const body = new ReadableStream<Uint8Array>({
          async pull(controller) {
            if (left-- === 0) return controller.close()
            await delay(ms)
            signal.throwIfAborted()
            controller.enqueue(new Uint8Array(10))
          },
        })
        return new Response(body)
      }
      const session = () => Response.json({ id: 'x', labels: {}, executionCount: 0, state: 'dormant' })
      const answers = [session, slow(4, 400), slow(3, 10)]
      const { client: patient } = answering(answers, { timeoutMs: 1000, retries: 0 })
      const { files } = await patient.createSession({ id: 'x' })
      expect((await files.readFile('/f')).length).toBe(40)
      // The time that the reader of a stream takes is not the server's.
      let bytes = 0
      for await (const part of files.createReadStream('/f')) {
        if (bytes === 0) await delay(1500)
        bytes += part.length
      }
      expect(bytes).toBe(30)
    })

    it('of a snapshot are reported even if the new session cannot be deleted', async () => {
      const created = () => Response.json({ id: 'x', labels: {}, executionCount: 0, state: 'dormant' })
      const answers = [created, () => problem(422, 'SNAPSHOT'), () => problem(500, 'INTERNAL')]
      const { asked, client: failing } = answering(answers)
      await expect(failing.createSession({ from: new Uint8Array(9) })).rejects.toThrow(SnapshotError)
      expect(asked.at(-1)).toBe('DELETE /base/v1/sessions/x')
    })

    it('cannot delay the cancellation of a download from a server that has gone silent', async () => {
      let isAborted = false
      const silent = (signal: AbortSignal) => {
        signal.addEventListener('abort', () => {
          isAborted = true
        })
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
        })
        return new Response(body)
      }
      const created = () => Response.json({ id: 'x', labels: {}, executionCount: 0, state: 'dormant' })
      const { asked, client: patient } = answering([created, silent])
      const { files } = await patient.createSession({ id: 'x' })
      const reader = files.createReadStream('/f').getReader()
      const reading = reader.read()
      await until(() => asked.length === 2)
      await reader.cancel()
      expect([isAborted, await reading]).toEqual([true, { done: true, value: undefined }])
    })

    it('explain what is wrong: an unreachable server, a silent one, or one that is not brumate', async () => {
      const fail = () => {
        throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })
      }
      const away = answering([fail], { retries: 1 })
      await expect(away.client.delete('x')).rejects.toThrow(
        /http:\/\/x\/base cannot be reached.*ECONNREFUSED/,
      )
      expect(away.asked.length).toBe(2)
      const post = answering([fail])
      await expect(post.client.createSession()).rejects.toMatchObject({ code: 'UNREACHABLE' })
      expect(post.asked.length).toBe(1)
      const html = answering([() => new Response('<html>', { status: 502 })])
      await expect(html.client.createSession()).rejects.toMatchObject({ code: 'BAD_RESPONSE', status: 502 })
      const empty = answering([() => Response.json(null)])
      await expect(empty.client.createSession()).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
      const half = answering([() => Response.json({ id: 'x' })])
      const session = await half.client.createSession({ id: 'x' })
      await expect(session.execute('1')).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
      const silent = (_: string, { signal }: RequestInit) =>
        new Promise((__, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      const options = { url: 'http://x', fetch: silent as typeof fetch, timeoutMs: 100, retries: 0 }
      await expect(new BrumateClient(options).delete('x')).rejects.toThrow('has sent nothing for 100 ms')
    })

    it.each([
      [{}],
      [{ url: 'ftp://x' }],
      [{ url: 'http://user:secret@x' }],
      [{ url: 'http://x', key: 'with space' }],
      [{ url: 'http://x', tokens: 1 }],
    ])('reject the options %j', (options) => {
      expect(() => new BrumateClient(options as never)).toThrow(InvalidOptionError)
    })
  })

  it('needs no Node API in its build for browsers', async () => {
    const file = new URL('../../dist/src/client.browser.js', import.meta.url)
    expect(await readFile(file, 'utf8')).not.toMatch(/from "node:|import "node:|require\(/)
    const program = `
      for (const name of ['Buffer', 'SharedArrayBuffer']) delete globalThis[name]
      const { BrumateClient, StorageError } = await import(${JSON.stringify(file.href)})
      const session = { id: 'a', labels: {}, executionCount: 0, state: 'dormant' }
      const storage = { code: 'STORAGE', reason: 'ENOENT', path: '/x', syscall: 'open', detail: 'ENOENT' }
      // Responses of Node's need a Buffer.
      const answer = (status, json) => ({
        ...{ ok: status < 400, status, headers: { get: () => 'application/json' } },
        ...{ json: async () => json, text: async () => JSON.stringify(json), arrayBuffer: async () => new ArrayBuffer(0) },
      })
      const fetch = async (url, { method }) => {
        const { pathname } = new URL(url)
        if (pathname.endsWith('/files')) return answer(404, storage)
        return answer(200, pathname.endsWith('/x') ? { value: { $bytes: 'AQL/' } } : session)
      }
      const one = await new BrumateClient({ url: 'http://x', fetch }).createSession()
      await one.set('x', new Uint8Array([1, 2, 255]))
      console.log([...await one.get('x')].join(), (await one.files.readFile('/x').catch((e) => e)) instanceof StorageError)
    `
    const args = ['--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} })
    expect(stdout).toBe('1,2,255 true\n')
  })

  it('works over a real port with the global fetch and a key', async () => {
    await using server = await serve({ manager, keys: { ada: 'a-key-for-ada-0123' } })
    const remote = new BrumateClient({ url: server.url, key: 'a-key-for-ada-0123' })
    const chunks: string[] = []
    {
      await using session: PythonSession = await remote.createSession({ callbacks: { two: () => 2 } })
      const onStdout = (text: string) => chunks.push(text)
      expect((await session.execute('print(1)\nawait two()', { onStdout })).value).toBe(2)
    }
    expect(chunks).toEqual(['1\n'])
    const wrong = new BrumateClient({ url: server.url, key: 'another-key-0123456' })
    await expect(wrong.createSession()).rejects.toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
  })
})

async function sent(manager: SessionManager, ...args: ConstructorParameters<typeof Request>) {
  return (await appOf(manager)).fetch(new Request(...args))
}

async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of given) found.push(one)
  return found
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
