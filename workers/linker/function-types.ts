// The function types of the merged module, without duplicates. Owns their numbers. The main module's types keep theirs.
import { concatenate, unsigned } from '../wasm/encoding.js'
import type { FunctionType } from '../wasm/module.js'

export class FunctionTypes {
  readonly #types: FunctionType[] = []
  readonly #byKey = new Map<string, number>()
  /** For each type of the main module, the first that equals it. */
  readonly #first: readonly number[]

  constructor(main: readonly FunctionType[]) {
    this.#first = main.map((type) => {
      const index = this.#types.push(type) - 1
      const key = keyOf(type)
      const first = this.#byKey.get(key) ?? index
      this.#byKey.set(key, first)
      return first
    })
  }

  get count(): number {
    return this.#types.length
  }

  /** Returns the number of `type`. Equal types have the same number. */
  add(type: FunctionType): number {
    const key = keyOf(type)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const index = this.#types.push(type) - 1
    this.#byKey.set(key, index)
    return index
  }

  /** The number that `add` would return for the same type. */
  normal(index: number): number {
    return this.#first[index] ?? index
  }

  get(index: number): FunctionType {
    const type = this.#types[index]
    if (type === undefined) throw new Error(`there is no function type ${index}`)
    return type
  }

  /** Items of the type section. */
  encoded(): Uint8Array[] {
    return this.#types.map(({ parameters, results }) =>
      concatenate([
        Uint8Array.of(0x60),
        ...[unsigned(parameters.length), Uint8Array.from(parameters)],
        ...[unsigned(results.length), Uint8Array.from(results)],
      ]),
    )
  }
}

const NAMES: Readonly<Record<number, string>> = {
  ...{ 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64', 123: 'v128', 112: 'funcref', 111: 'externref' },
}

/** For error messages. */
export function describeType({ parameters, results }: FunctionType): string {
  const list = (types: readonly number[]) =>
    types
      .map((type) => NAMES[type] ?? '?')
      .join(', ')
      .slice(0, 200)
  return `(${list(parameters)}) -> (${list(results)})`
}

function keyOf({ parameters, results }: FunctionType): string {
  return String.fromCharCode(...parameters, 0, ...results)
}
