// Reads lines from a terminal with Node's readline. Owns the terminal's mode: readline controls it only while a line is awaited. While code
// runs, the terminal itself turns Ctrl-C into a signal, and buffers what is typed ahead.
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import type { InputStream } from '../streams.js'
import type { History } from './history.js'

export type Completer = (line: string) => Promise<[matches: string[], completed: string]>

export type Typed =
  | { readonly kind: 'line'; readonly text: string }
  /** Ctrl-C. */
  | { readonly kind: 'interrupt' }
  /** Ctrl-D, or the terminal was closed. */
  | { readonly kind: 'end' }

const HISTORY_SIZE = 1_000

export class LineEditor {
  readonly #input: InputStream
  readonly #output: NodeJS.WritableStream
  readonly #history: History | undefined
  readonly #completer: Completer
  /** Newest first. */
  #lines: string[]
  /** Lines that arrived before they were asked for, as in a paste. */
  readonly #queue: string[] = []
  /** The beginning of another line, which arrived with them. */
  #unfinished = ''
  #readline: Interface | undefined
  #deliver: ((typed: Typed) => void) | undefined

  /** @param history - undefined: no history is kept */
  constructor(
    input: InputStream,
    output: NodeJS.WritableStream,
    history: History | undefined,
    completer: Completer,
  ) {
    this.#input = input
    this.#output = output
    this.#history = history
    this.#completer = completer
    this.#lines = history?.load() ?? []
  }

  /** The next line, if it has been typed already; does not remove it. */
  peek(): string | undefined {
    return this.#queue[0]
  }

  /** Reads a line of code, which is added to the history. */
  async read(prompt: string): Promise<Typed> {
    const queued = this.#queue.shift()
    const typed = queued === undefined ? await this.#ask(prompt) : ({ kind: 'line', text: queued } as const)
    if (typed.kind === 'line') this.#history?.add(typed.text)
    return typed
  }

  /** Reads a line for the running program, which is not added to the history. */
  async answer(prompt: string, isSecret: boolean, signal: AbortSignal): Promise<Typed> {
    const queued = this.#queue.shift()
    if (queued !== undefined) return { kind: 'line', text: queued }
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    const readline = createInterface({
      ...{ input: this.#input, output: isSecret ? nowhere : this.#output, terminal: true, historySize: 0 },
    })
      .on('line', this.#onLine)
      .on('SIGINT', this.#onInterrupt)
      .on('close', this.#onClose)
    // Only now is echo off.
    if (isSecret) this.#output.write(prompt)
    const abort = () => this.interrupt()
    signal.addEventListener('abort', abort)
    try {
      return await this.#listen(readline, isSecret ? '' : prompt)
    } finally {
      signal.removeEventListener('abort', abort)
      this.release()
      if (isSecret) this.#output.write('\n')
    }
  }

  /** Acts like Ctrl-C: discards what has been typed. */
  interrupt(): void {
    this.#queue.length = 0
    this.#close()
    this.#unfinished = ''
    this.#settle({ kind: 'interrupt' })
  }

  /** Releases the terminal until the next line is asked for. */
  release(): void {
    const unfinished = this.#readline?.line ?? ''
    this.#close()
    if (unfinished !== '') this.#unfinished = unfinished
  }

  #ask(prompt: string): Promise<Typed> {
    this.#readline ??= createInterface({
      ...{ input: this.#input, output: this.#output, terminal: true },
      ...{ history: [...this.#lines], historySize: HISTORY_SIZE, tabSize: 4 },
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        this.#completer(line).then((result) => done(null, result))
      },
    })
      .on('history', (lines: string[]) => {
        this.#lines = [...lines]
      })
      .on('line', this.#onLine)
      .on('SIGINT', this.#onInterrupt)
      .on('close', this.#onClose)
    return this.#listen(this.#readline, prompt)
  }

  #listen(readline: Interface, prompt: string): Promise<Typed> {
    this.#readline = readline
    return new Promise((resolve) => {
      this.#deliver = resolve
      readline.setPrompt(prompt)
      readline.prompt()
      const unfinished = this.#unfinished
      this.#unfinished = ''
      if (unfinished !== '') readline.write(unfinished)
    })
  }

  readonly #onLine = (text: string): void => {
    if (!this.#settle({ kind: 'line', text })) this.#queue.push(text)
  }

  readonly #onInterrupt = (): void => this.interrupt()

  readonly #onClose = (): void => {
    this.#readline = undefined
    this.#settle({ kind: 'end' })
  }

  /** @returns whether a call was waiting for it */
  #settle(typed: Typed): boolean {
    const deliver = this.#deliver
    this.#deliver = undefined
    deliver?.(typed)
    return deliver !== undefined
  }

  #close(): void {
    const readline = this.#readline
    this.#readline = undefined
    // Only this listener: readline needs its own ones to release the terminal.
    readline?.off('close', this.#onClose)
    readline?.close()
  }
}
