// Damages bytes at random, each time in one of several ways. The caller owns the randomness: `below(n)` returns an integer in 0..n-1.

export function mutate(original: Uint8Array, below: (n: number) => number): Uint8Array {
  const copy = Buffer.from(original)
  const at = below(copy.length)
  switch (below(7)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << below(8))
      return copy
    case 1:
      copy[at] = below(256)
      return copy
    case 2:
      return copy.subarray(0, at)
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + 1 + below(9)))])
    case 4:
      return Buffer.concat([
        copy.subarray(0, at),
        copy.subarray(below(copy.length)).subarray(0, 1 + below(40)),
        copy.subarray(at),
      ])
    case 5:
      // Lengths are among the first bytes of each part.
      copy[below(Math.min(200, copy.length))] = [0, 1, 0x7f, 0x80, 0xff][below(5)] ?? 0
      return copy
    default:
      for (let i = 0; i <= below(8); i++) copy[below(copy.length)] = below(256)
      return copy
  }
}
