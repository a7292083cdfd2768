// Runs one command line: finds the command, gives it its arguments, prints its result or error. Owns exit codes and `--json`.

import { version } from '../install/version.js'
import { BrumateError } from '../shared/errors.js'
import { type CommandInput, parseCommandLine, UsageError } from './command.js'
import { COMMANDS } from './commands.js'
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE } from './exit-codes.js'
import { helpOf, overview } from './help.js'
import { Progress } from './progress.js'
import type { Streams } from './streams.js'
import { printableLines } from './text.js'

/** The command that starts if none is named and the program runs in a terminal. */
const INTERACTIVE = 'repl'

/** Resolves to the exit code. Never rejects. */
export async function run(
  given: readonly string[],
  streams: Streams,
  signal: AbortSignal,
  onInterrupt: CommandInput['onInterrupt'] = () => {},
): Promise<number> {
  const { stdout, stderr } = streams
  const args = withCommand(given, streams)
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
  const name = nameOf(args)
  // If the command line cannot be parsed, this decides how the error is printed.
  let isJson = args.includes('--json')
  try {
    const command = name === undefined ? undefined : await COMMANDS[name]?.load()
    if (name === undefined || command === undefined) throw new UsageError(unknown(args))
    const parsed = parseCommandLine(command, args.slice(name.split(' ').length))
    isJson = parsed.values.json === true
    if (parsed.values.help === true) {
      stdout.write(`${helpOf(name, command)}\n`)
      return 0
    }
    const input = { ...parsed, progress, signal, onInterrupt, streams }
    const { exitCode = 0, ...output } = await command.run(input)
    progress.clear()
    const text = isJson ? JSON.stringify(output.json, null, 2) : output.text
    if (text !== undefined) stdout.write(`${text}\n`)
    return exitCode
  } catch (error) {
    progress.clear()
    if (signal.aborted) return EXIT_INTERRUPTED
    if (isJson) stdout.write(`${JSON.stringify({ error: describe(error) }, null, 2)}\n`)
    else stderr.write(`brumate: ${printableLines(textOf(error, name))}\n`)
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
  }
}

/** `brumate help image build` means `brumate image build --help`; on a terminal, `brumate` and `brumate -p numpy` start the REPL. */
function withCommand(args: readonly string[], streams: Streams): readonly string[] {
  const [first] = args
  if (first === 'help') return [...args.slice(1), '--help']
  const isForRepl =
    first === undefined || (first.startsWith('-') && !/^(-h|--help|-v|--version)$/.test(first))
  return isForRepl && streams.stdout.isTTY && streams.stdin?.isTTY ? [INTERACTIVE, ...args] : args
}

/** The longest command name at the beginning of the arguments. */
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

/** Any error that is not one of the library's own is a bug, so its stack is shown. */
function textOf(error: unknown, name: string | undefined): string {
  if (error instanceof BrumateError) return error.message
  if (error instanceof UsageError)
    return `${error.message}\nTry: brumate ${name === undefined ? '' : `${name} `}--help`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
