// What the operating system's names of errors mean, in the words that Node's own errors have.
import { getSystemErrorMap } from 'node:util'

/** Those that Node has no words for. */
const OTHERS: Readonly<Record<string, string>> = {
  ESTALE: 'the file was replaced by another one',
  ENOLCK: 'no locks available',
}

/** `no such file or directory` for `ENOENT`. */
export function describeErrno(name: string): string {
  for (const [known, text] of getSystemErrorMap().values()) if (known === name) return text
  return OTHERS[name] ?? 'the operation failed'
}
