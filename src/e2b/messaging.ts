// What `runCode` resolves to and reports, in the classes of E2B's SDK (`messaging.d.ts` of @e2b/code-interpreter 2.x). Owns their fields;
// run-code.ts creates them from what Python displayed.
import type { ChartTypes } from './charts.js'

/** A piece of output: a line, or the beginning of a line that is not complete yet. */
export class OutputMessage {
  constructor(
    readonly line: string,
    /** Unix epoch in microseconds, as E2B's SDK has it. */
    readonly timestamp: number,
    /** Whether it was written to stderr. */
    readonly error: boolean,
  ) {}

  toString(): string {
    return this.line
  }
}

/** An exception raised by the code, or a limit or crash that ended it: its `name` is then that of brumate's error. */
export class ExecutionError {
  constructor(
    public name: string,
    public value: string,
    public traceback: string,
  ) {}
}

export type MIMEType = string
export type RawData = { [key: MIMEType]: string } & { data: Record<string, unknown>; chart: ChartTypes }

const FORMATS = [
  ...['html', 'markdown', 'svg', 'png', 'jpeg', 'pdf', 'latex', 'json', 'javascript', 'data'],
] as const
/** Fields that E2B's `formats()` does not list. */
const OTHER_FIELDS = ['text', 'chart', 'plain', 'extra']

export interface ResultJson {
  text: string | undefined
  html: string | undefined
  markdown: string | undefined
  svg: string | undefined
  png: string | undefined
  jpeg: string | undefined
  pdf: string | undefined
  latex: string | undefined
  json: string | undefined
  javascript: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: E2B's own type
  extra?: any
}

/** A display, or the value of the last expression. Images and PDF are base64. */
export class Result {
  readonly text?: string
  readonly html?: string
  readonly markdown?: string
  readonly svg?: string
  readonly png?: string
  readonly jpeg?: string
  readonly pdf?: string
  readonly latex?: string
  readonly json?: string
  readonly javascript?: string
  /** The columns of a pandas DataFrame that is the last expression. */
  readonly data?: Record<string, unknown>
  /** The series of a matplotlib figure. */
  readonly chart?: ChartTypes
  /** Data of other MIME types. */
  // biome-ignore lint/suspicious/noExplicitAny: E2B's own type
  readonly extra?: any
  readonly raw: RawData

  constructor(
    rawData: RawData,
    /** Whether it is the value of the last expression. */
    readonly isMainResult: boolean,
  ) {
    this.raw = { ...rawData }
    Object.assign(this, Object.fromEntries(Object.entries(rawData).filter(([key]) => isField(key))))
    this.extra = Object.fromEntries(Object.entries(rawData).filter(([key]) => !isField(key)))
  }

  /** Names of the formats in which the result is available, except text. */
  formats(): string[] {
    return [...FORMATS.filter((name) => Boolean(this[name])), ...Object.keys(this.extra)]
  }

  /** All formats except `data` and `chart`, as in E2B's SDK. */
  toJSON(): ResultJson {
    const { text, html, markdown, svg, png, jpeg, pdf, latex, json, javascript, extra } = this
    return {
      ...{ text, html, markdown, svg, png, jpeg, pdf, latex, json, javascript },
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    }
  }
}

function isField(key: string): boolean {
  return (FORMATS as readonly string[]).includes(key) || OTHER_FIELDS.includes(key)
}

export interface Logs {
  /** Output in the pieces in which it arrived. */
  stdout: string[]
  stderr: string[]
}

export class Execution {
  constructor(
    /** Displays in their order, then the value of the last expression. */
    public results: Result[] = [],
    public logs: Logs = { stdout: [], stderr: [] },
    public error: ExecutionError | undefined = undefined,
    public executionCount: number | undefined = undefined,
  ) {}

  /** The value of the last expression, as text. */
  get text(): string | undefined {
    return this.results.find(({ isMainResult }) => isMainResult)?.text
  }

  toJSON(): { results: Result[]; logs: Logs; error: ExecutionError | undefined } {
    return { results: this.results, logs: this.logs, error: this.error }
  }
}
