// Finds one version of every needed package, so that all requirements hold. Owns the search: it tries candidates in order of
// preference, and after a conflict it goes back to the latest choice that took part in it. catalog.ts provides the candidates.
import { PackageError } from '../shared/errors.js'
import type { Candidate } from './candidate.js'
import { MetadataError } from './metadata.js'
import { type Requirement, requirementText } from './requirement.js'
import { accepts } from './specifiers.js'
import { canonicalVersion } from './version.js'

/** A requirement and its origin: a chosen package, or the caller. */
export interface Want {
  readonly requirement: Requirement
  /** The choice of the package that requires it; undefined for the caller. */
  readonly by: Choice | undefined
}

/** A node of the search: a package, or a package with one extra, which adds dependencies. */
interface Choice {
  readonly key: string
  readonly candidate: Candidate
  readonly requires: readonly Requirement[]
}

/** What the search needs to know about packages. */
export interface Catalog {
  /** Candidates that satisfy all requirements on the name, in order of preference. */
  candidates(name: string, requirements: readonly Requirement[]): AsyncIterable<Candidate>
  /** The candidate's dependencies or, with an extra, those that the extra adds. */
  dependencies(candidate: Candidate, extra: string): Promise<readonly Requirement[]>
  /** Describes why there is no candidate. */
  describeLack(name: string, requirements: readonly Requirement[]): Promise<string>
}

/** Why no candidate of a node fits. */
interface Conflict {
  /** Nodes whose choices took part. Choosing differently for one of them may help. */
  readonly keys: ReadonlySet<string>
  /** Lines of the message, most specific last. */
  readonly lines: readonly string[]
  /** The package for which there was no candidate, and why. */
  readonly lack: { readonly name: string; readonly reason: string } | undefined
}

/** A conflict that recurs with the same choices. */
interface Failure {
  readonly conflict: Conflict
  readonly beside: ReadonlyMap<string, Candidate>
}

/** The search gives up after this many candidates. A large real set of requirements takes a few hundred. */
const MAX_TRIED = 20_000
const MAX_LINES = 12

export class Resolver {
  readonly #catalog: Catalog
  readonly #wanted: readonly Requirement[]
  readonly #signal: AbortSignal | undefined
  /** Choices in the order in which they were made. */
  readonly #choices = new Map<string, Choice>()
  /** Number of conflicts about each node. Nodes with more are chosen earlier, so that a choice that cannot work fails soon. */
  readonly #conflicts = new Map<string, number>()
  /** For each candidate of a node, the choices with which it has failed before. */
  readonly #failures = new Map<string, Failure[]>()
  #tried = 0

  constructor(catalog: Catalog, wanted: readonly Requirement[], signal?: AbortSignal) {
    this.#catalog = catalog
    this.#wanted = wanted
    this.#signal = signal
  }

  /**
   * Returns one candidate and its dependencies for each package.
   *
   * @throws PackageError if the requirements contradict each other, or a package is not available
   */
  async resolve(): Promise<
    Map<string, { readonly candidate: Candidate; readonly requires: readonly string[] }>
  > {
    const conflict = await this.#search()
    if (conflict) throw this.#error(conflict)
    const chosen = new Map<string, { readonly candidate: Candidate; readonly requires: string[] }>()
    for (const { candidate, requires } of this.#choices.values()) {
      const names = requires.map(({ name }) => name).filter((name) => name !== candidate.name)
      const before = chosen.get(candidate.name)?.requires ?? []
      chosen.set(candidate.name, { candidate, requires: [...new Set([...before, ...names])] })
    }
    return chosen
  }

  async #search(): Promise<Conflict | undefined> {
    const key = this.#nextKey()
    if (key === undefined) return undefined
    const [name = '', extra = ''] = key.split('[')
    const wants = this.#wantsOn(name)
    const keys = new Set(keysOf(wants))
    let first: Conflict | undefined
    let hasCandidate = false
    for await (const candidate of this.#candidates(name, extra, wants)) {
      hasCandidate = true
      const conflict: Conflict | undefined =
        this.#knownConflict(key, candidate) ?? (await this.#try(key, extra, candidate))
      if (conflict === undefined) return undefined
      // Any other candidate of this package would lead to the same conflict.
      if (!conflict.keys.has(key)) return conflict
      for (const one of conflict.keys) if (one !== key) keys.add(one)
      first ??= conflict
    }
    this.#conflicts.set(key, (this.#conflicts.get(key) ?? 0) + 1)
    // An extra uses the candidate of its package.
    if (extra !== '') keys.add(name)
    const lines = wants.map(describeWant)
    if (first) return { keys, lines: merge(lines, first.lines), lack: first.lack }
    const requirements = wants.map(({ requirement }) => requirement)
    const reason = hasCandidate ? '' : await this.#catalog.describeLack(name, requirements)
    return { keys, lines: [...lines, `${name}: ${reason}`], lack: { name, reason } }
  }

  /** Chooses the candidate and continues the search. The choice stays if there is no conflict. */
  async #try(key: string, extra: string, candidate: Candidate): Promise<Conflict | undefined> {
    this.#signal?.throwIfAborted()
    if (++this.#tried > MAX_TRIED)
      throw new PackageError(
        candidate.name,
        `found no compatible versions after trying ${MAX_TRIED} candidates; give narrower versions`,
      )
    let conflict: Conflict | undefined
    try {
      const choice: Choice = { key, candidate, requires: await this.#catalog.dependencies(candidate, extra) }
      conflict = this.#clash(choice)
      if (conflict === undefined) {
        this.#choices.set(key, choice)
        conflict = await this.#search()
        if (conflict === undefined) return undefined
        this.#choices.delete(key)
      }
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error
      const line = `${describe(candidate)} cannot be used: ${error.message}`
      conflict = { keys: new Set([key]), lines: [line], lack: undefined }
    }
    if (conflict.keys.has(key)) this.#remember(key, candidate, conflict)
    return conflict
  }

  #remember(key: string, candidate: Candidate, conflict: Conflict): void {
    const beside = new Map<string, Candidate>()
    for (const one of conflict.keys) {
      const choice = one === key ? undefined : this.#choices.get(one)
      if (choice) beside.set(one, choice.candidate)
    }
    const id = `${key} ${candidate.file}`
    this.#failures.set(id, [...(this.#failures.get(id) ?? []), { conflict, beside }])
  }

  #knownConflict(key: string, candidate: Candidate): Conflict | undefined {
    return this.#failures
      .get(`${key} ${candidate.file}`)
      ?.find(({ beside }) => [...beside].every(([one, other]) => this.#choices.get(one)?.candidate === other))
      ?.conflict
  }

  /** The next node to choose: the one with the most conflicts, otherwise in the order of the requirements. Extras follow their packages. */
  #nextKey(): string | undefined {
    let found: string | undefined
    let most = -1
    const consider = (key: string) => {
      const conflicts = this.#conflicts.get(key) ?? 0
      if (this.#choices.has(key) || conflicts <= most) return
      found = key
      most = conflicts
    }
    for (const { requirement } of this.#wants()) {
      consider(requirement.name)
      if (this.#choices.has(requirement.name))
        for (const extra of requirement.extras) consider(`${requirement.name}[${extra}`)
    }
    return found
  }

  *#wants(): Iterable<Want> {
    for (const requirement of this.#wanted) yield { requirement, by: undefined }
    for (const by of this.#choices.values()) for (const requirement of by.requires) yield { requirement, by }
  }

  #wantsOn(name: string): Want[] {
    return [...this.#wants()].filter(({ requirement }) => requirement.name === name)
  }

  async *#candidates(name: string, extra: string, wants: readonly Want[]): AsyncIterable<Candidate> {
    const chosen = extra === '' ? undefined : this.#choices.get(name)
    if (chosen) yield chosen.candidate
    else
      yield* this.#catalog.candidates(
        name,
        wants.map(({ requirement }) => requirement),
      )
  }

  /** Finds a requirement of the choice that an earlier choice does not satisfy. */
  #clash({ key, candidate, requires }: Choice): Conflict | undefined {
    for (const requirement of requires) {
      const other =
        requirement.name === candidate.name ? candidate : this.#choices.get(requirement.name)?.candidate
      if (other === undefined || accepts(requirement.specifiers, other.version)) continue
      const lines = this.#wantsOn(requirement.name).map(describeWant)
      const line = `${describe(candidate)} requires ${requirementText(requirement)}`
      return {
        keys: new Set([key, requirement.name]),
        lines: merge(lines, [line, `${requirement.name}: ${canonicalVersion(other.version)} was chosen`]),
        lack: undefined,
      }
    }
    return undefined
  }

  #error({ lines, lack }: Conflict): PackageError {
    // There is only one requirement, and nothing fits it, so this is not a contradiction.
    if (lack && lines.length <= 2) {
      const by = lines[0]?.startsWith(YOU) ? '' : ` (${lines[0]})`
      return new PackageError(lack.name, `${lack.reason}${by}`)
    }
    const name = lack?.name ?? this.#wanted[0]?.name
    const shown = lines.slice(-MAX_LINES).map((line) => `\n  ${line}`)
    return new PackageError(name, `no versions fit together:${shown.join('')}`)
  }
}

const YOU = 'you require '

function describeWant({ requirement, by }: Want): string {
  const text = requirementText(requirement)
  return by === undefined ? `${YOU}${text}` : `${describe(by.candidate)} requires ${text}`
}

function describe({ name, version }: Candidate): string {
  return `${name} ${canonicalVersion(version)}`
}

function keysOf(wants: readonly Want[]): string[] {
  return wants.flatMap(({ by }) => (by === undefined ? [] : [by.key]))
}

function merge(lines: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...lines, ...more])]
}
