// The Python that packages are installed for: the installed Pyodide's CPython in WebAssembly. Owns the values of markers, and the tags of
// wheels that run there (PEP 425), best first.
import type { MarkerEnvironment } from './markers.js'
import { parseVersion, type Version } from './version.js'

export class Target {
  /** Pyodide's binary interface, such as `2026_0`. Wheels with native code run on every Pyodide with the same one. */
  readonly abi: string
  /** Version such as `3.14`. */
  readonly python: string
  readonly fullVersion: Version
  readonly environment: MarkerEnvironment
  /** Rank by tag; lower is better. */
  readonly #ranks: ReadonlyMap<string, number>

  constructor({ abi, python }: { readonly abi: string; readonly python: string }) {
    const version = parseVersion(python)
    const [major, minor] = version?.release ?? []
    if (version === undefined || major === undefined || minor === undefined)
      throw new TypeError(`unreachable: Python ${python}`)
    this.abi = abi
    this.python = `${major}.${minor}`
    this.fullVersion = version
    this.environment = {
      implementation_name: 'cpython',
      implementation_version: python,
      os_name: 'posix',
      platform_machine: 'wasm32',
      platform_python_implementation: 'CPython',
      platform_release: '',
      platform_system: 'Emscripten',
      platform_version: '',
      python_full_version: python,
      python_version: this.python,
      sys_platform: 'emscripten',
    }
    this.#ranks = new Map(
      tagsOf(Number(major), Number(minor), `pyemscripten_${abi}_wasm32`).map((tag, i) => [tag, i]),
    )
  }

  /** How well a wheel with these tags fits; lower is better. Undefined if it does not run here. */
  rankOf(tags: readonly string[]): number | undefined {
    let best: number | undefined
    for (const tag of tags) {
      const rank = this.#ranks.get(tag)
      if (rank !== undefined && (best === undefined || rank < best)) best = rank
    }
    return best
  }
}

/** Tags in pip's order of preference. */
function tagsOf(major: number, minor: number, platform: string): string[] {
  const short = `${major}${minor}`
  const older = Array.from({ length: minor }, (_, i) => minor - 1 - i)
  return [
    `cp${short}-cp${short}-${platform}`,
    `cp${short}-abi3-${platform}`,
    `cp${short}-none-${platform}`,
    ...older.filter((n) => n >= 2).map((n) => `cp${major}${n}-abi3-${platform}`),
    ...generic(platform),
    `cp${short}-none-any`,
    ...generic('any'),
  ]

  function generic(on: string): string[] {
    return [
      `py${short}-none-${on}`,
      `py${major}-none-${on}`,
      ...older.map((n) => `py${major}${n}-none-${on}`),
    ]
  }
}
