// docs/benchmarks.md, its charts and README's headline rows are exactly what the script generates from the committed results.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pages } from '../../bench/page/pages.js'
import { comparedResults } from '../../bench/peers/compare.js'
import { behind, Collected, type Results } from '../../bench/peers/results.js'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const results: Results = JSON.parse(read('bench/results/latest.json'))

describe('the benchmarks page', () => {
  test('equals the output of `node bench/run.mjs peers --page`, with its charts and the rows in README', () => {
    const written = pages(results, read)
    expect(written.length).toBeGreaterThan(3)
    for (const [path, text] of written) expect(read(path) === text, `${path} is not generated`).toBe(true)
  })

  test('names every row in which a peer is ahead, before the tables', () => {
    const head = read('docs/benchmarks.md').split('## All rows')[0] ?? ''
    for (const { row } of behind(results)) expect(head).toContain(`${row.group}: ${row.title}`)
  })
})

describe('results', () => {
  const group = { name: 'g', title: 'G', rounds: 1, rows: [], measure: async () => {} }
  const spec = { id: 'r', title: 'r', unit: 'ms', state: 'warm' } as const
  const withSamples = (brumate: number[], eryx: number[]): Results => {
    const collected = new Collected()
    collected.add('g', 'brumate', { r: { samples: brumate } })
    collected.add('g', 'eryx', { r: { samples: eryx } })
    return { ...results, rows: [collected.row(group, spec, ['brumate', 'eryx'])] }
  }

  test('keep the reason that any round gave instead of figures', () => {
    const collected = new Collected()
    collected.add('g', 'eryx', { r: { cannot: 'why' } })
    collected.add('g', 'eryx', { r: { samples: [1] } })
    expect(collected.row(group, spec, ['eryx']).cells).toEqual({ eryx: { cannot: 'why' } })
  })

  test('are compared row by row, and noise is left out', () => {
    const before = withSamples([10, 10, 10], [20, 20, 20])
    const after = withSamples([5, 5, 5], [20, 20, 21])
    const text = comparedResults(before, after)
    expect(text).toContain('g/r, brumate: 10 → 5 ms')
    expect(text).not.toContain('eryx')
  })

  test('list where a peer is ahead, and by how much', () => {
    expect(behind(withSamples([20], [10]))).toMatchObject([{ peer: 'eryx', times: 2 }])
    expect(behind(withSamples([10], [10]))).toEqual([])
  })
})
