// A VfsStorage as the file backend of deepagents.
import type { BaseMessage } from '@langchain/core/messages'
import { InvalidOptionError, VfsStorage } from 'brumate'
import { pythonMiddleware, VfsBackend } from 'brumate/langchain'
import { type BackendProtocolV2, CompositeBackend, createDeepAgent, StateBackend } from 'deepagents'
import { afterAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'
import { python, ScriptedModel } from './support/scripted-model.js'

let storage: VfsStorage
let backend: VfsBackend
const opened: VfsStorage[] = []

beforeEach(async () => {
  storage = new VfsStorage()
  opened.push(storage)
  backend = new VfsBackend(storage)
  await storage.mkdir('/src/deep', { recursive: true })
  await storage.writeFile('/src/main.py', 'import os\nprint(1)\n')
  await storage.writeFile('/src/deep/util.py', 'def f():\n    return os\n')
  await storage.writeFile('/src/data.csv', 'a,b\n1,2\n')
  await storage.writeFile('/logo.png', Buffer.from([0x89, 0x50, 0xff, 0xfe]))
})

afterAll(async () => {
  for (const one of opened) await one.close()
})

test('VfsBackend implements deepagents’ backend interface', () => {
  expectTypeOf<VfsBackend>().toExtend<BackendProtocolV2>()
  expect(() => new VfsBackend({} as never)).toThrow(InvalidOptionError)
})

test('lists a directory, and returns errors as text', async () => {
  expect(await backend.ls('/')).toMatchObject({
    files: [
      { path: '/logo.png', is_dir: false, size: 4 },
      { path: '/src/', is_dir: true },
    ],
  })
  expect(await backend.ls('/none')).toEqual({ error: expect.stringContaining('ENOENT') })
})

test('reads a range of lines of text files, and all bytes of other files', async () => {
  expect(await backend.read('/src/main.py', 1, 1)).toEqual({
    ...{ content: 'print(1)', mimeType: 'text/x-python', totalLines: 2, startLine: 2, endLine: 2 },
  })
  expect(await backend.read('/src/main.py', 0, 1)).toMatchObject({ content: 'import os', nextOffset: 1 })
  expect(await backend.read('/src/main.py', 9)).toEqual({ error: expect.stringMatching(/exceeds/) })
  const { content, mimeType } = (await backend.read('/logo.png')) as { content: Uint8Array; mimeType: string }
  expect([content.length, mimeType]).toEqual([4, 'image/png'])
  expect(await backend.readRaw('/src/data.csv')).toMatchObject({
    data: { content: 'a,b\n1,2\n', mimeType: 'text/csv' },
  })
})

test('writes create parent directories, and an edit must match exactly once unless all matches are replaced', async () => {
  expect(await backend.write('/new/a/b.txt', 'one two one')).toEqual({
    path: '/new/a/b.txt',
    filesUpdate: null,
  })
  expect(await backend.edit('/new/a/b.txt', 'one', '1')).toEqual({ error: expect.stringMatching(/2 times/) })
  expect(await backend.edit('/new/a/b.txt', 'three', '3')).toEqual({ error: expect.stringMatching(/not in/) })
  expect(await backend.edit('/new/a/b.txt', 'one', '$&', true)).toMatchObject({ occurrences: 2 })
  expect(await storage.readFile('/new/a/b.txt', 'utf8')).toBe('$& two $&')
  expect(await backend.delete('/new')).toMatchObject({ path: '/new' })
  expect(await storage.list('/')).not.toContain('new')
})

describe('searching', () => {
  test.each([
    ['*.py', '/src', ['/src/main.py']],
    ['**/*.py', '/', ['/src/deep/util.py', '/src/main.py']],
    ['src/**', '/', ['/src/data.csv', '/src/deep/util.py', '/src/main.py']],
    ['**/*.{csv,png}', '/', ['/logo.png', '/src/data.csv']],
    ['**/[a-m]*.?y', '/', ['/src/main.py']],
    ['**/[!a-m]*', '/src', ['/src/deep/util.py']],
  ])('glob %s in %s', async (pattern, path, expected) => {
    const { files } = (await backend.glob(pattern, path)) as { files: { path: string }[] }
    expect(files.map((file) => file.path).sort()).toEqual(expected)
  })

  test('pathological patterns are matched quickly', async () => {
    await storage.writeFile(`/${'a'.repeat(200)}`, '')
    expect(await backend.glob(`${'*a'.repeat(100)}*b`)).toEqual({ files: [] })
    expect(await backend.glob('**/'.repeat(200) + '{a,b}'.repeat(50))).toMatchObject({ files: [] })
  })

  test('a search that takes too long or finds too much stops and says so', async () => {
    const name = 'a'.repeat(200)
    for (let i = 0; i < 30; i++) await storage.writeFile(`/${name}${i}`, '')
    const slow = `*${'a'.repeat(100)}{${Array.from({ length: 100 }, (_, i) => i).join(',')}}b`
    expect(await backend.glob(slow)).toMatchObject({ error: expect.stringMatching(/takes too long/) })
    expect(await backend.glob('{a,b}'.repeat(5000))).toMatchObject({
      error: expect.stringMatching(/at most 1000 characters/),
    })
    await storage.writeFile('/empty-lines', '\n'.repeat(20_000))
    const { matches, truncated } = (await backend.grep('', '/empty-lines')) as {
      matches: unknown[]
      truncated?: boolean
    }
    expect([matches.length, truncated]).toEqual([10_000, true])
  })

  test('grep finds literal text in text files', async () => {
    expect(await backend.grep('os', '/src', '*.py')).toEqual({
      matches: expect.arrayContaining([
        { path: '/src/main.py', line: 1, text: 'import os' },
        { path: '/src/deep/util.py', line: 2, text: '    return os' },
      ]),
    })
    expect(await backend.grep('(', '/src/main.py')).toMatchObject({ matches: [{ line: 2 }] })
    expect(await backend.grep('o', null, null, 1)).toMatchObject({ matches: [{}], truncated: true })
  })
})

test('concurrent edits are all applied, and an edit that makes a file too long is rejected', async () => {
  await backend.write('/notes', 'a b c')
  const other = new VfsBackend(storage)
  await Promise.all([
    backend.edit('/notes', 'a', 'A'),
    other.edit('notes', 'b', 'B'),
    backend.edit('/notes', 'c', 'C'),
  ])
  expect(await backend.read('/notes')).toMatchObject({ content: 'A B C' })
  await backend.write('/long', 'a'.repeat(1_000_000))
  expect(await backend.edit('/long', 'a', 'x'.repeat(1000), true)).toMatchObject({
    error: expect.stringMatching(/longer than/),
  })
  expect(await backend.read(undefined as never)).toMatchObject({ error: expect.stringMatching(/a path/) })
})

test('files are uploaded and downloaded as bytes', async () => {
  const bytes = new Uint8Array([0, 255])
  expect(
    await backend.uploadFiles([
      ['/up/x.bin', bytes],
      ['/src', bytes],
    ]),
  ).toEqual([
    { path: '/up/x.bin', error: null },
    { path: '/src', error: 'is_directory' },
  ])
  expect(await backend.downloadFiles(['/up/x.bin', '/none'])).toMatchObject([
    { content: bytes, error: null },
    { content: null, error: 'file_not_found' },
  ])
})

test('a deep agent’s file tools and its Python see the same files at the same paths', async () => {
  const manager = await sharedManager({ slots: 2 })
  const model = new ScriptedModel(
    { name: 'write_file', args: { file_path: '/shared/in.csv', content: 'a\n1\n2\n' } },
    python(
      "open('/shared/out.txt', 'w').write(str(sum(int(line) for line in list(open('/shared/in.csv'))[1:])))",
    ),
    { name: 'read_file', args: { file_path: '/shared/out.txt' } },
  )
  const agent = createDeepAgent({
    model,
    backend: new CompositeBackend(new StateBackend(), { '/shared/': backend }),
    middleware: [
      pythonMiddleware({ manager, session: () => ({ vfs: storage, vfsMountPath: '/shared' }) }),
    ] as never,
  })
  const input = { messages: [{ role: 'user', content: 'go' }] }
  // With middleware, the types of deep agents are too deep for the compiler.
  const { invoke } = agent as unknown as {
    invoke(input: object, config: object): Promise<{ messages: BaseMessage[] }>
  }
  const { messages } = await invoke.call(agent, input, { configurable: { thread_id: 'deep' } })
  expect(messages.map(({ text }) => text).join('\n')).toMatch(/^3$/m)
  expect(await storage.readFile('/out.txt', 'utf8')).toBe('3')
})
