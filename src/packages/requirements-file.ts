// Requirements files of pip (`requirements.txt`). Owns their syntax: comments, continued lines, `-r`, `-c`, `--hash`, and which options
// are rejected.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { PackageError } from '../shared/errors.js'

/** One thing to install, and where it was read. */
export interface RequirementLine {
  /** A requirement, or the path of a wheel. */
  readonly text: string
  /** Allowed sha-256 values of the wheel; empty if any is allowed. */
  readonly hashes: readonly string[]
  /** Directory that paths are relative to. */
  readonly directory: string
  /** Place for messages, such as `requirements.txt, line 3`. */
  readonly where: string
}

export interface RequirementsFile {
  readonly requirements: readonly RequirementLine[]
  /** Allowed versions of packages, for those that something needs (`-c`). */
  readonly constraints: readonly RequirementLine[]
}

const MAX_FILES = 100
const MAX_FILE_LENGTH = 4_000_000

/** @throws PackageError */
export async function readRequirementsFile(path: string): Promise<RequirementsFile> {
  const found = { requirements: [] as RequirementLine[], constraints: [] as RequirementLine[] }
  await readInto(resolve(path), found, 'requirements', new Set())
  return found
}

type Found = { readonly requirements: RequirementLine[]; readonly constraints: RequirementLine[] }

async function readInto(path: string, found: Found, kind: keyof Found, seen: Set<string>): Promise<void> {
  const id = `${kind} ${path}`
  if (seen.has(id)) return
  seen.add(id)
  if (seen.size > MAX_FILES)
    throw new PackageError(undefined, `${path} is one of more than ${MAX_FILES} files`)
  for (const { text, line } of logicalLines(await readText(path))) {
    const where = `${path}, line ${line}`
    const [, included, value] =
      /^(-r|--requirement|-c|--constraint)(?:[ \t]*=?[ \t]*)(\S.*)$/.exec(text) ?? []
    if (included !== undefined && value !== undefined) {
      const next = included.startsWith('-c') || included === '--constraint' ? 'constraints' : kind
      if (/^[a-z]+:\/\//i.test(value)) throw refuse(where, `${value} is an address; only files can be read`)
      await readInto(resolve(dirname(path), value), found, next, seen)
      continue
    }
    if (text.startsWith('-')) {
      const [option = ''] = text.split(/[\s=]/)
      throw refuse(where, `the option ${option} is not supported${remedyFor(option)}`)
    }
    found[kind].push({ ...readLine(text, where), directory: dirname(path), where })
  }
}

function readLine(text: string, where: string): Pick<RequirementLine, 'text' | 'hashes'> {
  // Options follow the requirement.
  const [requirement = '', ...options] = text.split(/\s+(?=--[a-z])/)
  const hashes = options.map((option) => {
    const [, hash] = /^--hash[ \t=]+sha256:([0-9a-fA-F]{64})$/.exec(option.trim()) ?? []
    if (hash === undefined) throw refuse(where, `${option} is not supported; only --hash=sha256:… is`)
    return hash.toLowerCase()
  })
  return { text: requirement.trim(), hashes }
}

/** Lines without comments. A line that ends with a backslash continues in the next one. */
function logicalLines(text: string): { readonly text: string; readonly line: number }[] {
  const found: { readonly text: string; readonly line: number }[] = []
  let pending = ''
  let first = 0
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    if (pending === '') first = i + 1
    // A comment line also ends a continued line.
    const isComment = /^\s*#/.test(raw)
    const line = isComment ? '' : raw
    if (line.endsWith('\\')) {
      pending += `${line.slice(0, -1)} `
      continue
    }
    const whole = `${pending}${line}`.replace(/(^|\s+)#.*$/, '').trim()
    pending = ''
    if (whole !== '') found.push({ text: withVariables(whole), line: first })
  }
  if (pending.trim() !== '') found.push({ text: withVariables(pending.trim()), line: first })
  return found
}

/** Replaces `${NAME}` by the environment variable, if it is set. */
function withVariables(text: string): string {
  return text.replace(/\$\{([A-Z0-9_]+)\}/g, (whole, name: string) => process.env[name] ?? whole)
}

async function readText(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length > MAX_FILE_LENGTH) throw new PackageError(undefined, `${path} is too long`)
    return text
  } catch (cause) {
    if (cause instanceof PackageError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    throw new PackageError(undefined, `the requirements file ${path} ${what}`, { cause })
  }
}

function remedyFor(option: string): string {
  if (['-i', '--index-url'].includes(option)) return '; use the option indexUrl (--index-url)'
  if (['-f', '--find-links'].includes(option)) return '; use the option wheels (--wheels)'
  if (option === '--extra-index-url')
    return ': a package of the same name on another index would be taken instead; use one index'
  if (['-e', '--editable'].includes(option)) return '; build a wheel, and give its path'
  return ''
}

function refuse(where: string, what: string): PackageError {
  return new PackageError(undefined, `${where}: ${what}`)
}
