// What a command of `brumate` is. Owns the types, and reading a command's own arguments; finding and running one is run.ts.
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Progress } from './progress.js'

export interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** May be given more than once. */
  readonly multiple?: boolean
  /** What stands for its value in the help, such as `FILE`. */
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
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
  readonly progress: Progress
}

export interface CommandOutput {
  /** For people; printed with a newline. */
  readonly text: string
  /** What `--json` prints instead. */
  readonly json: unknown
  /** Default 0. */
  readonly exitCode?: number
}

export interface Command {
  /** What follows the command's name, such as `FILE`. */
  readonly usage: string
  /** A paragraph. */
  readonly about: string
  readonly options: Readonly<Record<string, Option>>
  /** How many arguments it takes beside its options, at least and at most. */
  readonly positionals: readonly [min: number, max: number]
  run(input: CommandInput): Promise<CommandOutput>
}

/** The command line is not what a command takes. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Of every command. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', help: 'print the result, or the error, as JSON' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
}

/** @throws UsageError */
export function parseCommandLine(
  { options, positionals: [min, max] }: Pick<Command, 'options' | 'positionals'>,
  args: readonly string[],
): Pick<CommandInput, 'values' | 'positionals'> {
  const config: ParseArgsConfig['options'] = {}
  for (const [name, { type, short, multiple = false }] of Object.entries({ ...options, ...COMMON_OPTIONS }))
    config[name] = { type, multiple, ...(short === undefined ? {} : { short }) }
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  if (values.help !== true && (positionals.length < min || positionals.length > max)) {
    const expected = min === max ? `${min}` : `${min} to ${max}`
    throw new UsageError(
      `it takes ${expected} argument${max === 1 && min === 1 ? '' : 's'} beside its options, got ${positionals.length}`,
    )
  }
  return { values: values as OptionValues, positionals }
}

export function textOf(values: OptionValues, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

export function textsOf(values: OptionValues, name: string): readonly string[] {
  const value = values[name]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
