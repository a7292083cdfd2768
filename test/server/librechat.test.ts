// LibreChat's code API, with requests as `@librechat/agents` 3.x and LibreChat's server send them. The app is called without a port.

import { MemoryStore, type SessionManager } from 'brumate'
import { type BrumateApp, createApp } from 'brumate/server'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { FileSessions, type Opened } from '../../src/server/librechat/file-sessions.js'
import { StoredBytes } from '../../src/server/stored-bytes.js'
import { SessionMovedError } from '../../src/shared/errors.js'
import { openManager } from '../support/manager.js'
import { py } from '../support/session-code.js'

const keys = { ada: 'a-key-for-ada-0123', bob: 'a-key-for-bob-0123' }
const ID = /^[A-Za-z0-9_-]{21}$/

interface FileRef {
  readonly id: string
  readonly name: string
  readonly storage_session_id: string
  readonly inherited?: true
}

interface Exec {
  readonly session_id: string
  readonly stdout: string
  readonly stderr: string
  readonly files: readonly FileRef[]
}

async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of given) found.push(one)
  return found
}

describe("LibreChat's code API", () => {
  const store = new MemoryStore()
  let manager: SessionManager
  let server: BrumateApp

  beforeAll(async () => {
    manager = await openManager({ slots: 2, store })
    server = await createApp({ manager, keys, librechat: true, onError: console.error })
  })
  afterAll(async () => {
    await server.close()
    await manager.close()
  })

  async function request(method: string, path: string, body?: object, key = keys.ada, app = server) {
    const isForm = body instanceof FormData
    return app.fetch(
      new Request(`http://codeapi:3112/v1${path}`, {
        method,
        headers: {
          'User-Agent': 'LibreChat/1.0',
          'X-API-Key': key,
          ...(body !== undefined && !isForm && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
      }),
    )
  }

  async function exec(code: string, more: object = {}): Promise<Exec> {
    const response = await request('POST', '/exec', { lang: 'py', code, user_id: 'u1', ...more })
    expect(response.status).toBe(200)
    return (await response.json()) as Exec
  }

  async function upload(files: Record<string, string>, fields: Record<string, string> = {}) {
    const form = new FormData()
    for (const [name, value] of Object.entries({ kind: 'user', id: 'u1', ...fields }))
      form.append(name, value)
    for (const [name, content] of Object.entries(files)) form.append('file', new Blob([content]), name)
    return (await (await request('POST', '/upload/batch', form)).json()) as {
      message: string
      storage_session_id: string
      files: { status: string; filename: string; fileId: string }[]
    }
  }

  it('runs each program in a session of its own, with arguments, and keeps no variables', async () => {
    const first = await exec(
      py`
      import sys
      x = 1
      print(sys.argv[1:])
      print('oh', file=sys.stderr)
    `,
      { args: ['a', 'b "c'] },
    )
    expect(first).toEqual({
      ...{ session_id: expect.stringMatching(ID), files: [] },
      ...{ stdout: `['a', 'b "c']\n`, stderr: 'oh\n' },
    })
    expect((await exec('x')).stderr).toContain("NameError: name 'x' is not defined")
  })

  it('gives code uploaded files, and files that earlier code created', async () => {
    const form = new FormData()
    form.append('entity_id', 'agent_1')
    form.append('file', new Blob(['a,b\n1,2\n']), 'data.csv')
    const uploaded = (await (await request('POST', '/upload', form)).json()) as {
      message: string
      storage_session_id: string
      files: { fileId: string; filename: string }[]
    }
    expect(uploaded).toMatchObject({ message: 'success', files: [{ filename: 'data.csv' }] })
    const {
      storage_session_id,
      files: [file],
    } = uploaded
    const given = { id: file?.fileId, name: 'data.csv', storage_session_id, resource_id: 'u1', kind: 'user' }
    const made = await exec(
      py`
      import os
      rows = open('data.csv').read().splitlines()
      os.makedirs('out')
      open('/mnt/data/out/sum.txt', 'w').write(str(len(rows)))
    `,
      { files: [given] },
    )
    expect(made.files).toEqual([
      expect.objectContaining({ name: 'out/sum.txt', storage_session_id: made.session_id }),
      expect.objectContaining({ ...given, inherited: true }),
    ])
    const [output] = made.files
    const later = await exec(`print(open('/mnt/data/out/sum.txt').read())`, { files: [{ ...output }] })
    expect([later.stdout, later.files[0]?.inherited]).toEqual(['2\n', true])
    // The field name that versions before 2026 use.
    const older = { id: output?.id, name: output?.name, session_id: made.session_id }
    expect((await exec(`print(open('out/sum.txt').read())`, { files: [older] })).stdout).toBe('2\n')
    expect((await exec(`print(open('out/sum.txt').read())`, { session_id: made.session_id })).stdout).toBe(
      '2\n',
    )
  })

  it('lists, downloads and deletes files, in the forms used by different versions of LibreChat', async () => {
    const { session_id, files } = await exec(`open('ü.txt', 'w').write('hello')`)
    const [{ id } = { id: '' }] = files
    expect(id).toMatch(ID)
    const list = async (detail: string) =>
      (await (
        await request('GET', `/files/${session_id}?detail=${detail}&kind=user&id=u1`)
      ).json()) as object[]
    expect(await list('simple')).toEqual([`${session_id}/${id}.txt`])
    expect(await list('summary')).toEqual([
      expect.objectContaining({ name: `${session_id}/${id}.txt`, size: 5, lastModified: expect.any(String) }),
    ])
    expect(await list('full')).toEqual([
      expect.objectContaining({ metadata: expect.objectContaining({ 'original-filename': 'ü.txt' }) }),
    ])
    expect(await list('normalized')).toEqual([
      expect.objectContaining({ id, name: 'ü.txt', storage_session_id: session_id }),
    ])
    const object = await request('GET', `/sessions/${session_id}/objects/${id}?kind=user&id=u1`)
    expect(await object.json()).toMatchObject({ size: 5, originalFilename: 'ü.txt' })
    const download = await request('GET', `/download/${session_id}/${id}?kind=user&id=u1`)
    expect(download.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''%C3%BC.txt`)
    expect(await download.text()).toBe('hello')
    expect((await request('DELETE', `/files/${session_id}/${id}`)).status).toBe(200)
    expect(await list('simple')).toEqual([])
    expect((await request('GET', `/download/${session_id}/${id}`)).status).toBe(404)
  })

  it('keeps the folders of a batch upload, and reports no change to read-only files', async () => {
    const batch = await upload({ 'skill/run.py': 'A = 1', '../../etc/x.py': 'B = 2' }, { read_only: 'true' })
    expect(batch.message).toBe('success')
    expect(batch.files.map(({ filename }) => filename)).toEqual(['skill/run.py', 'etc/x.py'])
    const files = batch.files.map(({ fileId, filename }) => {
      return { id: fileId, name: filename, storage_session_id: batch.storage_session_id }
    })
    const { stdout, files: after } = await exec(
      py`
      from skill.run import A
      open('skill/run.py', 'w').write('A = 2')
      print(A)
    `,
      { files },
    )
    expect(stdout).toBe('1\n')
    expect(after.filter(({ inherited }) => !inherited).map(({ name }) => name)).not.toContain('skill/run.py')
  })

  it('stores no file of an upload with more than 200, and says so; a batch says that it left some out', async () => {
    const form = new FormData()
    for (let i = 0; i <= 200; i++) form.append('file', new Blob([`${i}`]), `${i}.txt`)
    const stored = async () => {
      let count = 0
      for await (const _ of manager.list({ prefix: 'librechat-' })) count++
      return count
    }
    const before = await stored()
    const refused = await request('POST', '/upload', form)
    expect([refused.status, await refused.json()]).toEqual([
      413,
      { error: expect.stringMatching(/201 files.*200 at most; send the files in several requests/) },
    ])
    expect(await stored()).toBe(before)
    const batch = await request('POST', '/upload/batch', form)
    expect(await batch.json()).toMatchObject({ succeeded: 200, filesLimitReached: true, maxFiles: 200 })
  })

  it('explains failures to the model: an exception, an unsupported language, a missing file', async () => {
    const raised = await exec(`print(1)\nopen('x', 'w').write('x')\n1 / 0`)
    expect(raised).toMatchObject({ stdout: '1\n', files: [] })
    expect(raised.stderr).toMatch(/^Traceback[\s\S]*ZeroDivisionError: division by zero\n$/)
    expect((await exec('console.log(1)', { lang: 'js' })).stderr).toContain('Python only')
    const gone = { id: 'a'.repeat(21), name: 'gone.csv', storage_session_id: 'b'.repeat(21) }
    expect((await exec('print(1)', { files: [gone] })).stderr).toContain(
      'gone.csv no longer exists; upload it or make it again',
    )
    const exited = await exec(`import sys\nopen('kept.txt', 'w').write('x')\nsys.exit()`)
    expect([exited.stderr, exited.files.map(({ name }) => name)]).toEqual(['', ['kept.txt']])
  })

  it('suspends code at its tool calls and continues with their results, even in another process', async () => {
    const tools = [{ name: 'add-up', description: 'adds' }, { name: 'print' }]
    const code = py`
      import asyncio, sys
      sys.stdout.write('begin ')
      sums = await asyncio.gather(add_up(a=1, b=2), add_up(a=3, b=4, c=None))
      try:
          await print()
      except Exception as error:
          sys.stdout.write(f'{sums} {error}')
      open('done.txt', 'w').write('x')
    `
    const ask = async (body: object, app = server) =>
      (await (await request('POST', '/exec/programmatic', body, keys.ada, app)).json()) as {
        status: string
        continuation_token?: string
        tool_calls?: { id: string; name: string; input: unknown }[]
      }
    const first = await ask({ code, tools, timeout: 20_000 })
    expect(first.status).toBe('tool_call_required')
    expect(first.tool_calls?.map(({ name, input }) => [name, input])).toEqual([
      ['add-up', { a: 1, b: 2 }],
      ['add-up', { a: 3, b: 4 }],
    ])
    await using other = await openManager({ slots: 1, store })
    const app = await createApp({ manager: other, keys, librechat: true, onError: console.error })
    const second = await ask(
      {
        continuation_token: first.continuation_token,
        tool_results: first.tool_calls?.map(({ id }, i) => ({
          call_id: id,
          result: { sum: i },
          is_error: false,
        })),
      },
      app,
    )
    expect(second.tool_calls?.map(({ name }) => name)).toEqual(['print'])
    const last = await ask({
      continuation_token: second.continuation_token,
      tool_results: second.tool_calls?.map(({ id }) => {
        return { call_id: id, result: null, is_error: true, error_message: 'no luck' }
      }),
    })
    expect(last).toMatchObject({
      ...{ status: 'completed', stdout: "begin [{'sum': 0}, {'sum': 1}] no luck" },
      files: [{ name: 'done.txt' }],
    })
    expect(
      await ask({ continuation_token: second.continuation_token, tool_results: [{ call_id: '1' }] }),
    ).toEqual({
      error: 'Execution not found or expired',
    })
    expect(await ask({ code: '1 / 0', tools })).toMatchObject({
      ...{ status: 'error', error: 'Sandbox exited with code 1' },
      stderr: expect.stringContaining('ZeroDivisionError'),
    })
  })

  it('shares the quota of stored bytes with the sessions of the HTTP API, and sums them up rarely', async () => {
    const quotas = { storedBytes: 1000 }
    const options = {
      ...{ manager, librechat: true, onError: console.error },
      keys: [
        { tenant: 'full', key: keys.ada, quotas },
        { tenant: 'empty', key: keys.bob, quotas },
      ],
    }
    // Each application has sums of its own.
    const [first, second] = [await createApp(options), await createApp(options)]
    const list = vi.spyOn(manager, 'list')
    onTestFinished(() => list.mockRestore())
    const run = (app: BrumateApp, key = keys.ada) =>
      request('POST', '/exec', { lang: 'py', code: 'open("kept", "w").write("x")' }, key, app)
    const statuses = (await Promise.all([1, 2, 3].map(() => run(first)))).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 200])
    const sums = list.mock.calls.filter(([filter]) => filter?.tenant === 'full')
    expect(sums.filter(([filter]) => filter?.prefix === 'librechat-')).toHaveLength(1)
    const refused = await request('PUT', '/sessions/main', {}, keys.ada, second)
    expect([refused.status, await refused.json()]).toMatchObject([429, { quota: 'storedBytes', max: 1000 }])
    const full = await run(second)
    expect([full.status, full.headers.get('retry-after'), await full.json()]).toEqual([
      ...[429, '60'],
      {
        ...{ error: 'rate_limited', retry_after_seconds: 60 },
        message: expect.stringMatching(/^the sessions take \d+ bytes of the store; those of LibreChat/),
      },
    ])
    expect((await request('PUT', '/sessions/main', {}, keys.bob, second)).status).toBe(201)
    await request('POST', '/sessions/main/execute', { code: 'x = "kept"' }, keys.bob, second)
    await request('POST', '/sessions/main/close', undefined, keys.bob, second)
    expect((await run(await createApp(options), keys.bob)).status).toBe(429)
  })

  it('leaves no session behind if what the code has made cannot be stored', async () => {
    const limits = { snapshotBytes: 65_536 }
    const app = await createApp({ manager, keys, librechat: true, limits, onError: console.error })
    const before = (await all(manager.list())).length
    const { attached } = manager.stats()
    const code = 'import os\nopen("big", "wb").write(os.urandom(500_000))'
    const answer = await request('POST', '/exec', { lang: 'py', code }, keys.ada, app)
    expect([answer.status, await answer.json()]).toMatchObject([413, { code: 'SNAPSHOT' }])
    expect([(await all(manager.list())).length, manager.stats().attached]).toEqual([before, attached])
  })

  it('retries a read when another process has taken over the session', async () => {
    const { session_id: id } = await exec('open("a.txt", "w").write("kept")')
    const sessions = new FileSessions({
      ...{ manager, storedBytes: new StoredBytes(manager), session: {} },
      ...{ retentionMs: 1e9, onError: console.error },
    })
    let reads = 0
    const read = async ({ session }: Opened) => {
      if (++reads === 1) throw new SessionMovedError(session.id)
      return session.files.readFile('/mnt/data/a.txt', 'utf8')
    }
    expect(await sessions.read('ada', id, read)).toBe('kept')
    expect(reads).toBe(2)
  })

  it('does not serve a tenant’s files to other tenants or with a wrong key', async () => {
    const {
      session_id,
      files: [file],
    } = await exec(`open('x.txt', 'w').write('secret')`)
    const path = `/download/${session_id}/${file?.id}`
    expect((await request('GET', path, undefined, keys.bob)).status).toBe(404)
    expect(await (await request('GET', `/files/${session_id}`, undefined, keys.bob)).json()).toEqual([])
    expect((await request('GET', path, undefined, 'a-wrong-key-012345')).status).toBe(401)
    expect(await (await request('GET', path)).text()).toBe('secret')
  })

  it.each([
    ['/exec', { lang: 'py' }],
    ['/exec', { lang: 'py', code: '1', files: [{ id: 1 }] }],
    ['/exec', { lang: 'py', code: '1', args: 'x' }],
    ['/exec', [1]],
    ['/exec/programmatic', { code: '1', tools: [] }],
    ['/exec/programmatic', { continuation_token: 'x', tool_results: [] }],
    ['/upload', { no: 'form' }],
    ['/upload/batch', new FormData()],
  ])('rejects a malformed request to %s %j', async (path, body) => {
    const response = await request('POST', path, body)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.any(String) })
  })
})
