// Finds the name that somebody meant who wrote an unknown one. Owns the edit distance and how close is close.

/** Longer names are not compared: an option, keyword or package has none. */
const MAX_LENGTH = 100
/** An edit distance up to which a short name may be a slip of the pen for another. */
const MAX_DISTANCE = 2
/** More would be no hint. */
const MAX_NAMES = 3
/** A shorter name is part of too many others. */
const MIN_PART_LENGTH = 4

/** ` did you mean \`slots\`?` with what leads up to it, for the end of a message; nothing if no known name is close. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const meant = closeNames(name, known).map((one) => `\`${one}\``)
  return meant.length === 0 ? '' : `; did you mean ${meant.join(' or ')}?`
}

/**
 * What the name may stand for, without regard to case: the known name that differs by a slip of the pen, else those that it is a part of,
 * such as `timeoutMs` of `executionTimeoutMs` and `callbackTimeoutMs`, in their given order.
 */
export function closeNames(name: string, known: Iterable<string>): readonly string[] {
  if (name.length > MAX_LENGTH) return []
  const wanted = name.toLowerCase()
  const most = wanted.length < MIN_PART_LENGTH ? 1 : MAX_DISTANCE
  const parts: string[] = []
  let closest: string | undefined
  let least = most + 1
  for (const other of known) {
    const text = other.toLowerCase()
    const distance = editDistance(wanted, text)
    if (distance < least) {
      closest = other
      least = distance
    }
    if (wanted.length >= MIN_PART_LENGTH && (text.includes(wanted) || wanted.includes(text)))
      parts.push(other)
  }
  return closest === undefined ? parts.slice(0, MAX_NAMES) : [closest]
}

/** How many letters have to be added, removed or replaced to make `b` of `a`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
