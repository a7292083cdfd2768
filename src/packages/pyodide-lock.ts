// Lock files of Pyodide (`pyodide-lock.json`): the wheels of a release, and what each needs. Owns parsing and checking them.
import { PackageError } from '../shared/errors.js'
import { canonicalName } from './names.js'
import { isHash, isObject, isTextList } from './shapes.js'
import { parseWheelName } from './wheel-name.js'

export interface PyodideEntry {
  /** Canonical name. */
  readonly name: string
  readonly version: string
  /** Name of the file, in the lock file's directory. */
  readonly file: string
  readonly sha256: string
  /** Canonical names of the packages it needs. */
  readonly depends: readonly string[]
  readonly imports: readonly string[]
}

export interface PyodideLock {
  readonly abi: string
  /** Version with all three numbers. */
  readonly python: string
  /** Wheels of packages, by canonical name. */
  readonly entries: ReadonlyMap<string, PyodideEntry>
  /** Other entries, such as shared libraries and archives of tests: the file and what it is, by canonical name. */
  readonly others: ReadonlyMap<string, string>
}

const SHARED_LIBRARY = 'a shared library without a package, which an image cannot have'

/** @throws PackageError if it is not a lock file of Pyodide */
export function parsePyodideLock(text: string, where: string): PyodideLock {
  const fail = (what: string): never => {
    throw new PackageError(undefined, `${where} cannot be used: ${what}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new PackageError(undefined, `${where} is not JSON`, { cause })
  }
  if (!isObject(json) || !isObject(json.info) || !isObject(json.packages)) return fail('it has no packages')
  const { abi_version: abi, python } = json.info
  if (typeof abi !== 'string' || !/^\d{4}_\d+$/.test(abi)) return fail('it names no abi_version')
  if (typeof python !== 'string' || !/^3\.\d+\.\d+$/.test(python))
    return fail('it names no version of Python')
  const entries = new Map<string, PyodideEntry>()
  const others = new Map<string, string>()
  for (const [key, entry] of Object.entries(json.packages)) {
    const name = canonicalName(key)
    if (!isObject(entry)) return fail(`its entry ${key} is not an object`)
    const { version, file_name: file, sha256, depends, imports = [], package_type: type } = entry
    if (typeof file !== 'string') return fail(`its entry ${key} names no file`)
    if (type !== 'package' || parseWheelName(file) === undefined) {
      others.set(name, `${file} (${type === 'shared_library' ? SHARED_LIBRARY : 'not a wheel'})`)
      continue
    }
    if (typeof version !== 'string' || !isHash(sha256) || !isTextList(depends) || !isTextList(imports))
      return fail(`its entry ${key} is not complete`)
    entries.set(name, { name, version, file, sha256, depends: depends.map(canonicalName), imports })
  }
  return { abi, python, entries, others }
}
