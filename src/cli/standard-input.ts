// Python's standard input in `brumate run`: `input()`, `getpass()` and `sys.stdin`. Owns the code that gives a session its `sys.stdin`, and
// the answers. As in CPython, `input()` reads from `sys.stdin`, so both may be used in any order.
import type { InputFn } from '../session.js'
import type { LineReader } from './line-reader.js'
import type { OutputStream } from './streams.js'

/** Sent instead of a prompt, to ask for bytes instead of a line. Prompts of programs do not begin with a null character. */
const READ = '\0read'

/** File name of that code in tracebacks, from which its frames are removed. */
export const STANDARD_INPUT = '<standard input>'

/** Asks the host for all input that is available: one request per line would take minutes for a large file. */
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
  // JSON strings and lists are also literals in Python.
  return hidden(`import sys\nsys.argv = argv\n${hasInput ? STDIN : ''}`, `'argv': ${JSON.stringify(argv)}`)
}

/** Python code that removes this `sys.stdin`: in a snapshot, it would send such requests to another program's host. */
export function withoutInput(): string {
  return hidden(RESTORE, '')
}

function hidden(code: string, names: string): string {
  const compiled = `compile(${JSON.stringify(code)}, '${STANDARD_INPUT}', 'exec')`
  return `__import__('builtins').exec(${compiled}, {'__name__': 'brumate.cli', ${names}})`
}

/** Python itself writes all prompts except those of getpass. */
export function answerInput(reader: LineReader, secrets: OutputStream): InputFn {
  return (prompt, { password }) => {
    if (prompt === READ) return reader.nextChunk()
    return password ? reader.nextSecret(prompt, secrets) : reader.next()
  }
}
