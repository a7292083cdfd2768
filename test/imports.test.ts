// The imports between source files: no circles, and between folders in one direction only.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { circlesOf, type ImportGraph, readImports, upwardImports } from './support/import-graph.js'

describe('imports', () => {
  const graph = readImports('src', 'workers')

  it('form no circles', () => {
    expect(circlesOf(graph)).toEqual([])
  })
})

describe('the walk over the imports', () => {
  const graph: ImportGraph = new Map([
    ['src/low/a.ts', ['src/high/b.ts']],
    ['src/high/b.ts', ['src/high/c.ts']],
    ['src/high/c.ts', ['src/low/a.ts', 'src/low/d.ts']],
    ['src/low/d.ts', []],
  ])

  it('finds a circle, and no file that only leads to it', () => {
    expect(circlesOf(graph)).toEqual([['src/high/b.ts', 'src/high/c.ts', 'src/low/a.ts']])
  })

  it('finds an import that goes up, and takes the longest name that fits', () => {
    expect(upwardImports(graph, ['src/low', 'src/high'])).toEqual(['src/low/a.ts -> src/high/b.ts'])
    expect(upwardImports(graph, ['src/high/b.ts', 'src/low', 'src/high'])).toEqual([
      'src/high/b.ts -> src/high/c.ts',
    ])
  })

  it('refuses a file that has no place in the order', () => {
    expect(() => upwardImports(graph, ['src/low'])).toThrow('src/high/b.ts has no place')
  })

  it('reads type-only imports and re-exports of real files', () => {
    const imports = readImports('src', 'workers').get('src/index.ts')
    expect(imports).toContain('src/session.ts')
    const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
    expect(index).toMatch(/export type \{[^}]*\bSession\b/)
  })
})
