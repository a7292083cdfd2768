// Reads the attack files: one attack per file, with its facts in a header of comments, followed by its code. Owns the header's grammar,
// but not running attacks.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CORPUS = fileURLToPath(new URL('..', import.meta.url))

/** L1: Python. L2: JavaScript in a slot's thread. L3: any message or file, sent to the main thread. */
export type Level = 'L1' | 'L2' | 'L3'

/**
 * One way an attack may end: `any`, `result [repr]`, `error`, `python [types]`, `timeout [outcome]`, `limit [name]`, `crash [outcome]`,
 * `refused [names]`.
 */
export interface Expectation {
  readonly kind: 'any' | 'result' | 'error' | 'python' | 'timeout' | 'limit' | 'crash' | 'refused'
  /** What follows the kind: a repr, or names of which one has to match. */
  readonly rest: string
}

/** What shows that an attack succeeded: a new file, a leaked secret, a connection, or the word `reached` in the output. */
export type Evidence = 'marker' | 'leak' | 'connection' | 'reached'

export interface Attack {
  /** File name without its extension; unique in the corpus. */
  readonly id: string
  readonly title: string
  readonly level: Level
  /** A class of the table in SECURITY.md. */
  readonly class: string
  /** Any of these outcomes is accepted. */
  readonly expect: readonly Expectation[]
  /** What shows that the attack is real: `pyodide`, `outcome`, or `none` and the reason. */
  readonly control: string
  readonly evidence: Evidence | undefined
  /** The text that every step must have written to stdout, if it is fixed. */
  readonly stdout: string | undefined
  readonly prelude: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly limits: Readonly<Record<string, number | null>>
  readonly timeoutMs: number
  /** Whether the session is unusable after the attack until `reset`. */
  readonly recover: boolean
  /** Maximum resident memory of the process, including its four slots, excluding what earlier attacks left. */
  readonly rssMib: number
  /** The expected arguments of callbacks, if they are fixed. */
  readonly calls: readonly unknown[] | undefined
  readonly path: string
  /** Everything below the header. */
  readonly code: string
}

const KEYS = new Set([
  ...['id', 'title', 'level', 'class', 'expect', 'control', 'evidence', 'stdout', 'prelude', 'env', 'limits'],
  ...['timeout-ms', 'recover', 'rss-mib', 'calls'],
])
const KINDS = ['any', 'result', 'error', 'python', 'timeout', 'limit', 'crash', 'refused'] as const
const LEVELS: readonly string[] = ['L1', 'L2', 'L3']
const EVIDENCE: readonly string[] = ['marker', 'leak', 'connection', 'reached']
const FOLDERS = { python: '.py', thread: '.mjs', message: '.mjs', file: '.mjs' } as const

/** All attacks, sorted by file name. @throws Error naming the file if its header is invalid */
export function readCorpus(): readonly Attack[] {
  const attacks = Object.entries(FOLDERS).flatMap(([folder, ending]) =>
    filesBelow(join(CORPUS, folder), ending).map(readAttack),
  )
  const ids = new Set<string>()
  for (const { id, path } of attacks) {
    if (ids.has(id)) throw new Error(`${path}: another attack has the id ${id}`)
    ids.add(id)
  }
  return attacks
}

export function readPrelude(name: string): string {
  return readFileSync(join(CORPUS, 'preludes', `${name}.py`), 'utf8')
}

function filesBelow(directory: string, ending: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending))
  return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()
}

function readAttack(path: string): Attack {
  const name = relative(CORPUS, path).split(sep).join('/')
  const fail = (problem: string) => new Error(`test/attacks/${name}: ${problem}`)
  const lines = readFileSync(path, 'utf8').split('\n')
  const fields = new Map<string, string>()
  let line = 0
  for (; line < lines.length; line++) {
    const [, key, value] = /^(?:#|\/\/) ([a-z-]+):(?: (.*))?$/.exec(lines[line] ?? '') ?? []
    if (key === undefined) break
    if (!KEYS.has(key)) throw fail(`unknown header ${key}`)
    if (fields.has(key)) throw fail(`header ${key} twice`)
    fields.set(key, value ?? '')
  }
  const required = (key: string) => {
    const value = fields.get(key)
    if (!value) throw fail(`header ${key} is missing`)
    return value
  }
  const id = required('id')
  if (id !== basename(path).replace(/\.\w+$/, '')) throw fail(`the id is ${id}, and not the file's name`)
  const level = required('level')
  if (!LEVELS.includes(level)) throw fail(`level: expected ${LEVELS.join(', ')}, got ${level}`)
  const evidence = fields.get('evidence')
  if (evidence !== undefined && !EVIDENCE.includes(evidence)) throw fail(`unknown evidence ${evidence}`)
  const control = required('control')
  if (!/^(pyodide$|outcome$|none \S)/.test(control))
    throw fail(`control: expected "pyodide", "outcome" or "none" and a reason, got ${control}`)
  if (control === 'pyodide' && evidence === undefined) throw fail('a Pyodide control needs evidence')
  const json = (key: string, otherwise: unknown) => {
    const text = fields.get(key)
    try {
      return text === undefined ? otherwise : JSON.parse(text)
    } catch {
      throw fail(`${key}: not JSON`)
    }
  }
  return {
    id,
    title: required('title'),
    level: level as Level,
    class: required('class'),
    expect: required('expect')
      .split(' | ')
      .map((text) => expectation(text, fail)),
    control,
    evidence: evidence as Evidence | undefined,
    stdout: json('stdout', undefined),
    prelude: fields.get('prelude'),
    env: json('env', {}),
    limits: json('limits', {}),
    timeoutMs: json('timeout-ms', 10_000),
    recover: json('recover', false),
    // A worker may fill its heap of 384 MiB. Measured in attacks of L3: up to 806.
    rssMib: json('rss-mib', level === 'L3' ? 1100 : 1500),
    calls: json('calls', undefined),
    path,
    code: lines.slice(line).join('\n'),
  }
}

function expectation(text: string, fail: (problem: string) => Error): Expectation {
  const [, kind = '', rest = ''] = /^(\S+)(?: (.*))?$/.exec(text) ?? []
  const known = KINDS.find((each) => each === kind)
  if (known === undefined) throw fail(`expect: expected one of ${KINDS.join(', ')}, got ${text}`)
  return { kind: known, rest }
}
