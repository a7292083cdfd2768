// The interface of a `brumate` command. Owns the types, and parsing a command's own arguments; run.ts finds and runs commands. Parsing
// uses Node's `parseArgs`, which every supported Node has, so the program needs no package for it.
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { InterruptHandler } from './interrupts.js'
import type { Progress } from './progress.js'
import type { Streams } from './streams.js'
import { printable } from './text.js'

export interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** May be given more than once. */
  readonly multiple?: boolean
  /** Placeholder for its value in the help, such as `FILE`. */
  readonly value?: string
  /** One line, without a full stop. */
  readonly help: string
}

export type OptionValues = Readonly<
  Record<string, string | boolean | readonly (string | boolean)[] | undefined>
>

export interface CommandInput {
  readonly values: OptionValues
  readonly positionals: readonly string[]
  /** Arguments after `--`, for a command with `rest`. */
  readonly rest: readonly string[]
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
  /** From now on an interrupt calls the handler instead of aborting `signal`; with `undefined`, it aborts `signal` again. */
  readonly onInterrupt: (handler: InterruptHandler | undefined) => void
  readonly progress: Progress
  /** For commands that read input, or that write output before they end. */
  readonly streams: Streams
}

/** The parsed command line. */
export type Arguments = Pick<CommandInput, 'values' | 'positionals' | 'rest'>

export interface CommandOutput {
  /** Output for people, printed with a newline. Undefined: the command has already written everything. */
  readonly text?: string
  /** Output with `--json`. */
  readonly json: unknown
  /** Default 0. */
  readonly exitCode?: number
}

export interface Command {
  /** Usage after the command's name, such as `FILE`. */
  readonly usage: string
  /** A paragraph. */
  readonly about: string
  readonly options: Readonly<Record<string, Option>>
  /** Minimum and maximum number of arguments besides its options. */
  readonly positionals: readonly [min: number, max: number]
  /** Whether the command accepts arguments after `--`, none of which is an option. */
  readonly rest?: boolean
  run(input: CommandInput): Promise<CommandOutput>
}

/** The command line is not valid for the command. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Options of every command. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', help: 'print the result, or the error, as JSON' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
}

/** @throws UsageError */
export function parseCommandLine(
  { options, positionals: [min, max], rest: takesRest }: Pick<Command, 'options' | 'positionals' | 'rest'>,
  all: readonly string[],
): Arguments {
  const end = takesRest ? all.indexOf('--') : -1
  const [args, rest] = end < 0 ? [all, []] : [all.slice(0, end), all.slice(end + 1)]
  const config: ParseArgsConfig['options'] = {}
  for (const [name, { type, short, multiple = false }] of Object.entries({ ...options, ...COMMON_OPTIONS }))
    config[name] = { type, multiple, ...(short === undefined ? {} : { short }) }
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      ...{ args: [...args], options: config },
      ...{ allowPositionals: true, strict: true, tokens: true },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals, tokens = [] } = parsed
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []))
  // Without this check, the first of two values would be ignored silently.
  const twice = given.find((name, i) => !config[name]?.multiple && given.indexOf(name) < i)
  if (twice !== undefined) throw new UsageError(`--${twice} was given more than once`)
  if (values.help !== true && (positionals.length < min || positionals.length > max)) {
    const expected = min === max ? `${min}` : `${min} to ${max}`
    throw new UsageError(
      `it takes ${expected} argument${max === 1 && min === 1 ? '' : 's'} besides its options, got ${positionals.length}${takesRest ? '; arguments of the program go after --' : ''}`,
    )
  }
  return { values: values as OptionValues, positionals, rest }
}

export function textOf(values: OptionValues, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * The value of an option; undefined if it was not given.
 *
 * @param what what is expected, with its unit if it has one
 * @throws UsageError
 */
export function integerOf(
  values: OptionValues,
  name: string,
  min: number,
  max: number,
  what = 'an integer',
): number | undefined {
  const text = textOf(values, name)
  if (text === undefined) return undefined
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min && number <= max) return number
  throw new UsageError(`--${name} ${printable(text.slice(0, 40))}: expected ${what} from ${min} to ${max}`)
}

export function textsOf(values: OptionValues, name: string): readonly string[] {
  const value = values[name]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
