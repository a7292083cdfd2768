// The default index: pip's or uv's, otherwise micropip's. Owns this order; settings.ts reads the settings of pip and uv. This repository
// contains no address of an index: micropip's default is read from its wheel.
import { PackageError } from '../shared/errors.js'
import type { Candidate, Offer, Source } from './candidate.js'
import { FetchError } from './http.js'
import { IndexSource } from './index-source.js'
import { MetadataError } from './metadata.js'
import { indexSetting, type Machine } from './settings.js'
import type { Target } from './target.js'
import type { WheelCache } from './wheel-cache.js'
import { readWheelText } from './wheel-file.js'

export interface IndexChoice {
  /** The caller's choice; null means none. */
  readonly indexUrl: string | null | undefined
  readonly machine: Machine
  readonly target: Target
  readonly cache: WheelCache
  /** Sources that may have micropip. */
  readonly sources: readonly Source[]
}

const MICROPIP = 'micropip'
const ADDRESS = /["'](https:\/\/[^"'\s{}]+\/simple)\/?["']/
const REMEDY = 'set indexUrl (--index-url) or PIP_INDEX_URL'

/** Finds out which index to use when it is first needed. */
export class DefaultIndex implements Source {
  readonly #choice: IndexChoice
  #index: Promise<Source | undefined> | undefined
  #description = 'the Python index'

  constructor(choice: IndexChoice) {
    this.#choice = choice
  }

  get description(): string {
    return this.#description
  }

  async find(name: string, signal: AbortSignal | undefined): Promise<Offer | undefined> {
    this.#index ??= this.#open(name, signal)
    const index = await this.#index
    this.#description = index?.description ?? 'no index (pip is configured to use none)'
    return index?.find(name, signal)
  }

  names(): Iterable<string> {
    return []
  }

  async #open(wanted: string, signal: AbortSignal | undefined): Promise<Source | undefined> {
    const { machine, target } = this.#choice
    const setting = await indexSetting(machine)
    if (setting === 'disabled') return undefined
    const [url, from] = setting
      ? [setting.url, setting.from]
      : [await this.#ofMicropip(wanted, signal), 'the wheel of micropip']
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw new PackageError(
        wanted,
        `the index in ${from} has no address that starts with https://; ${REMEDY}`,
      )
    return new IndexSource(url, target)
  }

  async #ofMicropip(wanted: string, signal: AbortSignal | undefined): Promise<string> {
    let reason = `${MICROPIP}, which names the default, was not found in any source`
    for (const source of this.#choice.sources) {
      const [candidate] = (await source.find(MICROPIP, signal))?.candidates ?? []
      if (candidate === undefined) continue
      try {
        const text = await readWheelText(await this.#wheel(candidate, signal), `${MICROPIP}/package_index.py`)
        const [, url] = ADDRESS.exec(text ?? '') ?? []
        if (url !== undefined) return url
        reason = `${candidate.file} names no default`
      } catch (error) {
        if (!(error instanceof FetchError || error instanceof MetadataError)) throw error
        reason = `${candidate.file}, which names the default: ${error.message}`
      }
    }
    throw new PackageError(
      wanted,
      `no other source has what is needed, and no Python index is known: ${REMEDY} (${reason})`,
    )
  }

  async #wheel({ name, path, url, sha256 }: Candidate, signal: AbortSignal | undefined): Promise<string> {
    if (path !== undefined) return path
    return this.#choice.cache.download({ name, url: url ?? '', sha256: sha256 ?? '' }, signal)
  }
}
