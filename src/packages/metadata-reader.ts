// Reads METADATA of candidates where it is cheapest: beside the wheel on the index (PEP 658), otherwise from the wheel. Owns reading
// each one only once; wheels that it has to download stay in the cache.
import { createHash } from 'node:crypto'
import { PackageError } from '../shared/errors.js'
import type { Candidate, MetadataReader } from './candidate.js'
import { FetchError, requestBytes } from './http.js'
import { OFFLINE } from './index-source.js'
import { MAX_METADATA_BYTES, type Metadata, MetadataError, parseMetadata } from './metadata.js'
import { mismatch, type WheelCache } from './wheel-cache.js'
import { readWheelMetadata } from './wheel-file.js'

export class CandidateMetadata implements MetadataReader {
  readonly #cache: WheelCache
  readonly #read = new Map<Candidate, Promise<Metadata>>()

  constructor(cache: WheelCache) {
    this.#cache = cache
  }

  /** @throws MetadataError if the wheel cannot be used; PackageError if METADATA is not available */
  metadataOf(candidate: Candidate, signal: AbortSignal | undefined): Promise<Metadata> {
    const before = this.#read.get(candidate)
    if (before) return before
    const reading = this.#load(candidate, signal)
    this.#read.set(candidate, reading)
    return reading
  }

  async #load(candidate: Candidate, signal: AbortSignal | undefined): Promise<Metadata> {
    try {
      const metadata = candidate.metadata
        ? parseMetadata(await this.#download(candidate, candidate.metadata, signal))
        : await readWheelMetadata(await this.#wheel(candidate, signal))
      if (metadata.name !== candidate.name)
        throw new MetadataError(`its METADATA is for ${JSON.stringify(metadata.name.slice(0, 100))}`)
      return metadata
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      throw new PackageError(candidate.name, `${error.message}. ${OFFLINE}`, { cause: error })
    }
  }

  async #download(
    { name }: Candidate,
    { url, sha256 }: { readonly url: string; readonly sha256: string | undefined },
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { bytes } = await requestBytes({
      ...{ url, signal, maxBytes: MAX_METADATA_BYTES },
      credentials: this.#cache.credentials,
    })
    const got = createHash('sha256').update(bytes).digest('hex')
    if (sha256 !== undefined && got !== sha256) throw mismatch(name, url, sha256, got)
    return new TextDecoder().decode(bytes)
  }

  async #wheel({ name, path, url, sha256 }: Candidate, signal: AbortSignal | undefined): Promise<string> {
    if (path !== undefined) return path
    if (url === undefined || sha256 === undefined)
      throw new Error(`unreachable: ${name} has neither path nor url`)
    return this.#cache.download({ name, url, sha256 }, signal)
  }
}
