// The candidates of each package from all sources in order, and their dependencies. Owns which candidates a set of requirements
// allows (pre-releases, yanked files, hashes, constraints), and the reason if there is none. resolver.ts owns the search.
import { PackageError } from '../shared/errors.js'
import type { Candidate, MetadataReader, Offer, Source } from './candidate.js'
import { closeNames } from './names.js'
import { applies, type Requirement, requirementText } from './requirement.js'
import type { Catalog } from './resolver.js'
import { accepts, acceptsPrereleases, isPinned, type Specifier, specifiersText } from './specifiers.js'
import type { Target } from './target.js'
import { canonicalVersion, isPrerelease } from './version.js'
import { parseWheelName } from './wheel-name.js'

export interface CatalogOptions {
  readonly target: Target
  /** Sources in order of preference. */
  readonly sources: readonly Source[]
  readonly metadata: MetadataReader
  /** Allowed versions of packages, for those that something needs. */
  readonly constraints: ReadonlyMap<string, readonly Specifier[]>
  /** Allowed hashes of a package's wheel. */
  readonly hashes: ReadonlyMap<string, ReadonlySet<string>>
  /** Computes the sha-256 of a candidate if it is not known. */
  readonly hashOf: (candidate: Candidate) => Promise<string>
  readonly signal: AbortSignal | undefined
}

const SHOWN_VERSIONS = 8
const SHOWN_FILES = 3
const SHOWN_TAGS = 8
/** The part of a platform tag before its version. */
const FAMILY = /^(?:macosx|manylinux|musllinux|win|linux|ios|android|emscripten)/

export class SourceCatalog implements Catalog {
  readonly #options: CatalogOptions
  /** Candidates of closed sets whose METADATA also applies, because something they need comes from elsewhere. */
  readonly #strict = new Set<Candidate>()

  constructor(options: CatalogOptions) {
    this.#options = options
  }

  /** Makes the versions in the candidate's METADATA apply from now on. Returns false if they already do. */
  makeStrict(candidate: Candidate): boolean {
    if (candidate.depends === undefined || this.#strict.has(candidate)) return false
    this.#strict.add(candidate)
    return true
  }

  async *candidates(name: string, requirements: readonly Requirement[]): AsyncIterable<Candidate> {
    const specifiers = this.#specifiers(name, requirements)
    const seen = new Set<string>()
    const { sources, signal } = this.#options
    for (const [i, source] of sources.entries()) {
      // Ask sources one after another, so that no request goes to the index if a directory or Pyodide's release has a fitting wheel.
      const offer = await source.find(name, signal).catch(async (error: unknown) => {
        throw await this.#withOthers(error, name, specifiers, sources.slice(0, i))
      })
      for (const candidate of allowed(offer?.candidates ?? [], specifiers)) {
        const version = canonicalVersion(candidate.version)
        if (seen.has(version) || !(await this.#hasHash(candidate))) continue
        seen.add(version)
        yield candidate
      }
    }
  }

  async dependencies(candidate: Candidate, extra: string): Promise<readonly Requirement[]> {
    const { depends } = candidate
    if (depends && extra === '')
      return this.#strict.has(candidate) ? this.#limited(candidate) : depends.map(any)
    const { metadata, target, signal } = this.#options
    const { requires } = await metadata.metadataOf(candidate, signal)
    // Leave out what the package needs without the extra.
    return requires.filter(
      (one) =>
        applies(one, target.environment, extra) && (extra === '' || !applies(one, target.environment, '')),
    )
  }

  /** The dependencies that the closed set names, with the versions that METADATA allows. */
  async #limited(candidate: Candidate): Promise<readonly Requirement[]> {
    const { metadata, target, signal } = this.#options
    const { requires } = await metadata.metadataOf(candidate, signal)
    const counts = requires.filter((one) => applies(one, target.environment))
    return (candidate.depends ?? []).flatMap((name) => {
      const named = counts.filter((one) => one.name === name)
      return named.length > 0 ? named : [any(name)]
    })
  }

  async describeLack(name: string, requirements: readonly Requirement[]): Promise<string> {
    const { sources, signal, target } = this.#options
    const offers: { readonly source: Source; readonly offer: Offer }[] = []
    for (const source of sources) {
      const offer = await source.find(name, signal)
      if (offer) offers.push({ source, offer })
    }
    if (offers.length === 0) {
      const where = sources.map(({ description }) => description).join(', ')
      const close = closeNames(name, new Set(sources.flatMap((source) => [...source.names()])))
      const meant = close.length > 0 ? `; did you mean ${close.join(' or ')}?` : ''
      return `there is no package of this name in ${where || 'any source, because there are no sources'}${meant}`
    }
    const candidates = offers.flatMap(({ offer }) => offer.candidates)
    if (candidates.length === 0) {
      const has = offers.map(
        ({ source, offer }) => `${source.description} has ${list(summaries(offer.refused), SHOWN_FILES)}`,
      )
      return `it has no wheel that runs here (CPython ${target.python}, pyemscripten_${target.abi}_wasm32, or pure Python): ${has.join('; ')}`
    }
    const text = specifiersText(this.#specifiers(name, requirements)) || 'any version'
    const versions = [...new Set(candidates.map(describe))]
    const hashes = this.#options.hashes.has(name) ? ' with one of the hashes given' : ''
    const available = `available are ${list(versions, SHOWN_VERSIONS)}`
    const refused = offers.flatMap(({ offer }) => offer.refused)
    const others = refused.length > 0 ? `; not for this Python: ${list(summaries(refused), SHOWN_FILES)}` : ''
    return `no version satisfies ${text}${hashes}; ${available}${others}`
  }

  /** Adds to the error of a source what the sources before it have, because the user may have meant that. */
  async #withOthers(
    error: unknown,
    name: string,
    specifiers: readonly Specifier[],
    before: readonly Source[],
  ): Promise<unknown> {
    if (!(error instanceof PackageError) || error.package !== name) return error
    const has: string[] = []
    for (const source of before) {
      const offer = await source.find(name, this.#options.signal)
      const versions = [...new Set(offer?.candidates.map(describe))]
      if (versions.length > 0) has.push(`${source.description} has ${list(versions, SHOWN_VERSIONS)}`)
    }
    const close = closeNames(name, new Set(before.flatMap((source) => [...source.names()])))
    if (has.length === 0 && close.length === 0) return error
    const more =
      has.length > 0
        ? `${has.join(', ')}, which does not satisfy ${specifiersText(specifiers)}`
        : `Did you mean ${close.join(' or ')}?`
    // The message already begins with the name.
    return new PackageError(name, `${error.message.slice(name.length + 2)}. ${more}`, { cause: error })
  }

  #specifiers(name: string, requirements: readonly Requirement[]): readonly Specifier[] {
    for (const requirement of requirements)
      if (requirement.url !== undefined)
        throw new PackageError(
          name,
          `${requirementText(requirement)}: addresses are not supported; download the wheel, and give its path`,
        )
    return [
      ...requirements.flatMap(({ specifiers }) => specifiers),
      ...(this.#options.constraints.get(name) ?? []),
    ]
  }

  async #hasHash(candidate: Candidate): Promise<boolean> {
    const hashes = this.#options.hashes.get(candidate.name)
    if (hashes === undefined) return true
    return hashes.has(candidate.sha256 ?? (await this.#options.hashOf(candidate)))
  }
}

/** Allows pre-releases only if a specifier names one or nothing else fits, and yanked files only if the requirements pin a version. */
function allowed(candidates: readonly Candidate[], specifiers: readonly Specifier[]): readonly Candidate[] {
  const fitting = candidates.filter(
    ({ version, isYanked }) => accepts(specifiers, version) && (!isYanked || isPinned(specifiers)),
  )
  if (acceptsPrereleases(specifiers)) return fitting
  const final = fitting.filter(({ version }) => !isPrerelease(version))
  return final.length > 0 ? final : fitting
}

function any(name: string): Requirement {
  return { name, extras: [], specifiers: [], url: undefined, marker: undefined }
}

function describe({ version, isYanked }: Candidate): string {
  return `${canonicalVersion(version)}${isYanked ? ' (yanked)' : ''}`
}

/** Summarizes wheels for other machines in one text per version. Other files stay as they are. */
function summaries(files: readonly string[]): string[] {
  const versions = new Map<string, { readonly platforms: Set<string>; readonly pythons: Set<string> }>()
  const others: string[] = []
  for (const file of files) {
    const wheel = parseWheelName(file)
    if (wheel === undefined) {
      others.push(file)
      continue
    }
    const text = `${wheel.name} ${canonicalVersion(wheel.version)}`
    const { platforms, pythons } = versions.get(text) ?? { platforms: new Set(), pythons: new Set() }
    versions.set(text, { platforms, pythons })
    for (const tag of wheel.tags) {
      const [python = '', , platform = ''] = tag.split('-')
      pythons.add(python)
      platforms.add(FAMILY.exec(platform)?.[0] ?? platform)
    }
  }
  const texts = [...versions].map(
    ([text, { platforms, pythons }]) =>
      `${text} for ${list([...platforms], SHOWN_TAGS)} (${list([...pythons], SHOWN_TAGS)})`,
  )
  // Nearly every version has a source archive, so show only one near the beginning.
  return [...texts.slice(0, 1), ...others.slice(0, 1), ...texts.slice(1), ...others.slice(1)]
}

function list(texts: readonly string[], max: number): string {
  const more = texts.length > max ? ` and ${texts.length - max} more` : ''
  return `${texts.slice(0, max).join(', ')}${more}`
}
