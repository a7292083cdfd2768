// Makes a lock from requirements. Owns the order of the sources, and the stricter check of closed sets that a result mixes; resolver.ts
// owns the search.

import type { Candidate, Source } from './candidate.js'
import { SourceCatalog } from './catalog.js'
import { DefaultIndex } from './default-index.js'
import { DirectorySource } from './directory-source.js'
import { IndexSource } from './index-source.js'
import type { Lock, LockedPackage } from './lock.js'
import { CandidateMetadata } from './metadata-reader.js'
import type { PackageProgress } from './progress.js'
import type { PyodideRelease } from './pyodide-release.js'
import { PyodideSource } from './pyodide-source.js'
import type { RequirementsFile } from './requirements-file.js'
import { Resolver } from './resolver.js'
import { thisMachine } from './settings.js'
import { Target } from './target.js'
import { canonicalVersion } from './version.js'
import { FileSource, readConstraints, readWanted, type Wanted } from './wanted.js'
import type { WheelCache } from './wheel-cache.js'
import { hashFile } from './wheel-file.js'

export interface ResolveRequest extends RequirementsFile {
  readonly release: PyodideRelease
  /** Directories of wheels, in order of preference. */
  readonly directories: readonly string[]
  /** Address of a Python index; null for none, undefined for pip's, uv's or the default. */
  readonly indexUrl: string | null | undefined
  readonly cache: WheelCache
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: PackageProgress) => void
}

export interface Resolution {
  readonly lock: Lock
  /** Local paths of wheels, by sha-256. */
  readonly paths: ReadonlyMap<string, string>
}

/** @throws PackageError if the requirements cannot be met; the signal's reason if it aborts */
export async function resolvePackages(request: ResolveRequest): Promise<Resolution> {
  const { release, signal, onProgress } = request
  const target = new Target(release.lock)
  const wanted = await readWanted(request.requirements, target)
  const sources = await openSources(request, wanted, target)
  const hashes = new Map<Candidate, ReturnType<typeof hashFile>>()
  const hash = (candidate: Candidate) => {
    const hashing = hashes.get(candidate) ?? hashFile(candidate.path ?? '')
    hashes.set(candidate, hashing)
    return hashing
  }
  const catalog = new SourceCatalog({
    ...{ target, sources, signal, hashes: wanted.hashes },
    metadata: new CandidateMetadata(request.cache),
    constraints: readConstraints(request.constraints, target),
    hashOf: async (candidate) => (await hash(candidate)).sha256,
  })
  onProgress({ step: 'resolve', done: 0, total: wanted.requirements.length })
  const chosen = await resolveStrictly(catalog, wanted, signal)
  const packages: LockedPackage[] = []
  const paths = new Map<string, string>()
  for (const { candidate, requires } of chosen.values()) {
    signal?.throwIfAborted()
    const locked = await lockCandidate(candidate, requires, hash)
    packages.push(locked)
    if (candidate.path !== undefined) paths.set(locked.sha256, candidate.path)
  }
  packages.sort((a, b) => (a.name < b.name ? -1 : 1))
  const { abi, python } = target
  onProgress({ step: 'resolve', done: packages.length, total: packages.length })
  return {
    lock: { version: 1, abi, python, pyodide: release.version, requirements: wanted.texts, packages },
    paths,
  }
}

async function openSources(request: ResolveRequest, wanted: Wanted, target: Target): Promise<Source[]> {
  const { directories, release, indexUrl, cache } = request
  const sources: Source[] = [new FileSource(wanted.files)]
  for (const directory of directories) sources.push(await DirectorySource.open(directory, target))
  sources.push(new PyodideSource(release))
  if (indexUrl === null) return sources
  if (indexUrl !== undefined) return [...sources, new IndexSource(indexUrl, target)]
  const index = new DefaultIndex({ indexUrl, machine: thisMachine(), target, cache, sources: [...sources] })
  return [...sources, index]
}

/**
 * Packages of a closed set are chosen without checking the versions that they need of each other, because they were tested together. If
 * another wheel is chosen for a dependency of such a package, its METADATA must allow that wheel, so METADATA is read and the search is
 * repeated.
 */
async function resolveStrictly(catalog: SourceCatalog, wanted: Wanted, signal: AbortSignal | undefined) {
  for (;;) {
    const chosen = await new Resolver(catalog, wanted.requirements, signal).resolve()
    let isFinal = true
    for (const { candidate } of chosen.values()) {
      const isMixed = candidate.depends?.some((name) => {
        const other = chosen.get(name)?.candidate
        return other !== undefined && (other.source !== candidate.source || other.depends === undefined)
      })
      if (isMixed && catalog.makeStrict(candidate)) isFinal = false
    }
    if (isFinal) return chosen
  }
}

async function lockCandidate(
  candidate: Candidate,
  requires: readonly string[],
  hash: (candidate: Candidate) => ReturnType<typeof hashFile>,
): Promise<LockedPackage> {
  const { name, version, file, source, url, imports } = candidate
  const known = candidate.sha256 === undefined ? await hash(candidate) : candidate
  return {
    ...{ name, version: canonicalVersion(version), file, source },
    sha256: known.sha256 ?? '',
    ...(source === 'index' && url !== undefined ? { url } : {}),
    ...(known.sizeBytes === undefined ? {} : { sizeBytes: known.sizeBytes }),
    depends: [...requires].sort(),
    ...(imports === undefined ? {} : { imports: [...imports] }),
  }
}
