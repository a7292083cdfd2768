// Lines of standard input, for `input()` and `getpass()`. Owns what has been read ahead, and the terminal's echo while a secret is typed.
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
  /** A character for each byte, so that what is not text is not lost. */
  #text = ''
  #hasEnded = false
  #isOpen = false
  #waiting: Waiting | undefined

  /** @param onInterrupt - called for Ctrl-C while a secret is typed, which the terminal then does not turn into a signal */
  constructor(input: InputStream, onInterrupt: () => void) {
    this.#input = input
    this.#onInterrupt = onInterrupt
  }

  /** The next line without its end; null at the end of the input. One call at a time. */
  next(): Promise<string | null> {
    return this.#next('line')
  }

  /** What is there of the input, or comes next: a character for each byte. Null at its end. */
  nextChunk(): Promise<string | null> {
    return this.#next('chunk')
  }

  /** As `next`; on a terminal, what is typed is not shown. */
  async nextSecret(prompt: string, output: OutputStream): Promise<string | null> {
    const { isTTY } = this.#input
    // Before the prompt: whoever sees it may type at once.
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

  /** Lets the process end. */
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
    // A pipe that has more than is asked for stays full.
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

  /** In raw mode the terminal gives keys instead of lines. */
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
