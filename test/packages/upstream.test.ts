// Runs numpy's and pandas' own tests in a session, and compares the outcomes with those in stock Pyodide. scripts/wheels.mjs fetches the
// tests, which Pyodide's wheels lack. UPSTREAM replaces the default selection: files, or folders such as numpy/lib, separated by spaces.
// The outcomes of the default selection in stock Pyodide are recorded in upstream.json, with a hash of what they depend on. RECORD=1 makes
// that file anew. Other selections run in stock Pyodide too, and so does the default one with PACKAGES=many.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { version as pyodideVersion } from 'pyodide'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WHEELS } from '../linker/support/wheels.js'
import { managerForTest } from '../support/manager.js'
import { MANY, realImage, realImageOptions } from './support/real-image.js'

const PROGRAM = readFileSync(new URL('support/run-upstream.py', import.meta.url), 'utf8')
const STOCK = fileURLToPath(new URL('support/run-in-pyodide.mjs', import.meta.url))
const TESTS = join(WHEELS ?? '', 'tests')
const ARCHIVES = /^(pytest|pluggy|iniconfig|hypothesis|sortedcontainers|tzdata)-/

/** Short tests of many areas: linear algebra, FFT, random numbers, group, join, resample. */
const DEFAULT = [
  ...['numpy/fft/tests/test_pocketfft.py', 'numpy/random/tests/test_seed_sequence.py'],
  ...['numpy/linalg/tests/test_regression.py', 'pandas/tests/resample/test_time_grouper.py'],
  ...['pandas/tests/reshape/merge/test_merge_cross.py', 'pandas/tests/groupby/test_filters.py'],
]
const PREFIXES = process.env.UPSTREAM?.split(' ') ?? DEFAULT
const RECORD = fileURLToPath(new URL('upstream.json', import.meta.url))

const HOW = 'RECORD=1 npx vitest run test/packages/upstream.test.ts writes this file, with BRUMATE_WHEELS set'

interface Outcomes {
  readonly code: number
  readonly report: string
  readonly outcomes: Readonly<Record<string, string>>
}

/** The input of the program: test files, archives with their dependencies, and modules to run. */
function upstream(): {
  files: Record<string, string>
  archives: Record<string, Uint8Array>
  modules: string[]
} {
  const folder = WHEELS as string
  const paths = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.py'))
    .toSorted()
  const modules = paths.filter(
    (path) => /\/test_[^/]*\.py$/.test(path) && PREFIXES.some((prefix) => path.startsWith(prefix)),
  )
  const folders = new Set(modules.map((path) => dirname(path)))
  // Helpers shared by tests. numpy's conftest.py is left out: it only sets up what these tests do not need.
  const helpers = paths.filter(
    (path) => !/\/test_[^/]*\.py$/.test(path) && (path.startsWith('pandas/') || folders.has(dirname(path))),
  )
  const files: Record<string, string> = {}
  for (const path of [...helpers, ...modules]) {
    const text = readFileSync(join(TESTS, path), 'utf8')
    // Leave out empty __init__.py files: pytest would take the folder for a package and look for its tests elsewhere.
    if (!path.endsWith('__init__.py') || text.trim() !== '') files[path] = text
  }
  const archives = readdirSync(folder).filter((name) => ARCHIVES.test(name))
  return {
    ...{ files, modules },
    archives: Object.fromEntries(
      archives.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]),
    ),
  }
}

async function inSession(given: ReturnType<typeof upstream>): Promise<Outcomes> {
  const limits = { memoryBytes: 2 ** 31, fileBytes: 2 ** 28, outputBytes: 2 ** 28 }
  const manager = await managerForTest({ image: await realImage(), slots: 1, limits })
  const session = await manager.createSession({ executionTimeoutMs: null, checkpoint: 'manual' })
  await session.set('upstream', given)
  await session.execute(PROGRAM)
  return JSON.parse(String(await session.get('outcomes')))
}

/** Runs in a process of its own: Pyodide blocks its thread, and the session needs this thread to be granted memory. */
async function inPyodide(given: ReturnType<typeof upstream>): Promise<Outcomes> {
  const { lock, wheels } = realImageOptions()
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as { packages: { file: string }[] }
  const urls = packages.map(({ file }) => pathToFileURL(join(wheels, file)).href)
  const child = fork(STOCK, [], { serialization: 'advanced' })
  onTestFinished(() => void child.kill())
  const outcomes = new Promise<Outcomes>((resolve, reject) => {
    child.once('message', (text: string) => resolve(JSON.parse(text)))
    child.once('exit', (code) => reject(new Error(`stock Pyodide ended with ${code}`)))
  })
  child.send({ urls, globals: { upstream: given }, program: PROGRAM, result: 'outcomes' })
  return outcomes
}

/** What the recorded outcomes depend on: Pyodide, the wheels (which include the tests), the program, and the selection. */
function recordKey(): string {
  const hash = createHash('sha256').update(pyodideVersion).update(PROGRAM).update(JSON.stringify(DEFAULT))
  for (const name of ['wheels.txt', 'locks/few.lock.json'])
    hash.update(readFileSync(new URL(name, import.meta.url)))
  return hash.digest('hex')
}

/** The outcomes in stock Pyodide: recorded, or those of a run. */
async function stockOutcomes(given: ReturnType<typeof upstream>): Promise<Outcomes> {
  if (PREFIXES !== DEFAULT || MANY) return inPyodide(given)
  if (process.env.RECORD) {
    const { code, report, outcomes } = await inPyodide(given)
    const record = { how: HOW, key: recordKey(), code, report, outcomes }
    writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`)
  }
  const { key, ...recorded } = JSON.parse(readFileSync(RECORD, 'utf8')) as Outcomes & { key: string }
  expect(key, `upstream.json was recorded with other inputs: ${HOW}`).toBe(recordKey())
  return recorded
}

describe.skipIf(!existsSync(TESTS))('tests of numpy and pandas', () => {
  it('have the same outcomes as in stock Pyodide', async () => {
    const given = upstream()
    const [{ code, report, outcomes }, stock] = await Promise.all([inSession(given), stockOutcomes(given)])
    const counts: Record<string, number> = {}
    for (const outcome of Object.values(outcomes)) {
      const kind = outcome.replace(/:.*/s, '')
      counts[kind] = (counts[kind] ?? 0) + 1
    }
    console.log(JSON.stringify(counts))
    expect(outcomes).toEqual(stock.outcomes)
    expect([code, report]).toEqual([stock.code, stock.report])
    expect(counts.passed).toBeGreaterThan(100)
  }, 3_600_000)
})
