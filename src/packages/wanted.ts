// What a caller requests: requirements and paths of wheels. Owns telling them apart, reading them, and leaving out those whose markers
// do not apply here.
import { access } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PackageError } from '../shared/errors.js'
import type { Candidate, Offer, Source } from './candidate.js'
import { wheelFile } from './directory-source.js'
import { canonicalName } from './names.js'
import { applies, parseRequirement, type Requirement, requirementText } from './requirement.js'
import type { RequirementLine } from './requirements-file.js'
import { RequirementSyntaxError } from './scanner.js'
import type { Specifier } from './specifiers.js'
import type { Target } from './target.js'
import { parseVersion } from './version.js'
import { hashFile } from './wheel-file.js'
import { parseWheelName } from './wheel-name.js'

export interface Wanted {
  readonly requirements: readonly Requirement[]
  /** One text for each requirement, for the lock, sorted. */
  readonly texts: readonly string[]
  /** The wheels given by path. No other wheel is chosen for their names. */
  readonly files: readonly Candidate[]
  readonly hashes: ReadonlyMap<string, ReadonlySet<string>>
}

const PATH = /^(\.{0,2}[\\/]|~[\\/]|[A-Za-z]:[\\/]|file:)|\.whl(\[[^\]]*\])?$/

/** @throws PackageError */
export async function readWanted(lines: readonly RequirementLine[], target: Target): Promise<Wanted> {
  const requirements: Requirement[] = []
  const texts = new Set<string>()
  const files: Candidate[] = []
  const hashes = new Map<string, Set<string>>()
  for (const line of lines) {
    const isPath = PATH.test(line.text) && (line.text.startsWith('file:') || !line.text.includes('://'))
    const file = isPath ? await readFile(line, target) : undefined
    const requirement = file?.requirement ?? readRequirement(line)
    if (!applies(requirement, target.environment)) continue
    requirements.push(requirement)
    texts.add(
      file
        ? `${requirementText({ ...requirement, specifiers: [] })} @ ${file.candidate.file}`
        : requirementText(requirement),
    )
    if (file) files.push(file.candidate)
    if (line.hashes.length > 0)
      hashes.set(requirement.name, new Set([...(hashes.get(requirement.name) ?? []), ...line.hashes]))
  }
  return { requirements, texts: [...texts].sort(), files, hashes }
}

/** @throws PackageError */
export function readConstraints(
  lines: readonly RequirementLine[],
  target: Target,
): ReadonlyMap<string, readonly Specifier[]> {
  const found = new Map<string, readonly Specifier[]>()
  for (const line of lines) {
    const requirement = readRequirement(line)
    const { name, specifiers, extras } = requirement
    if (extras.length > 0) throw new PackageError(name, `${line.where}: a constraint cannot have extras`)
    if (applies(requirement, target.environment)) found.set(name, [...(found.get(name) ?? []), ...specifiers])
  }
  return found
}

function readRequirement({ text, where }: RequirementLine): Requirement {
  const shown = JSON.stringify(text.slice(0, 200))
  if (/^[a-z][a-z+]*:\/\//i.test(text))
    throw new PackageError(
      undefined,
      `${where}: ${shown}: addresses are not supported; download the wheel, and give its path`,
    )
  try {
    const requirement = parseRequirement(text)
    if (requirement.url === undefined) return requirement
    throw new PackageError(
      requirement.name,
      `${where}: ${shown}: addresses are not supported; download the wheel, and give its path`,
    )
  } catch (cause) {
    if (!(cause instanceof RequirementSyntaxError)) throw cause
    throw new PackageError(undefined, `${where}: ${shown} is not a requirement: ${cause.message}`, { cause })
  }
}

async function readFile(
  { text, directory, where }: RequirementLine,
  target: Target,
): Promise<{ readonly requirement: Requirement; readonly candidate: Candidate }> {
  const [, given = text, extras = ''] = /^(.*?)(?:\[([^\]]*)\])?$/.exec(text) ?? []
  const path = resolve(directory, given.startsWith('file:') ? fileURLToPath(given) : given)
  const wheel = parseWheelName(basename(path))
  if (wheel === undefined) {
    // If the file does not exist, report that rather than its name.
    if (path.endsWith('.whl')) await requireFile(path, where)
    throw new PackageError(
      undefined,
      `${where}: ${JSON.stringify(text.slice(0, 200))} is not a wheel; only the path of a .whl file can be given, so build one`,
    )
  }
  if (target.rankOf(wheel.tags) === undefined)
    throw new PackageError(
      wheel.name,
      `${wheel.file} does not run here: it is for ${wheel.tags.slice(0, 3).join(', ')}, not for CPython ${target.python} and pyemscripten_${target.abi}_wasm32`,
    )
  let hashed: Awaited<ReturnType<typeof hashFile>>
  try {
    hashed = await hashFile(path)
  } catch (cause) {
    throw unreadable(path, where, wheel.name, cause)
  }
  const only: Specifier = {
    ...{ operator: '===', text: wheel.version.text, isPrefix: false },
    version: parseVersion(wheel.version.text),
  }
  return {
    requirement: {
      name: wheel.name,
      extras: extras
        .split(',')
        .map((extra) => canonicalName(extra.trim()))
        .filter((extra) => extra !== '')
        .sort(),
      specifiers: [only],
      url: undefined,
      marker: undefined,
    },
    candidate: { ...wheelFile(wheel, path), ...hashed },
  }
}

/** @throws PackageError if the file does not exist or cannot be accessed */
async function requireFile(path: string, where: string): Promise<void> {
  try {
    await access(path)
  } catch (cause) {
    throw unreadable(path, where, undefined, cause)
  }
}

function unreadable(path: string, where: string, name: string | undefined, cause: unknown): PackageError {
  const { code } = cause as NodeJS.ErrnoException
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
  return new PackageError(name, `${where}: the file ${path} ${what}`, { cause })
}

/** Wheels given by path. */
export class FileSource implements Source {
  readonly description = 'the wheels given by path'
  readonly #files: readonly Candidate[]

  constructor(files: readonly Candidate[]) {
    this.#files = files
  }

  async find(name: string): Promise<Offer | undefined> {
    const candidates = this.#files.filter((file) => file.name === name)
    return candidates.length > 0 ? { candidates, refused: [] } : undefined
  }

  names(): Iterable<string> {
    return this.#files.map(({ name }) => name)
  }
}
