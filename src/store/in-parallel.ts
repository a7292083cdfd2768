// Runs the same work for many items, a few at a time.

/** Returns the results in the order of the items. Rejects with the first error; work that has started continues. */
export async function inParallel<T, Result>(
  atOnce: number,
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const left = items.entries()
  const worker = async () => {
    for (const [i, item] of left) results[i] = await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
