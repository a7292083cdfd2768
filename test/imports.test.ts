// Import rules between source files: no cycles, and folders import in one direction only.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { circlesOf, forbiddenImports, type ImportGraph, readImports } from './support/import-graph.js'

// Lowest first; CONTRIBUTING.md has the same lists. The library and the workers do not import each other: code that both need lives in
// the shared folders, which import neither.
const SHARED = [
  'src/shared',
  'src/shared/threads',
  'src/shared/values',
  'src/shared/image',
  'src/shared/snapshot',
  'src/shared/messages',
]
const LIBRARY = [
  'src/deferred.ts',
  'src/telemetry',
  'src/store',
  'src/stores',
  'src/opentelemetry',
  'src/install',
  'src/options',
  'src/memory',
  'src/image',
  'src/packages',
  'src/vfs',
  'src/callbacks',
  'src/slots',
  'src/session',
  'src/session.ts',
  'src/image.ts',
  'src/options.ts',
  'src/manager',
  'src/manager.ts',
  'src/index.ts',
  'src/http',
  'src/presentation',
  'src/restate',
  'src/ai-sdk',
  'src/anthropic',
  'src/openai-agents',
  'src/e2b',
  'src/langchain',
  'src/just-bash',
  'src/mcp',
  'src/server',
  'src/client',
  'src/cli',
]
const WORKERS = [
  'workers/copy.ts',
  'workers/web-assembly.ts',
  'workers/page-xor.ts',
  'workers/host/errno.ts',
  'workers/image-files.ts',
  'workers/image-bytes.ts',
  'workers/host/abi.ts',
  'workers/host/bound-exports.ts',
  'workers/host/guest-memory.ts',
  'workers/host/stack-reserve.ts',
  'workers/host/guard.ts',
  'workers/memory',
  'workers/host/output.ts',
  'workers/host/fs',
  'workers/host/mounts',
  'workers/host/file-system.ts',
  'workers/host/calendar.ts',
  'workers/host/rule-zone.ts',
  'workers/host/time-zone.ts',
  'workers/host/state',
  'workers/host/table',
  'workers/host',
  'workers/wasm',
  'workers/interpreter',
  'workers/snapshot',
  'workers/slot',
  'workers/storage',
  'workers/linker',
  'workers/builder',
  'workers/seal.ts',
  'workers/slot.ts',
  'workers/storage.ts',
  'workers/builder.ts',
  'workers/image-loader.ts',
]
const ORDER = [SHARED, LIBRARY, WORKERS]

describe('imports', () => {
  const graph = readImports('src', 'workers')

  it('have no cycles', () => {
    expect(circlesOf(graph)).toEqual([])
  })

  it('have no cycles outside the library either', () => {
    const all = readImports('src', 'workers', 'bench', 'chaos', 'examples', 'test')
    expect(all.size).toBeGreaterThan(graph.size)
    expect(circlesOf(all)).toEqual([])
  })

  it('go from a folder to itself or further down', () => {
    expect(forbiddenImports(graph, ORDER)).toEqual([])
  })

  it('have the order that CONTRIBUTING.md shows', () => {
    const text = readFileSync(new URL('../CONTRIBUTING.md', import.meta.url), 'utf8')
    const [, block = ''] = text.slice(text.indexOf('## Imports')).split('```')
    const lists = block.trim().split('\n\n')
    expect(lists.map((list) => list.split('<').map((name) => name.trim()))).toEqual(ORDER)
  })
})

describe('the walk over the imports', () => {
  const graph: ImportGraph = new Map([
    ['src/low/a.ts', ['src/high/b.ts']],
    ['src/high/b.ts', ['src/high/c.ts']],
    ['src/high/c.ts', ['src/low/a.ts', 'src/low/d.ts']],
    ['src/low/d.ts', []],
  ])

  it('finds a cycle, and leaves out a file that only leads to it', () => {
    expect(circlesOf(graph)).toEqual([['src/high/b.ts', 'src/high/c.ts', 'src/low/a.ts']])
  })

  it('reports an import of a higher folder, and the longest matching name decides', () => {
    expect(forbiddenImports(graph, [['src/low', 'src/high']])).toEqual(['src/low/a.ts -> src/high/b.ts'])
    expect(forbiddenImports(graph, [['src/high/b.ts', 'src/low', 'src/high']])).toEqual([
      'src/high/b.ts -> src/high/c.ts',
    ])
  })

  it('reports an import from another list, except from the first list', () => {
    expect(forbiddenImports(graph, [[], ['src/low'], ['src/high']])).toEqual([
      'src/low/a.ts -> src/high/b.ts',
      'src/high/c.ts -> src/low/a.ts',
      'src/high/c.ts -> src/low/d.ts',
    ])
    expect(forbiddenImports(graph, [['src/low'], ['src/high']])).toEqual(['src/low/a.ts -> src/high/b.ts'])
  })

  it('rejects a file that is missing from the order', () => {
    expect(() => forbiddenImports(graph, [['src/low']])).toThrow('src/high/b.ts has no place')
  })

  it('reads type-only imports and re-exports of real files', () => {
    const imports = readImports('src', 'workers').get('src/index.ts')
    expect(imports).toContain('src/session.ts')
    const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
    expect(index).toMatch(/export type \{[^}]*\bSession\b/)
  })
})
