// Reads a text token by token. Owns the position in the text, and the error that shows it.

/** The text does not follow the grammar. The message says where. */
export class RequirementSyntaxError extends Error {
  override readonly name = 'RequirementSyntaxError'
}

export class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    this.skipSpace()
    return this.#at >= this.#text.length
  }

  skipSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++
  }

  /** Takes the text that the pattern matches here, after spaces; undefined if there is none. The pattern needs the flag `y`. */
  take(pattern: RegExp): string | undefined {
    this.skipSpace()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) return undefined
    this.#at += found.length
    return found
  }

  /** Skips this text if it comes next, after spaces. Returns whether it did. */
  skip(token: string): boolean {
    this.skipSpace()
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  fail(expected: string): never {
    this.skipSpace()
    const rest = this.#text.slice(this.#at, this.#at + 40)
    const found = rest === '' ? 'the end' : JSON.stringify(rest)
    throw new RequirementSyntaxError(`expected ${expected} at character ${this.#at + 1}, found ${found}`)
  }
}
