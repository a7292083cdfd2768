// Sorts many names in steps, so that others need not wait. Owns nothing else.

/** How many names are sorted or merged in one step, which takes about a millisecond. */
const STEP_NAMES = 4096

/** Sorts in the order of `sort()`. */
export function* sortInSteps(names: readonly string[]): Generator<undefined, string[]> {
  let runs: string[][] = []
  for (let at = 0; at < names.length; at += STEP_NAMES) {
    if (at > 0) yield
    runs.push(names.slice(at, at + STEP_NAMES).sort())
  }
  while (runs.length > 1) {
    const merged: string[][] = []
    for (let at = 0; at < runs.length; at += 2) merged.push(yield* merge(runs[at] ?? [], runs[at + 1] ?? []))
    runs = merged
  }
  return runs[0] ?? []
}

function* merge(left: readonly string[], right: readonly string[]): Generator<undefined, string[]> {
  const merged: string[] = []
  let [l, r] = [0, 0]
  while (l < left.length || r < right.length) {
    const [a, b] = [left[l], right[r]]
    const isLeft = b === undefined || (a !== undefined && a <= b)
    merged.push((isLeft ? a : b) ?? '')
    if (isLeft) l += 1
    else r += 1
    if (merged.length % STEP_NAMES === 0) yield
  }
  return merged
}
