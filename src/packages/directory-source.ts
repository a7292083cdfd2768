// Wheels in a directory. Owns reading the directory. If it has a lock file of Pyodide, the wheels listed there are preferred, because they
// were tested together.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PackageError } from '../shared/errors.js'
import type { Candidate, Offer, Source } from './candidate.js'
import { type PyodideEntry, type PyodideLock, parsePyodideLock } from './pyodide-lock.js'
import type { Target } from './target.js'
import { compareVersions } from './version.js'
import { parseWheelName, type WheelName } from './wheel-name.js'

const LOCK_FILE = 'pyodide-lock.json'

export class DirectorySource implements Source {
  readonly description: string
  readonly #offers: ReadonlyMap<string, Offer>

  private constructor(directory: string, offers: ReadonlyMap<string, Offer>) {
    this.description = directory
    this.#offers = offers
  }

  /** @throws PackageError if the directory cannot be read, or its lock file is for another Python */
  static async open(directory: string, target: Target): Promise<DirectorySource> {
    const files = await listFiles(directory)
    const lock = files.includes(LOCK_FILE) ? await readLock(directory, target) : undefined
    const listed = new Map([...(lock?.entries.values() ?? [])].map((entry) => [entry.file, entry]))
    const wheels = new Map<string, WheelName[]>()
    for (const file of files) {
      const wheel = parseWheelName(file)
      if (wheel) wheels.set(wheel.name, [...(wheels.get(wheel.name) ?? []), wheel])
    }
    const offers = new Map<string, Offer>()
    for (const [name, other] of lock?.others ?? []) offers.set(name, { candidates: [], refused: [other] })
    for (const [name, found] of wheels) offers.set(name, offer(directory, found, target, listed))
    return new DirectorySource(directory, offers)
  }

  async find(name: string): Promise<Offer | undefined> {
    return this.#offers.get(name)
  }

  names(): Iterable<string> {
    return this.#offers.keys()
  }
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    throw new PackageError(undefined, `the directory of wheels ${directory} ${what}`, { cause })
  }
}

async function readLock(directory: string, target: Target): Promise<PyodideLock> {
  const path = join(directory, LOCK_FILE)
  const lock = parsePyodideLock(await readFile(path, 'utf8'), path)
  if (lock.abi !== target.abi)
    throw new PackageError(
      undefined,
      `${path} lists wheels for abi ${lock.abi}, the installed pyodide has ${target.abi}`,
    )
  return lock
}

function offer(
  directory: string,
  wheels: readonly WheelName[],
  target: Target,
  listed: ReadonlyMap<string, PyodideEntry>,
): Offer {
  const ordered = [...wheels].sort(
    (a, b) => Number(listed.has(b.file)) - Number(listed.has(a.file)) || newestFirst(a, b, target),
  )
  const candidates: Candidate[] = []
  const refused: string[] = []
  for (const wheel of ordered) {
    if (target.rankOf(wheel.tags) === undefined) {
      refused.push(wheel.file)
      continue
    }
    const entry = listed.get(wheel.file)
    candidates.push({
      ...wheelFile(wheel, join(directory, wheel.file)),
      ...(entry && { sha256: entry.sha256, depends: entry.depends, imports: entry.imports }),
    })
  }
  return { candidates, refused }
}

/** Makes a candidate of a local wheel. */
export function wheelFile({ name, version, file }: WheelName, path: string): Candidate {
  return { name, version, file, source: 'directory', path, isYanked: false }
}

/** Sorts the newest version first, and within a version the best-fitting wheel. */
export function newestFirst(a: WheelName, b: WheelName, target: Target): number {
  return (
    compareVersions(b.version, a.version) ||
    (target.rankOf(a.tags) ?? Number.POSITIVE_INFINITY) -
      (target.rankOf(b.tags) ?? Number.POSITIVE_INFINITY) ||
    b.build[0] - a.build[0] ||
    (b.build[1] > a.build[1] ? 1 : -1)
  )
}
