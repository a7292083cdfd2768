// What the REPL asks Python between cells: whether a block is complete, and which names begin with a text. Owns the code for that, which
// leaves no names behind. It runs in the user's session, so each question has a deadline, and the REPL also works without an answer.
import type { Session } from '../../session.js'

/** For code that runs nothing of the user's; importing its modules may take a while on a busy machine. */
const DEADLINE_MS = 10_000
/** Attributes can be properties, whose code may be slow. */
const NAMES_DEADLINE_MS = 1_000
const MOST_NAMES = 500

/** As in CPython's REPL, a block ends with an empty line. Invalid code counts as complete, too: running it reports the error. */
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

/** Python's version, such as `3.14.2`. */
export async function pythonVersion(session: Session): Promise<string> {
  const answer = await ask(session, VERSION, '')
  return typeof answer === 'string' ? answer : ''
}

/** Prints the answer, because as a value it would change `_`. Undefined: there was no answer in time, or an error. */
async function ask(
  session: Session,
  code: string,
  text: string,
  timeoutMs: number = DEADLINE_MS,
): Promise<unknown> {
  // A JSON string is also a literal in Python.
  const given = `{'text': ${JSON.stringify(text)}, 'names': globals(), '__name__': 'brumate.repl'}`
  const cell = `__import__('builtins').exec(${JSON.stringify(code)}, ${given})`
  try {
    const { stdout } = await session.execute(cell, { timeoutMs })
    return JSON.parse(stdout)
  } catch {
    return undefined
  }
}
