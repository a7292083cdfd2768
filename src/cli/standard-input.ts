// Standard input as Python has it in `brumate run`: `input()`, `getpass()` and `sys.stdin`. Owns the code that gives a session its
// `sys.stdin`, and the answers.
import type { InputFn } from '../session.js'
import type { LineReader } from './line-reader.js'
import type { OutputStream } from './streams.js'

/** Stands in place of a prompt, which no program begins with a null character: asks for text instead of a line. */
const READ = '\0read'

/** Asks the host for text as it is there; one question for each line would take minutes for a large file. */
const STDIN = `
import io
class Stdin(io.TextIOBase):
    name, mode, encoding, errors = '<stdin>', 'r', 'utf-8', 'strict'
    text = ''
    def readable(self):
        return True
    def more(self):
        try:
            chunk = input('\\0read')
        except EOFError:
            return False
        self.text += chunk
        return True
    def read(self, size=-1, /):
        size = -1 if size is None else size
        while (size < 0 or len(self.text) < size) and self.more():
            pass
        return self.take(len(self.text) if size < 0 else size)
    def readline(self, size=-1, /):
        end = -1
        while (end := self.text.find('\\n')) < 0 and (size < 0 or len(self.text) < size) and self.more():
            pass
        line = end + 1 if end >= 0 else len(self.text)
        return self.take(line if size < 0 else min(line, size))
    def take(self, length):
        taken, self.text = self.text[:length], self.text[length:]
        return taken
sys.stdin = Stdin()
`

/** Python code that sets `sys.argv`, and `sys.stdin` if the host answers. Leaves no names behind. */
export function prelude(argv: readonly string[], hasInput: boolean): string {
  const code = `import sys\nsys.argv = argv\n${hasInput ? STDIN : ''}`
  // JSON's strings are Python's, too.
  return `__import__('builtins').exec(${JSON.stringify(code)}, {'argv': ${JSON.stringify(argv)}, '__name__': 'brumate.cli'})`
}

/** @param prompts - where prompts are written; undefined: nowhere */
export function answerInput(
  reader: LineReader,
  prompts: OutputStream | undefined,
  secrets: OutputStream,
): InputFn {
  return (prompt, { password }) => {
    if (prompt === READ) return reader.nextChunk()
    if (password) return reader.nextSecret(prompt, secrets)
    prompts?.write(prompt)
    return reader.next()
  }
}
