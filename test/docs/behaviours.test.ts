// Every id cited in a test's name is explained in docs/behaviour.md, docs/threats.md or CONTRIBUTING.md.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ID = '[A-IN-S]\\d{1,2}'
const CITATION = new RegExp(`['\`](${ID}(?:, ${ID})*): `, 'g')

test('every id cited in the name of a test is explained', () => {
  const names = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  const cited = names
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(`${root}test/${name}`, 'utf8').matchAll(CITATION)])
    .flatMap(([, ids = '']) => ids.split(', '))
  const pages = ['docs/behaviour.md', 'docs/threats.md', 'CONTRIBUTING.md'].map((name) =>
    readFileSync(root + name, 'utf8'),
  )
  const explained = pages.flatMap((page) => [...page.matchAll(/^(?:\| |\s*- )([A-Z]\d[^|:]*)(?: \||:)/gm)])
  const ids = new Set(explained.flatMap(([, ids = '']) => ids.trim().split(', ')))
  expect(cited.length).toBeGreaterThan(100)
  expect([...new Set(cited)].filter((id) => !ids.has(id))).toEqual([])
})
