// Seeded random numbers. Owns the generator (mulberry32) and its helpers for fuzzers.

export function random(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    next,
    below: (bound) => next() % bound,
    pick: (list) => list[next() % list.length],
  }
}
