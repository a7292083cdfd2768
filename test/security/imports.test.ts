// Invariant R1 with the whole interpreter: the image's module imports exactly what the document lists, and random arguments to an
// import of a booted interpreter lead only to a number or to the end of that interpreter.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child } from './support/child.js'
import { importSignatures, type Signatures } from './support/wasm-signatures.js'

/** Random calls per import. `npm run fuzz -- --only imports` makes as many as there is time for. */
const CALLS = 1_000
/** An import that always ends the interpreter: only its first call finds an intact one. */
const CALLS_THAT_END = 20
const CLASSES_THAT_WORK = ['file', 'descriptor', 'clock', 'entropy', 'memory', 'signal', 'process', 'library']
const CLASSES_THAT_DO_NOT = ['stub-errno', 'stub-value', 'ends-interpreter']
/** Imports that call a function of the interpreter by its address: they run guest code for any length of time. */
const CALLS_BACK = { 'env.__call_sighandler': 'Oi', 'env._PyEM_TrampolineCall_JS': 'Oiii' }
/** Other imports that may end an interpreter, such as C's free of a pointer that malloc never returned. */
const ENDS = ['__assert_fail', '_abort_js', 'exit', 'ffi_call_js', 'ffi_closure_free_js', 'proc_exit']

interface Tally {
  readonly name: string
  readonly numbers: number
  readonly nothing: number
  readonly ended: number
  readonly others: readonly string[]
  readonly fileBytes: number
  readonly memoryBytes: number
}

type Input =
  | { readonly list: true }
  | {
      readonly imports: readonly (readonly [name: string, letters: string])[]
      readonly calls: number
      readonly again: boolean
    }

/** Names of imports by class, from the tables of docs/host-imports.md. */
function documented(): Map<string, string[]> {
  const text = readFileSync(new URL('../../docs/host-imports.md', import.meta.url), 'utf8')
  const classes = new Map<string, string[]>()
  for (const section of text.split(/^## /m).slice(1)) {
    const names = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name)
    const title = section.split('\n')[0]?.trim() ?? ''
    if ([...CLASSES_THAT_WORK, ...CLASSES_THAT_DO_NOT].includes(title)) classes.set(title, names)
  }
  return classes
}

const pyodide = createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm')
const signatures: Signatures = importSignatures(readFileSync(pyodide))
const unqualified = (name: string) => name.slice(name.indexOf('.') + 1)

let child: Child<Input, readonly (Tally | string)[]>

beforeAll(() => {
  child = new Child('host-imports')
})

afterAll(() => child?.close())

/** @param again - replace an interpreter that has ended, so that later calls still test something */
async function talliesOf(
  again: boolean,
  imports: readonly (readonly [string, string])[],
  calls = CALLS,
): Promise<readonly Tally[]> {
  const result = await child.run({ imports, calls, again }, 45_000)
  if (result.kind !== 'done') throw new Error(JSON.stringify(result))
  expect(result.state.uncaught).toEqual([])
  return result.output as readonly Tally[]
}

async function tallyOf(name: string, letters = signatures.get(name) ?? ''): Promise<Tally> {
  const [tally] = await talliesOf(true, [[name, letters]])
  if (tally === undefined) throw new Error('nothing ran')
  return tally
}

describe('the list of imports', () => {
  it('R1: the host provides every import of the module, and nothing else', async () => {
    const result = await child.run({ list: true })
    if (result.kind !== 'done') throw new Error(JSON.stringify(result))
    const given = result.output as readonly string[]
    const functions = given
      .filter((line) => line.endsWith(' function'))
      .map((line) => line.split(' ')[0] ?? '')
    const globals = given.filter((line) => !line.endsWith(' function'))
    expect(functions.sort()).toEqual([...signatures.keys()].sort())
    expect(globals.every((line) => /^GOT\.func\.\S+ Global$/.test(line))).toBe(true)
  })

  it('R1: the document lists every imported function exactly once', () => {
    const names = [...documented().values()].flat()
    expect(names.sort()).toEqual([...signatures.keys()].map(unqualified).sort())
  })
})

const byClass = documented()
const working = CLASSES_THAT_WORK.flatMap((name) => byClass.get(name) ?? [])
const qualified = (name: string) => [...signatures.keys()].find((each) => unqualified(each) === name) ?? name

describe('imports that work', () => {
  const ends: string[] = []

  it.each(working.map(qualified).filter((name) => !(name in CALLS_BACK)))(
    'R1: %s survives random calls on a real interpreter',
    async (name) => {
      const { others, fileBytes, memoryBytes, numbers, nothing, ended } = await tallyOf(name)
      if (ended > 0) ends.push(unqualified(name))
      expect(others).toEqual([])
      expect(numbers + nothing + ended).toBe(CALLS)
      expect(fileBytes).toBeLessThanOrEqual(2 ** 20)
      expect(memoryBytes).toBeLessThanOrEqual(64 * 2 ** 20)
    },
  )

  it('R1: only imports that may end a program ended the interpreter', () => {
    expect(ENDS).toEqual(expect.arrayContaining(ends))
  })

  it.each(Object.entries(CALLS_BACK))(
    'R1: %s with an invalid index calls no function',
    async (name, letters) => {
      const { others, numbers, ended } = await tallyOf(name, letters)
      expect(others).toEqual([])
      expect(numbers + ended).toBe(CALLS)
    },
  )
})

describe('imports that do nothing', () => {
  it.each(CLASSES_THAT_DO_NOT)('R1: %s: every import survives random calls', async (kind) => {
    const names = (byClass.get(kind) ?? []).map(qualified)
    const tallies = await talliesOf(
      false,
      names.map((name) => [name, signatures.get(name) ?? '']),
      kind === 'ends-interpreter' ? CALLS_THAT_END : CALLS,
    )
    expect(tallies.length).toBe(names.length)
    for (const { name, others, ended, numbers, nothing } of tallies) {
      expect(others, name).toEqual([])
      if (kind === 'ends-interpreter') expect(numbers + nothing, name).toBe(0)
      else expect(ended, name).toBe(0)
    }
  })
})

it('R2: no import has a name that suggests evaluating text, except those that end the interpreter', () => {
  const evaluating = [...signatures.keys()]
    .map(unqualified)
    .filter((name) => /run_script|asm_const|eval|em_js/i.test(name))
  const ending = byClass.get('ends-interpreter') ?? []
  expect(evaluating.filter((name) => !ending.includes(name))).toEqual([])
})
