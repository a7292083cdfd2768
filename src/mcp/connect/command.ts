// The command that starts a connected MCP server. Owns parsing a command line such as `github=npx -y some-server`; no shell is involved.
import { basename } from 'node:path'
import { isRecord, isText, known } from '../../options/check.js'
import { identifier } from '../../presentation/tool-callbacks.js'
import { InvalidOptionError } from '../../shared/errors.js'

export interface ServerCommand {
  /** Prefix of a tool's name in Python if two servers have a tool of the same name. Default: derived from the command. */
  readonly name?: string
  readonly command: string
  readonly args?: readonly string[]
  /** Environment of the server. Default: that of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Working directory. Default: that of this process. */
  readonly cwd?: string
}

export type ResolvedCommand = Required<Pick<ServerCommand, 'name' | 'command' | 'args'>> &
  Pick<ServerCommand, 'env' | 'cwd'>

/** Programs that start another one; the server is named after that one. */
const LAUNCHERS = new Set([
  'npx',
  'node',
  'bunx',
  'bun',
  'uvx',
  'uv',
  'deno',
  'python',
  'python3',
  'run',
  'exec',
])

/** @throws InvalidOptionError */
export function resolveCommand(option: string, given: string | ServerCommand): ResolvedCommand {
  if (typeof given === 'string') return parseCommand(option, given)
  isRecord(option, given)
  known(option, given, ['name', 'command', 'args', 'env', 'cwd'])
  const { command, args = [], env, cwd } = given
  if (typeof command !== 'string' || command === '')
    throw new InvalidOptionError(`${option}.command`, 'a program', command)
  if (!Array.isArray(args) || args.some((one) => typeof one !== 'string'))
    throw new InvalidOptionError(`${option}.args`, 'an array of strings', args)
  const name = isText(`${option}.name`, given.name, { maxLength: 64 }) ?? nameOf([command, ...args])
  return {
    ...{ name: identifier(name), command, args },
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
  }
}

function parseCommand(option: string, text: string): ResolvedCommand {
  const [, name, line = text] = /^([A-Za-z][A-Za-z0-9_-]*)=(.*)$/s.exec(text) ?? []
  const words = wordsOf(option, line)
  const [command, ...args] = words
  if (command === undefined)
    throw new InvalidOptionError(option, "a command, such as 'npx -y some-server'", text)
  return { name: identifier(name ?? nameOf(words)), command, args }
}

/** Splits a line into words as a shell does, with quotes and backslashes; nothing is expanded. */
function wordsOf(option: string, line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (const [part] of line.matchAll(/\\.|'[^']*'|"(?:\\.|[^"\\])*"|\s+|[^\s'"\\]+|./gs)) {
    if (/^\s/.test(part)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    if (part === '"' || part === "'") throw new InvalidOptionError(option, 'a command whose quotes end', line)
    const quoted = /^(['"])(.*)\1$/s.exec(part)
    const text = quoted?.[2] ?? part
    word = (word ?? '') + (quoted?.[1] === "'" ? text : text.replace(/\\(.)/gs, '$1'))
  }
  return word === undefined ? words : [...words, word]
}

function nameOf(words: readonly string[]): string {
  const program = words.find((word) => !word.startsWith('-') && !LAUNCHERS.has(basename(word))) ?? 'server'
  // Drops a package's version and a file's extension.
  return basename(program)
    .replace(/(?<=.)@.*$/, '')
    .replace(/\.\w+$/, '')
}
