// Runs one command line: finds the command, gives it its arguments, prints its result or error. Owns exit codes and `--json`.
import { createRequire } from 'node:module'
import { BrumateError } from '../shared/errors.js'
import { type Command, type CommandOutput, parseCommandLine, UsageError } from './command.js'
import { COMMANDS } from './commands.js'
import { helpOf, overview } from './help.js'
import { Progress } from './progress.js'

/** What a command line reads and writes: those of the process, or a test's. */
export interface Streams {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown }
}

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
/** As shells have it for a program that SIGINT ended. */
export const EXIT_INTERRUPTED = 130

/** The exit code. Never rejects. */
export async function run(args: readonly string[], streams: Streams, signal: AbortSignal): Promise<number> {
  const { stdout, stderr } = streams
  const [first] = args
  if (first === undefined || first === '-h' || first === '--help') {
    stdout.write(`${overview()}\n`)
    return first === undefined ? EXIT_USAGE : 0
  }
  if (first === '-v' || first === '--version') {
    stdout.write(`${version()}\n`)
    return 0
  }
  if (nameOf(args) === undefined && isHelp(args) && isGroup(first)) {
    stdout.write(`${overview(first)}\n`)
    return 0
  }
  const progress = new Progress(stderr)
  const isJson = args.includes('--json')
  const name = nameOf(args)
  try {
    if (name === undefined) throw new UsageError(unknown(args))
    const command = await COMMANDS[name]?.load()
    if (command === undefined) throw new UsageError(unknown(args))
    const { exitCode = 0, ...output } = await call(name, command, args, progress, signal)
    progress.clear()
    stdout.write(`${isJson && !isHelp(args) ? JSON.stringify(output.json, null, 2) : output.text}\n`)
    return exitCode
  } catch (error) {
    progress.clear()
    if (signal.aborted) return EXIT_INTERRUPTED
    if (isJson) stdout.write(`${JSON.stringify({ error: describe(error) }, null, 2)}\n`)
    else stderr.write(`brumate: ${textOf(error, name)}\n`)
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
  }
}

async function call(
  name: string,
  command: Command,
  args: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<CommandOutput> {
  const parsed = parseCommandLine(command, args.slice(name.split(' ').length))
  if (parsed.values.help === true) return { text: helpOf(name, command), json: null }
  return command.run({ ...parsed, progress, signal })
}

/** The longest name of a command that the arguments begin with. */
function nameOf(args: readonly string[]): string | undefined {
  for (const length of [2, 1]) {
    const name = args.slice(0, length).join(' ')
    if (Object.hasOwn(COMMANDS, name)) return name
  }
  return undefined
}

function isHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h')
}

function isGroup(word: string): boolean {
  return Object.keys(COMMANDS).some((name) => name.startsWith(`${word} `))
}

function unknown([first = '', second]: readonly string[]): string {
  const names = Object.keys(COMMANDS)
  const ofGroup = names.filter((name) => name.startsWith(`${first} `))
  if (ofGroup.length === 0) return `there is no command ${first}; there are: ${names.join(', ')}`
  const asked =
    second === undefined || second.startsWith('-') ? '' : `there is no command ${first} ${second}; `
  return `${asked}use one of: ${ofGroup.join(', ')}`
}

function describe(error: unknown): object {
  if (error instanceof BrumateError) {
    const { code, message } = error
    return 'package' in error && error.package !== undefined
      ? { code, message, package: error.package }
      : { code, message }
  }
  if (error instanceof UsageError) return { code: 'USAGE', message: error.message }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

/** Anything but the library's own errors is a bug, whose stack helps. */
function textOf(error: unknown, name: string | undefined): string {
  if (error instanceof BrumateError) return error.message
  if (error instanceof UsageError)
    return `${error.message}\nTry: brumate ${name === undefined ? '' : `${name} `}--help`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function version(): string {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
  return version
}
