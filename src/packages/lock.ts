// The lock, `brumate.lock.json`: the exact wheels of an image. Owns its type, its canonical text, and the checks of a text that somebody
// may have edited. resolve.ts makes locks, and fetch-wheels.ts gets their wheels.
import { readFile } from 'node:fs/promises'
import { PackageError } from '../shared/errors.js'
import { canonicalName } from './names.js'
import { isHash, isObject, isTextList } from './shapes.js'
import { parseVersion } from './version.js'
import { parseWheelName } from './wheel-name.js'

export interface LockedPackage {
  /** Canonical name. */
  readonly name: string
  readonly version: string
  /** File name of the wheel. */
  readonly file: string
  /** Where the wheel was found: in a directory of wheels or at a path, in the Pyodide release, or in the Python index. */
  readonly source: 'directory' | 'pyodide' | 'index'
  readonly sha256: string
  /** The wheel's address in an index. */
  readonly url?: string
  readonly sizeBytes?: number
  /** Canonical names of the packages it needs, sorted. All of them are in the lock. */
  readonly depends: readonly string[]
  /** Modules that it installs, if its source lists them. */
  readonly imports?: readonly string[]
}

export interface Lock {
  readonly version: 1
  /** Wheels with native code need this version of Pyodide's binary interface. */
  readonly abi: string
  readonly python: string
  /** The Pyodide release that wheels of source `pyodide` belong to. */
  readonly pyodide: string
  /** The requested requirements, sorted. */
  readonly requirements: readonly string[]
  /** Sorted by name. */
  readonly packages: readonly LockedPackage[]
}

export const LOCK_FILE = 'brumate.lock.json'
const MAX_PACKAGES = 10_000
const MAX_LOCK_BYTES = 16 * 1024 * 1024

/** The canonical text: the same lock gives the same bytes everywhere. */
export function lockText(lock: Lock): string {
  const packages = [...lock.packages].sort((a, b) => (a.name < b.name ? -1 : 1)).map(orderKeys)
  const { version, abi, python, pyodide } = lock
  const requirements = [...lock.requirements].sort()
  return `${JSON.stringify({ version, abi, python, pyodide, requirements, packages }, null, 2)}\n`
}

function orderKeys(locked: LockedPackage): LockedPackage {
  const { name, version, file, source, sha256, url, sizeBytes, depends, imports } = locked
  return {
    ...{ name, version, file, source, sha256 },
    ...(url === undefined ? {} : { url }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    depends: [...depends].sort(),
    ...(imports === undefined ? {} : { imports }),
  }
}

/** @throws PackageError */
export async function readLock(path: string): Promise<Lock> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const what = code === 'ENOENT' ? 'does not exist; `brumate lock` makes one' : `cannot be read (${code})`
    throw new PackageError(undefined, `the lock ${path} ${what}`, { cause })
  }
  if (text.length > MAX_LOCK_BYTES) throw new PackageError(undefined, `the lock ${path} is too long`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PackageError(undefined, `the lock ${path} is not JSON`, { cause })
  }
  return parseLock(value, `the lock ${path}`)
}

/** @throws PackageError if the value is not a valid lock, or has unknown fields */
export function parseLock(value: unknown, where = 'the lock'): Lock {
  const fail = (path: string, expected: string): never => {
    throw new PackageError(undefined, `${where} is not valid: ${path}: expected ${expected}`)
  }
  if (!isObject(value)) return fail('it', 'an object')
  if (value.version !== 1) return fail('version', '1; a newer brumate may have written it')
  requireKeys(value, ['version', 'abi', 'python', 'pyodide', 'requirements', 'packages'], fail, '')
  const { abi, python, pyodide, requirements, packages } = value
  if (typeof abi !== 'string' || !/^\d{4}_\d+$/.test(abi)) return fail('abi', 'a string such as "2026_0"')
  if (typeof python !== 'string' || !/^3\.\d+$/.test(python)) return fail('python', 'a string such as "3.14"')
  if (typeof pyodide !== 'string' || !/^\d+\.\d+\.\d+[a-z0-9.]*$/.test(pyodide))
    return fail('pyodide', 'a version such as "314.0.7"')
  if (!isTextList(requirements)) return fail('requirements', 'a list of strings')
  if (!Array.isArray(packages) || packages.length > MAX_PACKAGES)
    return fail('packages', `a list of at most ${MAX_PACKAGES} packages`)
  const parsed = packages.map((one, i) => parseLocked(one, `packages[${i}]`, fail))
  const names = new Set(parsed.map(({ name }) => name))
  for (const [i, { name, depends }] of parsed.entries()) {
    if (i > 0 && (parsed[i - 1]?.name ?? '') >= name) fail(`packages[${i}].name`, 'names sorted, each once')
    const missing = depends.find((one) => !names.has(one))
    if (missing !== undefined) fail(`packages[${i}].depends`, `packages of the lock, which has no ${missing}`)
  }
  return { version: 1, abi, python, pyodide, requirements, packages: parsed }
}

type Fail = (path: string, expected: string) => never

function parseLocked(value: unknown, path: string, fail: Fail): LockedPackage {
  if (!isObject(value)) return fail(path, 'an object')
  const keys = ['name', 'version', 'file', 'source', 'sha256', 'url', 'sizeBytes', 'depends', 'imports']
  requireKeys(value, keys, fail, `${path}.`)
  const { name, version, file, source, sha256, url, sizeBytes, depends, imports } = value
  if (typeof name !== 'string' || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    return fail(`${path}.name`, 'a canonical name, in lower case and with "-" only')
  if (typeof version !== 'string' || parseVersion(version) === undefined)
    return fail(`${path}.version`, 'a version')
  const wheel = typeof file === 'string' ? parseWheelName(file) : undefined
  if (typeof file !== 'string' || wheel?.name !== name)
    return fail(`${path}.file`, `the name of a wheel of ${name}`)
  if (source !== 'directory' && source !== 'pyodide' && source !== 'index')
    return fail(`${path}.source`, '"directory", "pyodide" or "index"')
  if (!isHash(sha256)) return fail(`${path}.sha256`, '64 hexadecimal digits in lower case')
  if (url !== undefined && (typeof url !== 'string' || !/^https?:\/\//.test(url) || !URL.canParse(url)))
    return fail(`${path}.url`, 'an address that starts with https://')
  if (source === 'index' && url === undefined)
    return fail(`${path}.url`, 'an address, for a wheel of an index')
  if (sizeBytes !== undefined && (!Number.isSafeInteger(sizeBytes) || Number(sizeBytes) < 0))
    return fail(`${path}.sizeBytes`, 'a number of bytes')
  if (!isTextList(depends) || depends.some((one) => canonicalName(one) !== one))
    return fail(`${path}.depends`, 'a list of canonical names')
  if (imports !== undefined && !isTextList(imports)) return fail(`${path}.imports`, 'a list of strings')
  return orderKeys({
    ...{ name, version, file, source, sha256, depends },
    ...(url === undefined ? {} : { url }),
    ...(sizeBytes === undefined ? {} : { sizeBytes: Number(sizeBytes) }),
    ...(imports === undefined ? {} : { imports }),
  })
}

function requireKeys(
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  fail: Fail,
  prefix: string,
): void {
  for (const key of Object.keys(value))
    if (!known.includes(key)) fail(`${prefix}${key.slice(0, 60)}`, 'no such field')
}
