// SECURITY.md compared with the repository: what its table names exists, and it has every class of the corpus.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readCorpus } from '../attacks/support/header.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8')
const rows = [...page.matchAll(/^\| (.+?) \| .+ \| (?:L[123]|—) \| (.+) \|$/gm)].map(
  ([, title = '', tests = '']) => ({
    title,
    tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
  }),
)
const corpus = readCorpus()

test('SECURITY.md: every test named in the table exists, and every row names one', () => {
  expect(rows.length).toBeGreaterThan(20)
  for (const { title, tests } of rows) {
    expect(tests, title).not.toEqual([])
    expect(
      tests.filter((path) => !existsSync(join(root, path))),
      title,
    ).toEqual([])
  }
})

test('SECURITY.md: the table names every test of security, attacks and memory', () => {
  const named = new Set(rows.flatMap(({ tests }) => tests))
  const files = ['test/security', 'test/attacks', 'test/memory'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => `${folder}/${file}`),
  )
  expect(files.filter((path) => !named.has(path))).toEqual([])
})

test('SECURITY.md: the page names every fuzzer', () => {
  const fuzzers = readdirSync(join(root, 'test/fuzz'))
    .flatMap((file) => /^(\w+)\.(?:ts|mjs)$/.exec(file)?.[1] ?? [])
    .filter((name) => !['main', 'run', 'random'].includes(name))
  const paragraph = /`npm run fuzz.+?\n\n/s.exec(page)?.[0] ?? ''
  expect(fuzzers.filter((name) => !paragraph.includes(`\`${name}\``))).toEqual([])
})

test('SECURITY.md: the table has a row for every class of the corpus, and no others', () => {
  const inTable = rows.flatMap(({ title }) => /^`([^`]+)`$/.exec(title)?.[1] ?? [])
  expect(inTable.toSorted()).toEqual([...new Set(corpus.map((attack) => attack.class))].toSorted())
})

test('the corpus: a test file runs each of its classes', () => {
  const runners = ['escapes', 'interpreter', 'exhaustion', 'thread', 'messages', 'files']
  const sources = runners
    .map((name) => readFileSync(join(root, `test/attacks/${name}.test.ts`), 'utf8'))
    .join()
  // Tests run all of L2, and all of L3 that is not a file, so only the other classes have to be named.
  const named = corpus.filter(({ level, class: name }) => level === 'L1' || name === 'snapshot-files')
  expect(named.filter((attack) => !sources.includes(`'${attack.class}'`)).map(({ id }) => id)).toEqual([])
})

test('the corpus: every attack has a complete header, and each level has attacks', () => {
  for (const level of ['L1', 'L2', 'L3']) {
    const attacks = corpus.filter((attack) => attack.level === level)
    expect(attacks.length, level).toBeGreaterThan(10)
  }
})

test('package.json: SECURITY.md is in the package', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
  expect(files).toContain('SECURITY.md')
})
