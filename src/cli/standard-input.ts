// Standard input as Python has it in `brumate run`: `input()`, `getpass()` and `sys.stdin`. Owns the code that gives a session its
// `sys.stdin`, and the answers. As in CPython, `input()` reads from `sys.stdin`, so both may be used in any order.
import type { InputFn } from '../session.js'
import type { LineReader } from './line-reader.js'
import type { OutputStream } from './streams.js'

/** Stands in place of a prompt, which no program begins with a null character: asks for bytes instead of a line. */
const READ = '\0read'

/** How tracebacks call that code, whose frames are nobody's business. */
export const STANDARD_INPUT = '<standard input>'

/** Asks the host for what is there: one question for each line would take minutes for a large file. */
const STDIN = `
import builtins, io
ask = builtins.input
class Stdin(io.RawIOBase):
    rest = b''
    def readable(self):
        return True
    def readinto(self, room):
        if not self.rest:
            try:
                self.rest = ask('\\0read').encode('latin-1')
            except EOFError:
                return 0
        part, self.rest = self.rest[:len(room)], self.rest[len(room):]
        room[:len(part)] = part
        return len(part)
def input(prompt='', /):
    sys.stdout.write(str(prompt))
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError('EOF when reading a line')
    return line.removesuffix('\\n')
input.own = ask
builtins.input = input
sys.stdin = io.TextIOWrapper(io.BufferedReader(Stdin()), 'utf-8', 'replace')
`

const RESTORE = `
import builtins, sys
sys.stdin = sys.__stdin__
builtins.input = getattr(input, 'own', input)
`

/** Python code that sets `sys.argv`, and `sys.stdin` if the host answers. Leaves no names behind. */
export function prelude(argv: readonly string[], hasInput: boolean): string {
  // JSON's strings are Python's, too.
  return hidden(`import sys\nsys.argv = argv\n${hasInput ? STDIN : ''}`, `'argv': ${JSON.stringify(argv)}`)
}

/** Python code that takes `sys.stdin` away: a snapshot must not ask another program's host in this way. */
export function withoutInput(): string {
  return hidden(RESTORE, '')
}

function hidden(code: string, names: string): string {
  const compiled = `compile(${JSON.stringify(code)}, '${STANDARD_INPUT}', 'exec')`
  return `__import__('builtins').exec(${compiled}, {'__name__': 'brumate.cli', ${names}})`
}

/** Prompts are Python's own output, but those of getpass. */
export function answerInput(reader: LineReader, secrets: OutputStream): InputFn {
  return (prompt, { password }) => {
    if (prompt === READ) return reader.nextChunk()
    return password ? reader.nextSecret(prompt, secrets) : reader.next()
  }
}
