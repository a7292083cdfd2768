// Reads lines of standard input, for `input()` and `getpass()`. Owns the input that was read ahead, and the terminal's echo while a
// secret is typed.
import type { InputStream, OutputStream } from './streams.js'

const INTERRUPT = '\u0003'
const END = '\u0004'
const BACKSPACES = ['\b', '\u007F']

interface Waiting {
  readonly wants: 'line' | 'secret' | 'chunk'
  resolve(line: string | null): void
}

export class LineReader {
  readonly #input: InputStream
  readonly #onInterrupt: () => void
  /** One character per byte, so that input that is not text is preserved. */
  #text = ''
  #hasEnded = false
  #isOpen = false
  #waiting: Waiting | undefined

  /** @param onInterrupt - called for Ctrl-C during a secret, because the terminal sends no signal then */
  constructor(input: InputStream, onInterrupt: () => void) {
    this.#input = input
    this.#onInterrupt = onInterrupt
  }

  /** The next line without its line end; null at the end of the input. One call at a time. */
  next(): Promise<string | null> {
    return this.#next('line')
  }

  /** The input that is available, or else the next that arrives, with one character per byte. Null at the end. */
  nextChunk(): Promise<string | null> {
    return this.#next('chunk')
  }

  /** Like `next`, but a terminal does not show what is typed. */
  async nextSecret(prompt: string, output: OutputStream): Promise<string | null> {
    const { isTTY } = this.#input
    // Set before the prompt, because users may type as soon as they see it.
    if (isTTY) this.#input.setRawMode(true)
    output.write(prompt)
    if (!isTTY) return this.#next('line')
    try {
      return await this.#next('secret')
    } finally {
      this.#input.setRawMode(false)
      output.write('\n')
    }
  }

  /** Stops reading, so that the process can end. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#input.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onEnd)
    this.#input.pause()
    this.#input.unref?.()
    this.#waiting?.resolve(null)
    this.#waiting = undefined
  }

  #next(wants: Waiting['wants']): Promise<string | null> {
    return new Promise((resolve) => {
      this.#waiting = { wants, resolve }
      if (!this.#isOpen) {
        this.#isOpen = true
        this.#input.setEncoding('latin1')
        this.#input.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onEnd)
      }
      this.#input.ref?.()
      this.#input.resume()
      this.#serve()
    })
  }

  readonly #onData = (chunk: string | Buffer): void => {
    this.#text += String(chunk)
    this.#serve()
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#serve()
  }

  #serve(): void {
    if (this.#waiting === undefined) return
    const line = this.#take(this.#waiting.wants)
    if (line === undefined) return
    const { resolve } = this.#waiting
    this.#waiting = undefined
    // Input beyond what was asked for stays in the pipe.
    this.#input.pause()
    resolve(line)
  }

  #take(wants: Waiting['wants']): string | null | undefined {
    switch (wants) {
      case 'line':
        return this.#takeLine()
      case 'secret':
        return this.#takeTyped()
      case 'chunk':
        return this.#takeChunk()
    }
  }

  #takeChunk(): string | null | undefined {
    const chunk = this.#text
    this.#text = ''
    if (chunk !== '') return chunk
    return this.#hasEnded ? null : undefined
  }

  #takeLine(): string | null | undefined {
    const end = this.#text.indexOf('\n')
    if (end < 0 && !this.#hasEnded) return undefined
    if (end < 0 && this.#text === '') return null
    const line = end < 0 ? this.#text : this.#text.slice(0, end)
    this.#text = end < 0 ? '' : this.#text.slice(end + 1)
    return decoded(line.endsWith('\r') ? line.slice(0, -1) : line)
  }

  /** In raw mode the terminal sends keys instead of lines. */
  #takeTyped(): string | null | undefined {
    const end = this.#text.search(/[\r\n]/)
    const typed = end < 0 ? this.#text : this.#text.slice(0, end)
    if (typed.includes(INTERRUPT)) {
      this.#text = ''
      this.#onInterrupt()
      return null
    }
    if (end < 0 && !this.#hasEnded && typed !== END) return undefined
    this.#text = end < 0 ? '' : this.#text.slice(end + 1)
    if (typed === END || (end < 0 && typed === '')) return null
    const kept: string[] = []
    for (const key of decoded(typed)) BACKSPACES.includes(key) ? kept.pop() : kept.push(key)
    return kept.join('')
  }
}

function decoded(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
