// Text that others chose, in the program's output. Owns what a terminal must not see.

/** Names come from Python code, so a control character in one could write to the user's terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
