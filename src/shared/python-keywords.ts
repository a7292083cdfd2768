// Words that Python's grammar keeps to itself: CPython 3.14's `keyword.kwlist`.

export const KEYWORDS = `
  False None True and as assert async await break class continue def del elif else except finally for from global if import
  in is lambda nonlocal not or pass raise return try while with yield
`

const WORDS: ReadonlySet<string> = new Set(KEYWORDS.trim().split(/\s+/))

/** Whether Python's grammar has no variable of that name. */
export function isKeyword(name: string): boolean {
  return WORDS.has(name)
}
