// Tells the tour: prints code as it is sent and answers as they arrive, and collects facts for `--json`. Owns the formatting, and does not
// depend on the topics of the chapters. Uses only the public API, as any program would.
import {
  BrumateError,
  type ExecuteOptions,
  type ExecuteResult,
  PythonError,
  type Session,
  type Value,
} from 'brumate'

type Step = { readonly code: string } & (
  | { readonly stdout: string; readonly repr: string | null }
  | { readonly error: string; readonly message: string }
)

interface Chapter {
  readonly title: string
  readonly steps: Step[]
}

/** How an execution ended. The tour continues after errors, because some chapters are about them. */
export type Told = { readonly result: ExecuteResult } | { readonly error: BrumateError }

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], cyan: [36, 39] } as const

export class Narrator {
  readonly #json: boolean
  readonly #colour: boolean
  readonly #chapters: Chapter[] = []
  readonly #facts: Record<string, Value> = {}
  #lastLine = ''

  constructor(options: { readonly json: boolean }) {
    this.#json = options.json
    this.#colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined
  }

  title(text: string): void {
    this.#print(this.#style('bold', text))
  }

  chapter(title: string): void {
    this.#chapters.push({ title, steps: [] })
    this.#print('', this.#style('bold', `${this.#chapters.length}. ${title}`), '')
  }

  say(...lines: readonly string[]): void {
    this.#print(...lines.map((line) => `   ${line}`))
  }

  /** Records something that the tour found out, for `--json`. */
  fact(name: string, value: Value): void {
    this.#facts[name] = value
  }

  /** Executes `code`, and prints it with its answer or error. */
  async run(session: Session, code: string, options?: ExecuteOptions): Promise<Told> {
    const source = code.replace(/^\n+|\s+$/g, '')
    this.#print(...source.split('\n').map((line) => `   ${this.#style('cyan', '│')} ${line}`))
    try {
      const result = await session.execute(source, options)
      this.#record({ code: source, stdout: result.stdout, repr: result.repr ?? null })
      this.#answer(result)
      return { result }
    } catch (error) {
      if (!(error instanceof BrumateError)) throw error
      this.#record({ code: source, error: error.name, message: error.message })
      this.#failure(error)
      return { error }
    }
  }

  end(): void {
    if (!this.#json) return
    process.stdout.write(`${JSON.stringify({ chapters: this.#chapters, facts: this.#facts }, null, 2)}\n`)
  }

  #answer({ stdout, repr }: ExecuteResult): void {
    const written = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n')
    this.#print(...written.map((line) => `     ${line}`))
    this.#print(...(repr === undefined ? [] : [`   ${this.#style('green', '→')} ${repr}`]), '')
  }

  #failure(error: BrumateError): void {
    this.#print(`   ${this.#style('red', '✗')} ${error.name}: ${error.message}`)
    if (error instanceof PythonError) {
      const lines = error.traceback.trimEnd().split('\n')
      this.#print(...lines.map((line) => this.#style('dim', `     ${line}`)))
    }
    this.#print('')
  }

  #record(step: Step): void {
    this.#chapters.at(-1)?.steps.push(step)
  }

  #style(name: keyof typeof STYLES, text: string): string {
    const [on, off] = STYLES[name]
    return this.#colour ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }

  /** Trims the ends of lines, and prints no two empty lines in a row. */
  #print(...lines: readonly string[]): void {
    if (this.#json) return
    for (const line of lines) {
      const text = line.trimEnd()
      if (text !== '' || this.#lastLine !== '') process.stdout.write(`${text}\n`)
      this.#lastLine = text
    }
  }
}
