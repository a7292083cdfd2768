// The function table of the merged module, after the main module's part: first the libraries' own parts, then entries for functions whose
// address is needed. Owns the indices. A function that is already in the table keeps its index.
import { concatenate, signed, unsigned, vector } from '../wasm/encoding.js'
import { LIMITS } from './limits.js'
import { Unlinkable } from './link-error.js'

const EMPTY = -1
const ACTIVE = 0
const DECLARATIVE = 3
const FUNCTION_INDICES = 0
const I32_CONST = 0x41
const END = 0x0b

export class FunctionTable {
  /** First index after the main module's part. */
  readonly #base: number
  /** Function at each index from `#base` on. */
  readonly #entries: number[] = []
  readonly #indexOf: Map<number, number>

  /**
   * @param indices - table index of each function in the main module's table
   */
  constructor(base: number, indices: ReadonlyMap<number, number>) {
    this.#base = base
    this.#indexOf = new Map(indices)
  }

  get end(): number {
    return this.#base + this.#entries.length
  }

  /** Function at each added index; undefined if there is none. */
  get functions(): (number | undefined)[] {
    return this.#entries.map((index) => (index === EMPTY ? undefined : index))
  }

  /** Reserves `count` consecutive entries. Returns the index of the first. */
  reserve(count: number, alignment: number): number {
    const start = Math.ceil(this.end / alignment) * alignment
    if (start + count - this.#base > LIMITS.tableEntries)
      throw new Unlinkable(
        `the libraries need more than ${LIMITS.tableEntries} entries of the function table`,
      )
    while (this.end < start + count) this.#entries.push(EMPTY)
    return start
  }

  /** Puts functions into reserved entries. */
  fill(start: number, functions: readonly number[]): void {
    for (const [i, index] of functions.entries()) this.#entries[start + i - this.#base] = index
  }

  /** Call once all libraries have filled their entries: until then, later ones may overwrite earlier ones. */
  index(): void {
    for (const [i, index] of this.#entries.entries())
      if (index !== EMPTY && !this.#indexOf.has(index)) this.#indexOf.set(index, this.#base + i)
  }

  /** Table index of a function. Adds an entry if it has none. */
  addressOf(index: number): number {
    const known = this.#indexOf.get(index)
    if (known !== undefined) return known
    const added = this.reserve(1, 1)
    this.fill(added, [index])
    this.#indexOf.set(index, added)
    return added
  }

  /** Items of the element section: one for each run of entries, and one that declares the functions that `ref.func` names. */
  segments(declared: ReadonlySet<number>): Uint8Array[] {
    const segments: Uint8Array[] = []
    let run: Uint8Array[] = []
    for (const [i, index] of [...this.#entries, EMPTY].entries()) {
      if (index !== EMPTY) run.push(unsigned(index))
      else if (run.length > 0) {
        segments.push(
          concatenate([
            Uint8Array.of(ACTIVE, I32_CONST),
            signed(this.#base + i - run.length),
            Uint8Array.of(END),
            vector(run),
          ]),
        )
        run = []
      }
    }
    if (declared.size > 0)
      segments.push(
        concatenate([Uint8Array.of(DECLARATIVE, FUNCTION_INDICES), vector([...declared].map(unsigned))]),
      )
    return segments
  }
}
