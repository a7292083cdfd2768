// Which libraries a library needs, and in which order they are set up. Owns the search by runtime path: two wheels may each contain a
// library of the same file name, so the file name alone is not enough.
import { posix } from 'node:path'
import type { Library } from './library.js'
import { LIMITS } from './limits.js'
import { blaming, quote, Unlinkable } from './link-error.js'

/** Folders of libraries that do not come from a wheel. */
const SYSTEM_FOLDERS = ['/usr/lib', '/lib']

export interface Dependencies {
  /** Numbers of all libraries; each comes after those that it needs. */
  readonly order: readonly number[]
  /** For each library, the numbers of those that it needs, directly or indirectly, nearest first. */
  readonly scopes: readonly (readonly number[])[]
  /** Libraries that another library needs. */
  readonly needed: ReadonlySet<number>
}

/**
 * @throws LinkError if a needed library is missing, or there is a cycle
 */
export function findDependencies(libraries: readonly Library[]): Dependencies {
  const search = new Search(libraries)
  const direct = libraries.map((library) => blaming(library, () => search.neededBy(library)))
  const order = sorted(libraries, direct)
  const scopes: number[][] = libraries.map(() => [])
  let size = 0
  for (const number of order) {
    const scope = new Set(direct[number])
    for (const near of direct[number] ?? []) for (const far of scopes[near] ?? []) scope.add(far)
    size += scope.size
    const library = libraries[number] as Library
    if (size > LIMITS.lookups) blaming(library, () => fail('the libraries need too many others'))
    scopes[number] = [...scope]
  }
  return { order, scopes, needed: new Set(direct.flat()) }
}

/** Finds needed libraries in the folders that each library names. */
class Search {
  readonly #numbers: ReadonlyMap<string, number>
  #left: number = LIMITS.pathLookups

  constructor(libraries: readonly Library[]) {
    this.#numbers = new Map(libraries.map(({ path }, number) => [path, number]))
  }

  neededBy({ path, module: { dylink } }: Library): number[] {
    const own = posix.dirname(path)
    const folders = [
      ...dylink.runtimePaths.map((name) => name.replace(/^(?:\$ORIGIN|\$\{ORIGIN\})(?=\/|$)/, () => own)),
      ...SYSTEM_FOLDERS,
    ].map((folder) => posix.normalize(`${folder}/`))
    const found = dylink.needed.map((file) => {
      for (const folder of folders) {
        if (this.#left-- === 0) fail('the libraries look for too many others in too many folders')
        const number = this.#numbers.get(folder + file)
        if (number !== undefined) return number
      }
      const places = folders.slice(0, 10).map(quote).join(', ')
      return fail(`it needs ${quote(file)}, which no package of the image has where it looks (${places})`)
    })
    return [...new Set(found)]
  }
}

/** Sorts depth-first, without recursion, because a chain may contain all libraries. */
function sorted(libraries: readonly Library[], direct: readonly (readonly number[])[]): number[] {
  const order: number[] = []
  const state = new Array<'new' | 'open' | 'done'>(libraries.length).fill('new')
  for (const first of libraries.keys()) {
    const open = [{ number: first, next: 0 }]
    if (state[first] !== 'new') continue
    state[first] = 'open'
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const needed = direct[top.number]?.[top.next++]
      if (needed === undefined) {
        state[top.number] = 'done'
        order.push(top.number)
        open.pop()
      } else if (state[needed] === 'open') {
        const other = quote(libraries[needed]?.path ?? '')
        blaming(libraries[top.number] as Library, () => fail(`it has a dependency cycle with ${other}`))
      } else if (state[needed] === 'new') {
        state[needed] = 'open'
        open.push({ number: needed, next: 0 })
      }
    }
  }
  return order
}

function fail(reason: string): never {
  throw new Unlinkable(reason)
}
