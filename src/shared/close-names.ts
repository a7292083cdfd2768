// Finds the name that somebody meant who wrote an unknown one. Owns the edit distance and how close is close.

/** Longer names are not compared: an option, keyword or package has none. */
const MAX_LENGTH = 100
/** An edit distance up to which a short name may be a slip of the pen for another. */
const MAX_DISTANCE = 2
/** A shorter name is part of too many others. */
const MIN_PART_LENGTH = 4

/** ` did you mean \`slots\`?` with what leads up to it, for the end of a message; nothing if no known name is close. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const meant = closestName(name, known)
  return meant === undefined ? '' : `; did you mean \`${meant}\`?`
}

/** The known name that is closest, without regard to case: a slip of the pen, or a part of it such as `timeout` for `timeoutMs`. */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  const wanted = name.toLowerCase()
  let closest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const other of known) {
    const text = other.toLowerCase()
    const most = wanted.length < MIN_PART_LENGTH ? 1 : MAX_DISTANCE
    const isPart = wanted.length >= MIN_PART_LENGTH && (text.includes(wanted) || wanted.includes(text))
    const distance = editDistance(wanted, text)
    if ((distance > most && !isPart) || distance >= least) continue
    closest = other
    least = distance
  }
  return closest
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
