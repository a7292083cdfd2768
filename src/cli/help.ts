// The texts of `--help`. Owns their layout.
import { COMMON_OPTIONS, type Command, type Option } from './command.js'
import { COMMANDS } from './commands.js'

const MAX_WIDTH = 80
const ABOUT =
  'Python in a sandbox: run code, or brumate alone for the prompt. Makes what programs that use brumate need: images, packages, locks.'
const EXIT_CODES =
  'Exit codes: 0 it worked, 1 it failed, 2 the command line is wrong, 130 interrupted; run also has those of Python, and 124 after the time limit.'

/** The overview of all commands, or of those that begin with `group`. */
export function overview(group?: string): string {
  const commands = Object.entries(COMMANDS).filter(
    ([name]) => group === undefined || name.startsWith(`${group} `),
  )
  const rows = commands.map(([name, { summary }]) => [name, summary] as const)
  return [
    `Usage: brumate ${group === undefined ? '' : `${group} `}COMMAND [OPTIONS]`,
    wrap(ABOUT, ''),
    `Commands:\n${table(rows)}`,
    `Options:\n${table([
      ['-h, --help', 'show this help; brumate COMMAND --help shows that of a command'],
      ['-v, --version', 'show the version'],
    ])}`,
    wrap(EXIT_CODES, ''),
  ].join('\n\n')
}

export function helpOf(name: string, { usage, about, options }: Command): string {
  const rows = Object.entries({ ...options, ...COMMON_OPTIONS }).map(
    ([option, spec]) => [signature(option, spec), spec.help] as const,
  )
  return [`Usage: brumate ${name} ${usage}`.trimEnd(), wrap(about, ''), `Options:\n${table(rows)}`].join(
    '\n\n',
  )
}

function signature(name: string, { short, value, multiple }: Option): string {
  const letter = short === undefined ? '    ' : `-${short}, `
  return `${letter}--${name}${value === undefined ? '' : ` ${value}`}${multiple ? ' …' : ''}`
}

function table(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4
  return rows
    .map(([left, right]) => `  ${left.padEnd(width - 2)}${wrap(right, ' '.repeat(width))}`)
    .join('\n')
}

/** Indents all lines but the first. */
function wrap(text: string, indent: string): string {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && indent.length + line.length + 1 + word.length > MAX_WIDTH) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join(`\n${indent}`)
}
