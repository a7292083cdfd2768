// What the REPL asks Python between cells: whether a block is complete, and which names begin with a text. Owns that code, which leaves no
// names behind. It runs in the user's session, so each question has a deadline, and no answer is as good as none.
import type { Session } from '../../session.js'

/** Of none of the user's code; a busy machine may take a while to import what it needs. */
const DEADLINE_MS = 10_000
/** Attributes can be properties, whose code may take its time. */
const NAMES_DEADLINE_MS = 1_000
const MOST_NAMES = 500

/** As in CPython's REPL: a block ends with an empty line. What is not Python is complete, too: running it says what is wrong. */
const IS_COMPLETE = `
import ast, codeop, json
compiler = codeop.CommandCompiler()
compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
try:
    answer = compiler(text, '<input>', 'single') is not None
except Exception:
    answer = True
print(json.dumps(answer))
`

const NAMES = `
import json, rlcompleter
completer = rlcompleter.Completer(names)
found = completer.attr_matches(text) if '.' in text else completer.global_matches(text)
print(json.dumps(sorted({str(name) for name in found})[:${MOST_NAMES}]))
`

const VERSION = `
import json, sys
print(json.dumps(sys.version.split()[0]))
`

export async function isComplete(session: Session, block: string): Promise<boolean> {
  return (await ask(session, IS_COMPLETE, block)) !== false
}

export async function namesFrom(session: Session, start: string): Promise<readonly string[]> {
  const answer = await ask(session, NAMES, start, NAMES_DEADLINE_MS)
  return Array.isArray(answer) ? answer.filter((name) => typeof name === 'string') : []
}

/** Such as `3.14.2`. */
export async function pythonVersion(session: Session): Promise<string> {
  const answer = await ask(session, VERSION, '')
  return typeof answer === 'string' ? answer : ''
}

/** The answer is printed instead of being a value, which `_` would then be. Undefined: there was none in time, or an error. */
async function ask(
  session: Session,
  code: string,
  text: string,
  timeoutMs: number = DEADLINE_MS,
): Promise<unknown> {
  // JSON's strings are Python's, too.
  const given = `{'text': ${JSON.stringify(text)}, 'names': globals(), '__name__': 'brumate.repl'}`
  const cell = `__import__('builtins').exec(${JSON.stringify(code)}, ${given})`
  try {
    const { stdout } = await session.execute(cell, { timeoutMs })
    return JSON.parse(stdout)
  } catch {
    return undefined
  }
}
