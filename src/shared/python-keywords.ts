// Python's reserved words: CPython 3.14's `keyword.kwlist`.

export const KEYWORDS = `
  False None True and as assert async await break class continue def del elif else except finally for from global if import
  in is lambda nonlocal not or pass raise return try while with yield
`

const WORDS: ReadonlySet<string> = new Set(KEYWORDS.trim().split(/\s+/))

/** Whether a name is a reserved word, which cannot be a variable. */
export function isKeyword(name: string): boolean {
  return WORDS.has(name)
}
