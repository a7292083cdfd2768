// One wheel that may be chosen for a package, and the sources of such wheels. Owns the types only.
import type { LockedPackage } from './lock.js'
import type { Metadata } from './metadata.js'
import type { Version } from './version.js'

export type SourceKind = LockedPackage['source']

export interface Candidate {
  /** Canonical name. */
  readonly name: string
  readonly version: Version
  /** Name of the wheel's file. */
  readonly file: string
  readonly source: SourceKind
  /** Local path, if the file is on this machine. */
  readonly path?: string
  /** Address for the download, without credentials. */
  readonly url?: string
  /** Undefined if it has to be computed from the file. */
  readonly sha256?: string
  readonly sizeBytes?: number
  /** PEP 592: a yanked file is chosen only for requirements that allow no other version. */
  readonly isYanked: boolean
  /** Canonical names of the packages it needs, for a closed set of packages that were tested together. If undefined, METADATA has them. */
  readonly depends?: readonly string[]
  readonly imports?: readonly string[]
  /** Address and hash of METADATA, if it is available without the wheel (PEP 658). */
  readonly metadata?: { readonly url: string; readonly sha256: string | undefined }
}

/** The wheels that a source has of one package. */
export interface Offer {
  /** Wheels that run here, preferred ones first. */
  readonly candidates: readonly Candidate[]
  /** Other files, each with the reason why it cannot be chosen, newest first. */
  readonly refused: readonly string[]
}

export interface Source {
  /** Name for messages, such as `Pyodide 314.0.7`. */
  readonly description: string
  /** Returns undefined if the source does not know the package. Returns the same objects each time. */
  find(name: string, signal: AbortSignal | undefined): Promise<Offer | undefined>
  /** Names that the source knows without a request. */
  names(): Iterable<string>
}

/** Reads METADATA of candidates. */
export interface MetadataReader {
  metadataOf(candidate: Candidate, signal: AbortSignal | undefined): Promise<Metadata>
}
