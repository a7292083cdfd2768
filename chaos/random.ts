// Reproducible random numbers: sfc32, from one seed. Owns its state. Each part of a run draws from its own branch, so that its numbers
// do not depend on when other parts draw theirs.

export class Random {
  readonly #state: Uint32Array

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed, seed >>> 7, 0x9e3779b9, 1)
    for (let round = 0; round < 15; round++) this.#draw()
  }

  /** At least 0, less than 1. */
  next(): number {
    return this.#draw() / 2 ** 32
  }

  /** An integer from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Picks an item by weight. */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T {
    let left = this.next() * items.reduce((sum, { weight }) => sum + weight, 0)
    for (const item of items) {
      left -= item.weight
      if (left < 0) return item
    }
    return this.pick(items)
  }

  branch(): Random {
    return new Random(this.#draw())
  }

  #draw(): number {
    const [a = 0, b = 0, c = 0, count = 0] = this.#state
    const sum = (a + b + count) >>> 0
    this.#state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + sum, count + 1])
    return sum
  }
}
