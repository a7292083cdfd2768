// The loop of the REPL: reads a cell, runs it, shows the result. Owns what is printed, and what Ctrl-C does at each moment.

import type { ExecuteResult } from '../../session/outcome.js'
import type { Session } from '../../session.js'
import { BrumateError, ExecutionError, PythonError } from '../../shared/errors.js'
import { type Colour, painter } from '../colours.js'
import { type CommandInput, UsageError } from '../command.js'
import { failureText } from '../failures.js'
import type { Figures } from '../figures.js'
import type { Python } from '../python-options.js'
import { printableLines } from '../text.js'
import { DOT_COMMANDS, runDotCommand } from './dot-commands.js'
import type { LineEditor, Typed } from './line-editor.js'
import { isComplete, namesFrom } from './questions.js'
import type { Workspace } from './workspace.js'

const FIRST_PROMPT = '>>> '
const NEXT_PROMPT = '... '

export class Repl {
  readonly #input: CommandInput
  readonly #python: Python
  readonly #workspace: Workspace
  readonly #editor: LineEditor
  readonly #figures: Figures
  readonly #paint: (colour: Colour, text: string) => string
  /** Whether the cursor is at the beginning of a line. If not, readline would overwrite the line. */
  #isAtStart = true
  #lastResult: ExecuteResult | undefined
  #lastMs = 0
  #exitCode: number | undefined

  constructor(
    input: CommandInput,
    python: Python,
    workspace: Workspace,
    editor: LineEditor,
    figures: Figures,
  ) {
    this.#input = input
    this.#python = python
    this.#workspace = workspace
    this.#editor = editor
    this.#figures = figures
    this.#paint = painter(input.streams.stdout)
  }

  /** Runs until the user leaves. Resolves to the exit code. */
  async run(): Promise<number> {
    while (this.#exitCode === undefined) {
      this.#input.onInterrupt(() => this.#editor.interrupt())
      const cell = await this.#readCell()
      this.#editor.release()
      if (cell === undefined) {
        this.#write('\n')
        return 0
      }
      if (cell.startsWith('.')) await this.#runDotCommand(cell)
      else await this.#runCell(cell)
    }
    return this.#exitCode
  }

  /** The answer to `input()` and `getpass()` in the REPL. */
  async answer(prompt: string, isSecret: boolean, signal: AbortSignal): Promise<string | null> {
    this.#startLine()
    const typed = await this.#editor.answer(prompt, isSecret, signal)
    if (typed.kind === 'interrupt' && !signal.aborted) await this.#interrupt()
    return typed.kind === 'line' ? typed.text : null
  }

  async complete(line: string): Promise<[matches: string[], completed: string]> {
    if (line.startsWith('.')) {
      const names = Object.keys(DOT_COMMANDS).map((name) => `.${name}`)
      return [names.filter((name) => name.startsWith(line)), line]
    }
    const [text = ''] = /[\p{ID_Continue}.]*$/u.exec(line) ?? []
    // At the beginning of a line, Tab indents.
    if (text === '') return [line.trim() === '' ? ['    '] : [], '']
    return [[...(await namesFrom(this.#session, text))].map(printableLines), text]
  }

  get #session(): Session {
    return this.#workspace.current.session
  }

  /** Undefined if the user leaves. */
  async #readCell(): Promise<string | undefined> {
    const lines: string[] = []
    for (;;) {
      this.#startLine()
      const typed: Typed = await this.#editor.read(lines.length > 0 ? NEXT_PROMPT : this.#prompt())
      switch (typed.kind) {
        case 'end':
          return undefined
        case 'interrupt':
          lines.length = 0
          this.#write('\nKeyboardInterrupt\n')
          continue
        case 'line':
          if (lines.length === 0 && typed.text.trim() === '') continue
          if (lines.length === 0 && /^\.[a-z]*( |$)/.test(typed.text)) return typed.text
          lines.push(typed.text)
      }
      // A pasted block may contain empty lines.
      if (/^\s+\S/.test(this.#editor.peek() ?? '')) continue
      const block = lines.join('\n')
      if (await isComplete(this.#session, block)) return block
    }
  }

  #prompt(): string {
    const { places, current } = this.#workspace
    return places.length > 1 ? `${current.name} ${FIRST_PROMPT}` : FIRST_PROMPT
  }

  async #runCell(code: string): Promise<void> {
    const { session, versions } = this.#workspace.current
    const startedMs = performance.now()
    this.#input.onInterrupt(() => void this.#interrupt())
    this.#lastResult = undefined
    // Asking whether the cell is complete is an execution, too, so Python's numbers differ from the user's.
    const cell = { number: session.executionCount + 1, name: '<input>' }
    try {
      const result = await session.execute(code, {
        onOutput: ({ text }) => this.#write(text),
        onDisplay: async (display) => {
          const shown = await this.#figures.show(display)
          if (shown !== undefined)
            this.#print(shown.kind === 'note' ? printableLines(shown.text) : shown.text)
        },
      })
      this.#lastResult = result
      if (result.repr !== undefined) this.#print(printableLines(result.repr))
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error
      this.#showFailure(failureText(error, cell))
      if (error instanceof PythonError) this.#exitCode = error.exitCode
      else if (session.state === 'closed') throw error
    } finally {
      this.#lastMs = performance.now() - startedMs
    }
    versions.save()
  }

  async #runDotCommand(line: string): Promise<void> {
    const context = {
      ...{ workspace: this.#workspace, mount: this.#python.mount },
      ...{ lastResult: this.#lastResult, lastMs: this.#lastMs },
      leave: () => {
        this.#exitCode = 0
      },
    }
    try {
      const text = await this.#input.progress.during('one moment …', runDotCommand(line, context))
      if (text !== undefined) this.#print(text)
    } catch (error) {
      if (!(error instanceof BrumateError || error instanceof UsageError)) throw error
      this.#print(this.#paint('red', printableLines(error.message)))
    }
  }

  async #interrupt(): Promise<void> {
    // The cell itself shows the outcome.
    await this.#session.interrupt().catch(() => {})
  }

  /** Shows the last line, which says what happened, in red. */
  #showFailure(text: string): void {
    const lines = printableLines(text.trimEnd()).split('\n')
    const last = lines.pop() ?? ''
    this.#print([...lines, last === '' ? '' : this.#paint('red', last)].join('\n'))
  }

  /** Prints on separate lines. Callers have made text from Python printable, unless the code itself displays it. */
  #print(text: string): void {
    if (text === '') return
    this.#startLine()
    this.#write(`${text}\n`)
  }

  #startLine(): void {
    if (!this.#isAtStart) this.#write('\n')
  }

  #write(text: string): void {
    this.#input.streams.stdout.write(text)
    if (text !== '') this.#isAtStart = text.endsWith('\n')
  }
}
