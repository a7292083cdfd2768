// A Python package index with JSON pages (PEP 691). Owns its pages, and which of their files run here; http.ts sends the requests.
import { PackageError } from '../shared/errors.js'
import type { Candidate, Offer, Source } from './candidate.js'
import { newestFirst } from './directory-source.js'
import { FetchError, requestBytes, withoutCredentials } from './http.js'
import { readPython } from './metadata.js'
import { isHash, isObject } from './shapes.js'
import { accepts } from './specifiers.js'
import type { Target } from './target.js'
import { compareVersions, parseVersion } from './version.js'
import { parseWheelName, type WheelName } from './wheel-name.js'

const ACCEPT = 'application/vnd.pypi.simple.v1+json'
/** Pages of the largest projects are a few megabytes long. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024

interface IndexFile {
  readonly filename: string
  readonly url: string
  readonly hashes: Readonly<Record<string, unknown>>
  readonly size?: unknown
  readonly yanked?: unknown
  readonly 'requires-python'?: unknown
  readonly 'core-metadata'?: unknown
  readonly 'dist-info-metadata'?: unknown
}

export class IndexSource implements Source {
  readonly description: string
  readonly #url: string
  readonly #target: Target
  readonly #pages = new Map<string, Promise<Offer | undefined>>()

  /** @param url of the index's pages, such as `https://example.org/simple`; may contain credentials */
  constructor(url: string, target: Target) {
    this.#url = url.replace(/\/*$/, '/')
    this.#target = target
    this.description = `the index ${withoutCredentials(this.#url).target}`
  }

  find(name: string, signal: AbortSignal | undefined): Promise<Offer | undefined> {
    const page = this.#pages.get(name) ?? this.#load(name, signal)
    this.#pages.set(name, page)
    return page
  }

  names(): Iterable<string> {
    return []
  }

  async #load(name: string, signal: AbortSignal | undefined): Promise<Offer | undefined> {
    try {
      const url = new URL(`${name}/`, this.#url).href
      const {
        bytes,
        url: base,
        contentType,
      } = await requestBytes({
        ...{ url, accept: ACCEPT, maxBytes: MAX_PAGE_BYTES, signal },
      })
      if (!contentType.startsWith(ACCEPT) && !contentType.startsWith('application/json'))
        throw new PackageError(
          name,
          `${this.description} answers with ${contentType || 'no content type'}; only indexes with JSON (PEP 691) can be used`,
        )
      return this.#read(name, bytes, base)
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      if (error.status === 404) return undefined
      throw new PackageError(name, `${error.message}. ${OFFLINE}`, { cause: error })
    }
  }

  #read(name: string, bytes: Uint8Array, base: string): Offer {
    let page: unknown
    try {
      page = JSON.parse(new TextDecoder().decode(bytes))
    } catch (cause) {
      throw new PackageError(name, `${this.description} answers with JSON that cannot be read`, { cause })
    }
    if (!isObject(page) || !Array.isArray(page.files))
      throw new PackageError(name, `${this.description} answers with a page without files`)
    const found: { readonly wheel: WheelName; readonly candidate: Candidate }[] = []
    const refused: string[] = []
    for (const file of page.files) {
      if (!isIndexFile(file)) continue
      const wheel = parseWheelName(file.filename)
      if (wheel === undefined || wheel.name !== name) {
        if (/\.(tar\.gz|zip)$/.test(file.filename)) refused.push(`${file.filename} (source)`)
        continue
      }
      const reason = this.#reasonAgainst(wheel, file)
      const candidate = reason === undefined ? candidateOf(wheel, file, base) : undefined
      if (candidate) found.push({ wheel, candidate })
      else refused.push(`${file.filename}${reason ? ` (${reason})` : ''}`)
    }
    found.sort((a, b) => newestFirst(a.wheel, b.wheel, this.#target))
    return { candidates: found.map(({ candidate }) => candidate), refused: refused.sort(newestFileFirst) }
  }

  /** Why the file cannot be chosen; empty if its name already shows that, undefined if it can be. */
  #reasonAgainst(wheel: WheelName, file: IndexFile): string | undefined {
    if (this.#target.rankOf(wheel.tags) === undefined) return ''
    const python = file['requires-python']
    if (typeof python === 'string' && !accepts(readPython(python), this.#target.fullVersion))
      return `needs Python ${python}`
    return isHash(file.hashes.sha256) ? undefined : 'without sha-256'
  }
}

/** The remedy for a failed request. */
export const OFFLINE =
  'Without a network, build from a lock whose wheels are cached, or give a directory that has them as wheels'

function candidateOf(wheel: WheelName, file: IndexFile, base: string): Candidate | undefined {
  const url = fileUrl(file.url, base)
  if (url === undefined) return undefined
  const metadata = file['core-metadata'] ?? file['dist-info-metadata']
  const metadataHash = isObject(metadata) && isHash(metadata.sha256) ? metadata.sha256 : undefined
  return {
    ...{ name: wheel.name, version: wheel.version, file: file.filename, source: 'index', url },
    sha256: String(file.hashes.sha256),
    ...(Number.isSafeInteger(file.size) ? { sizeBytes: Number(file.size) } : {}),
    // A text is the reason for yanking.
    isYanked: file.yanked !== undefined && file.yanked !== false,
    ...(metadata ? { metadata: { url: `${url}.metadata`, sha256: metadataHash } } : {}),
  }
}

/** Compares by the version in the name. Names without one sort last. */
function newestFileFirst(a: string, b: string): number {
  const [one, other] = [a, b].map((file) =>
    parseVersion(/-([0-9][^-]*?)(?:-|\.tar|\.zip)/.exec(file)?.[1] ?? ''),
  )
  return one && other ? compareVersions(other, one) : Number(one === undefined) - Number(other === undefined)
}

/** Absolute, without a fragment. Files may come without TLS only if the index does. */
function fileUrl(url: string, base: string): string | undefined {
  if (!URL.canParse(url, base)) return undefined
  const parsed = new URL(url, base)
  parsed.hash = ''
  const isSafe = parsed.protocol === 'https:' || (parsed.protocol === 'http:' && base.startsWith('http:'))
  return isSafe ? parsed.href : undefined
}

function isIndexFile(file: unknown): file is IndexFile {
  return (
    isObject(file) &&
    typeof file.filename === 'string' &&
    typeof file.url === 'string' &&
    isObject(file.hashes)
  )
}
