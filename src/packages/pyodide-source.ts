// The wheels of the installed Pyodide's release: one version of each package, tested together. Owns making candidates from its lock file.
import type { Candidate, Offer, Source } from './candidate.js'
import type { PyodideRelease } from './pyodide-release.js'
import { parseVersion } from './version.js'

export class PyodideSource implements Source {
  readonly description: string
  readonly #release: PyodideRelease
  /** Caches the offer of each package, so that it is always the same object. */
  readonly #offers = new Map<string, Offer | undefined>()

  constructor(release: PyodideRelease) {
    this.#release = release
    this.description = `Pyodide ${release.version}`
  }

  async find(name: string): Promise<Offer | undefined> {
    if (!this.#offers.has(name)) this.#offers.set(name, this.#offer(name))
    return this.#offers.get(name)
  }

  #offer(name: string): Offer | undefined {
    const { entries, others } = this.#release.lock
    const entry = entries.get(name)
    const version = entry && parseVersion(entry.version)
    if (entry === undefined || version === undefined) {
      const other = others.get(name)
      return other === undefined ? undefined : { candidates: [], refused: [other] }
    }
    const { file, sha256, depends, imports } = entry
    const candidate: Candidate = {
      ...{ name, version, file, source: 'pyodide', sha256, depends, imports, isYanked: false },
      url: this.#release.urlOf(file),
    }
    return { candidates: [candidate], refused: [] }
  }

  names(): Iterable<string> {
    return this.#release.lock.entries.keys()
  }
}
