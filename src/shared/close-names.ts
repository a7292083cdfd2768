// Finds the known name that is meant by an unknown one. Owns the edit distance, and how close names have to be.

/** Longer names are not compared: no option, keyword or package has one. */
const MAX_LENGTH = 100
/** Largest edit distance at which a name may be a misspelling of another. */
const MAX_DISTANCE = 2
/** Most suggestions. More would not help. */
const MAX_NAMES = 3
/** Shorter names are part of too many others. */
const MIN_PART_LENGTH = 4

/** Returns `; did you mean \`slots\`?` for the end of a message, or an empty text if no known name is close. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const meant = closeNames(name, known).map((one) => `\`${one}\``)
  return meant.length === 0 ? '' : `; did you mean ${meant.join(' or ')}?`
}

/**
 * The known names that may be meant, ignoring case: the closest one within a small edit distance, or else those that contain the name or
 * are contained in it, in their given order. For example, `timeoutMs` gives `executionTimeoutMs` and `callbackTimeoutMs`.
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

/** Number of letters to add, remove or replace to turn `a` into `b`. */
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
