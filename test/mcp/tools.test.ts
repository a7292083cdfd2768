// The MCP server's tools and resources, called by the SDK's client in this process.
import { MemoryStore } from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'
import { type Caller, connected, structured, textOf } from './support/clients.js'

const options = { slots: 2 }
let tenants = 0
let call: Caller

/** Connects as a new tenant, which sees no sessions of other tests. */
async function freshClient(more: object = {}) {
  return connected({ manager: await sharedManager(options), tenant: `tenant-${++tenants}`, ...more })
}

beforeAll(async () => {
  await sharedManager(options)
})

const run = async (code: string, more: object = {}) => call('run_python', { code, ...more })

test('tools have annotations, and run_python’s description states the version, packages and limits', async () => {
  const { client } = await freshClient({ limits: { memoryBytes: 128 * 2 ** 20 } })
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name).sort()).toEqual(
    [
      ...['fork', 'list_files', 'list_sessions', 'read_file', 'reset_session', 'restore', 'run_python'],
      ...['snapshot', 'write_file'],
    ].sort(),
  )
  const runPython = tools.find(({ name }) => name === 'run_python')
  expect(runPython?.description).toMatch(
    /Python 3\.14[\s\S]*standard library, and no other[\s\S]*30 s[\s\S]*128 MiB/,
  )
  expect(runPython?.outputSchema).toMatchObject({ type: 'object' })
  const readOnly = tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name)
  expect(readOnly.sort()).toEqual(['list_files', 'list_sessions', 'read_file'])
  const destructive = tools.filter(({ annotations }) => annotations?.destructiveHint).map(({ name }) => name)
  expect(destructive.sort()).toEqual(['reset_session', 'restore', 'write_file'])
  expect(tools.every(({ annotations }) => annotations?.openWorldHint === false)).toBe(true)
})

describe('run_python', () => {
  test('keeps state, and returns output, value, errors and files', async () => {
    ;({ call } = await freshClient())
    const first = await run('import math\nx = 41\nprint("hi")\nx + 1')
    expect(textOf(first)).toBe('hi\n[value]\n42')
    expect(structured(first)).toMatchObject({ status: 'ok', stdout: 'hi\n', repr: '42', value: 42 })

    const none = await run('x += 1')
    expect(textOf(none)).toBe('(no output)')
    expect(structured(none)).not.toHaveProperty('value')
    expect(structured(await run('[x, math.inf, 2**70, b"a", {1: 2}, {"k"}]')).value).toEqual([
      ...[42, 'Infinity', '1180591620717411303424', 'YQ==', [[1, 2]], ['k']],
    ])
    const { value } = structured(await run('{"__proto__": {"a": 1}, "constructor": 2}'))
    expect(Object.entries(value as object)).toEqual([
      ['__proto__', { a: 1 }],
      ['constructor', 2],
    ])

    const failed = await run('print("so far")\ndef f():\n    1/0\nf()')
    expect(failed.isError).toBe(true)
    expect(textOf(failed)).toMatch(/^so far\nTraceback[\s\S]*ZeroDivisionError: division by zero$/)
    expect(structured(failed)).toMatchObject({
      status: 'error',
      stdout: 'so far\n',
      error: { type: 'ZeroDivisionError', frames: [{ line: 4 }, { line: 3, function: 'f', text: '1/0' }] },
    })
  })

  test('returns images as image content, and files as readable resources', async () => {
    const { client, call: own } = await freshClient()
    call = own
    const picture = await run(
      'class P:\n    def _repr_png_(self): return b"\\x89PNG"\ndisplay({"a": 1})\nopen("a b.csv", "w").write("1,2")\nP()',
    )
    expect(picture.content).toContainEqual({ type: 'image', mimeType: 'image/png', data: 'iVBORw==' })
    expect(textOf(picture)).toContain("{'a': 1}")
    const file = picture.content.find(({ type }) => type === 'resource_link')
    expect(file).toMatchObject({ name: 'a b.csv', mimeType: 'text/csv', size: 3 })
    const uri = (file as { uri: string }).uri
    expect((await client.readResource({ uri })).contents).toEqual([
      { uri, mimeType: 'text/csv', text: '1,2' },
    ])
    const lost = uri.replace('/default/', '/other/')
    for (const missing of [lost, ...['%00', '%ff'].map((path) => uri.replace(/files.*/, `files/${path}`))])
      await expect(client.readResource({ uri: missing })).rejects.toThrow(/not found/i)
  })

  test('truncates long output and offers the full text as a resource', async () => {
    const { client, call: own } = await freshClient({ maxTextLength: 1000 })
    call = own
    const long = await run('print("a" * 5000 + "end"); "b" * 5000')
    const { stdout, value, repr } = structured(long)
    expect(stdout).toMatch(
      /^a{750}\n\[… 4004 characters left out; the whole text is the resource .*…\]\na+end\n$/,
    )
    expect((repr as string).length).toBeLessThan(1200)
    expect(value).toBeUndefined()
    const uri = /brumate:\/\/outputs\/[\w-]+/.exec(stdout as string)?.[0] ?? ''
    const { contents } = await client.readResource({ uri })
    expect(contents[0]).toMatchObject({ text: `${'a'.repeat(5000)}end\n` })
  })

  test('limits the length of names chosen by code, and the length and number of displays', async () => {
    ;({ call } = await freshClient({ maxTextLength: 1000 }))
    const named = await run(`raise type('A' * 100_000, (Exception,), {})('x')`)
    expect(structured(named)).toMatchObject({ error: { type: `${'A'.repeat(299)}…` } })
    const framed = await run(`exec(compile('1/0', 'F' * 100_000, 'exec'))`)
    for (const result of [named, framed]) expect(JSON.stringify(result).length).toBeLessThan(6000)

    const many = await run('for i in range(300): display("q" * 300 if i < 5 else i)')
    const texts = many.content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
    expect(texts.join('').length).toBeLessThan(1200)
    expect(many.content.length).toBeLessThan(150)
    expect(texts.at(-1)).toMatch(/^\[… \d+ more displays are left out …\]$/)
    const links = many.content.filter(({ type }) => type === 'resource_link')
    expect(links.length).toBeGreaterThan(0)

    const forms = await run(`
class A:
  def _repr_mimebundle_(self, **k): return {'x/' + 'y' * 100_000: 'z', **{f'x/{i}': 'z' for i in range(90)}}
A()`)
    expect(JSON.stringify(forms).length).toBeLessThan(10_000)
  })

  test('stops at its time limit or when the client cancels, and the session stays usable', async () => {
    const { client, call: own } = await freshClient({ maxTimeoutMs: 60_000 })
    call = own
    const late = await run('x = 1\nwhile True: pass', { timeout: 0.2 })
    expect(late.isError).toBe(true)
    expect(structured(late)).toMatchObject({ error: { type: 'TimeoutError' } })

    const controller = new AbortController()
    const progress: (string | undefined)[] = []
    const running = client.callTool(
      { name: 'run_python', arguments: { code: 'print("going", flush=True)\nwhile True: pass' } },
      {
        signal: controller.signal,
        onprogress: ({ message }) => {
          progress.push(message)
          controller.abort()
        },
      },
    )
    await expect(running).rejects.toThrow(/abort/i)
    expect(progress[0]).toBe('going')
    // This call waits for the cancelled code to end.
    expect(structured(await run('x')).value).toBe(1)
  })

  test('rejects arguments that are not in its schema, and invalid session names', async () => {
    ;({ call } = await freshClient({ maxTimeoutMs: 60_000 }))
    for (const args of [{}, { code: 1 }, { code: '1', more: 1 }, { code: '1', timeout: 61 }])
      expect(textOf(await call('run_python', args))).toMatch(/^Input validation error/)
    expect(textOf(await run('1', { session: '../x' }))).toMatch(/^Input validation error/)
    await expect(call('no_such_tool')).rejects.toThrow(/not found/)
  })
})

test('sessions can be forked, saved, restored, reset and deleted', async () => {
  ;({ call } = await freshClient({ maxSessions: 2 }))
  await run('x = 1\nopen("f.txt", "w").write("one")')
  expect((await call('snapshot', { name: 'one' })).isError).toBeFalsy()
  await run('x = 2')
  expect((await call('fork', { name: 'copy' })).isError).toBeFalsy()
  await run('x = 3', { session: 'copy' })
  expect(textOf(await run('x'))).toBe('2')
  expect(textOf(await call('list_sessions'))).toBe('sessions: copy, default\nsnapshots: one')

  await call('restore', { name: 'one' })
  expect(textOf(await run('x, open("f.txt").read()'))).toBe("(1, 'one')")
  expect(textOf(await run('x', { session: 'copy' }))).toBe('3')
  // Saving under the same name replaces the snapshot.
  await run('x = 4')
  await call('snapshot', { name: 'one' })
  await call('restore', { name: 'one', session: 'copy' })
  expect(textOf(await run('x', { session: 'copy' }))).toBe('4')

  expect(textOf(await run('1', { session: 'third' }))).toMatch(
    /2 sessions, which is the limit.*copy, default/,
  )
  expect(textOf(await call('fork', { name: 'copy' }))).toMatch(/there is a session copy already/)
  expect(textOf(await call('restore', { name: 'two' }))).toMatch(/no snapshot two; there are: one/)
  expect(textOf(await call('reset_session', { session: 'copy' }))).toMatch(/fresh/)
  expect(textOf(await run('"x" in globals()', { session: 'copy' }))).toBe('False')
  expect(textOf(await call('reset_session', { session: 'copy', delete: true }))).toMatch(/^deleted/)
  expect(textOf(await call('reset_session', { snapshot: 'one' }))).toMatch(/^deleted/)
  const { sessions, snapshots } = structured(await call('list_sessions'))
  expect([sessions, snapshots]).toMatchObject([[{ name: 'default', executionCount: expect.any(Number) }], []])
})

test('concurrent calls can save, restore and delete the same snapshot', async () => {
  const manager = await sharedManager(options)
  const tenant = `tenant-${++tenants}`
  const { call: one } = await connected({ manager, tenant })
  // A second server for the same sessions.
  const { call: two } = await connected({ manager, tenant })
  await one('run_python', { code: 'x = 1' })
  await one('snapshot', { name: 'base' })
  const restored = ['a', 'b'].flatMap((session) =>
    [one, two].map((call) => call('restore', { session, name: 'base' })),
  )
  const saved = [one, two].flatMap((call) => ['base', 'new'].map((name) => call('snapshot', { name })))
  const results = await Promise.all([...restored, ...saved])
  expect(results.filter(({ isError }) => isError).map(textOf)).toEqual([])
  expect(structured(await one('run_python', { code: 'x', session: 'b' })).value).toBe(1)

  const calls = [one, two].flatMap((call) => [
    call('snapshot', { name: 'base' }),
    call('restore', { name: 'base' }),
    call('reset_session', { snapshot: 'base' }),
  ])
  // A restore that runs after a deletion finds no snapshot.
  const refused = (await Promise.all(calls)).filter(({ isError }) => isError).map(textOf)
  expect(refused.filter((message) => !message.startsWith('there is no snapshot base'))).toEqual([])
})

test('files can be written, listed and read, large ones in parts', async () => {
  ;({ call } = await freshClient({ maxTextLength: 1000 }))
  await call('write_file', { path: 'data/text.txt', content: `${'ä'.repeat(700)}.` })
  await call('write_file', { path: '/tmp/bin', content: 'AP8=', encoding: 'base64' })
  expect(structured(await call('list_files', { path: 'data' }))).toEqual({
    path: '/home/pyodide/data',
    entries: [{ name: 'text.txt', type: 'file', sizeBytes: 1401 }],
    more: 0,
  })
  const text = textOf(await call('read_file', { path: 'data/text.txt' }))
  expect(text).toBe(`${'ä'.repeat(500)}\n[… 401 bytes follow; read them with offset 1000 …]`)
  expect(textOf(await call('read_file', { path: 'data/text.txt', offset: 1000 }))).toBe(`${'ä'.repeat(200)}.`)
  expect((await call('read_file', { path: '/tmp/bin' })).content).toMatchObject([
    { type: 'resource', resource: { blob: 'AP8=' } },
  ])
  expect(textOf(await run('open("/tmp/bin", "rb").read()'))).toBe(String.raw`b'\x00\xff'`)
  expect(textOf(await call('read_file', { path: 'nope' }))).toMatch(/ENOENT/)
  // An entry that cannot be inspected does not hide the other entries.
  await run(
    String.raw`import os; os.mkdir('odd'); [open(f'odd/{name}', 'w').close() for name in ('a', '\udc80b')]`,
  )
  expect(structured(await call('list_files', { path: 'odd' })).entries).toEqual([
    { name: 'a', type: 'file', sizeBytes: 0 },
    { name: '\ufffdb', type: 'unknown' },
  ])
  expect(textOf(await call('list_files', { path: '/dev' }))).toMatch(/^null {2}\(unknown\)$/m)
  expect(textOf(await call('write_file', { path: 'x', content: '%', encoding: 'base64' }))).toMatch(/base64/)
})

test('a tenant cannot see another tenant’s sessions or outputs', async () => {
  const one = await freshClient({ maxTextLength: 1000 })
  const two = await freshClient()
  const long = await one.call('run_python', {
    code: 'x = 1\nopen("f", "w").write("secret")\nprint("a" * 2000)',
  })
  const uris = long.content.flatMap((part) => (part.type === 'resource_link' ? [part.uri] : []))
  expect(uris).toHaveLength(2)
  expect(textOf(await two.call('list_sessions'))).toBe('sessions: none\nsnapshots: none')
  expect(textOf(await two.call('run_python', { code: '"x" in globals()' }))).toBe('False')
  for (const uri of uris) {
    await one.client.readResource({ uri })
    await expect(two.client.readResource({ uri })).rejects.toThrow(/not found/i)
  }
})

test('invalid options are rejected', async () => {
  const manager = await sharedManager(options)
  const refused = (more: object) => connected({ manager, ...more })
  await expect(refused({ maxSession: 1 })).rejects.toThrow(/unknown option "maxSession"/)
  await expect(refused({ maxTextLength: 10 })).rejects.toThrow(/maxTextLength: expected/)
  await expect(refused({ connect: ['"node'] })).rejects.toThrow(
    /connect\[0\]: expected a command whose quotes end/,
  )
  await expect(connected({ manager: new MemoryStore() as never })).rejects.toThrow(/manager: expected/)
})
