// The meaning of the operating system's error names, in the words of Node's own errors.
import { getSystemErrorMap } from 'node:util'

/** Errors for which Node has no text. */
const OTHERS: Readonly<Record<string, string>> = {
  ESTALE: 'the file was replaced by another one',
  ENOLCK: 'no locks available',
}

/** Returns `no such file or directory` for `ENOENT`. */
export function describeErrno(name: string): string {
  for (const [known, text] of getSystemErrorMap().values()) if (known === name) return text
  return OTHERS[name] ?? 'the operation failed'
}
