// One wheel that a package may be taken from, and where such wheels are looked for. Owns the types only.
import type { LockedPackage } from './lock.js'
import type { Metadata } from './metadata.js'
import type { Version } from './version.js'

export type SourceKind = LockedPackage['source']

export interface Candidate {
  /** Canonical. */
  readonly name: string
  readonly version: Version
  /** Name of the file. */
  readonly file: string
  readonly source: SourceKind
  /** Where the file is on this machine, if it is. */
  readonly path?: string
  /** Where it can be downloaded, without credentials. */
  readonly url?: string
  /** Undefined where it has to be computed from the file. */
  readonly sha256?: string
  readonly sizeBytes?: number
  /** PEP 592: only for requirements that allow this version alone. */
  readonly isYanked: boolean
  /** Canonical names of what it needs, from a closed set of packages that were tested together. Undefined: METADATA says. */
  readonly depends?: readonly string[]
  readonly imports?: readonly string[]
  /** METADATA's hash, and that it can be had without the wheel; see PEP 658. */
  readonly metadata?: { readonly url: string; readonly sha256: string | undefined }
}

/** What a source has of one package. */
export interface Offer {
  /** Wheels that run here, the preferred one first. */
  readonly candidates: readonly Candidate[]
  /** What else it has, each with the reason why it cannot be taken, the newest first. */
  readonly refused: readonly string[]
}

export interface Source {
  /** For messages, such as `Pyodide 314.0.7`. */
  readonly description: string
  /** Undefined if it does not know the package. The same objects each time. */
  find(name: string, signal: AbortSignal | undefined): Promise<Offer | undefined>
  /** Names it knows, as far as it can tell without a request. */
  names(): Iterable<string>
}

/** Reads METADATA of candidates. */
export interface MetadataReader {
  metadataOf(candidate: Candidate, signal: AbortSignal | undefined): Promise<Metadata>
}
