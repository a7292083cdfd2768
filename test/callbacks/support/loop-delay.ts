// How long the main thread keeps others waiting while something runs.

/** What `work` resolves to, and the longest time in ms that the event loop took for one turn meanwhile. */
export async function delayDuring<T>(work: () => Promise<T>): Promise<{ result: T; delayMs: number }> {
  let delayMs = 0
  let lastMs = performance.now()
  let isOver = false
  const look = () => {
    const nowMs = performance.now()
    delayMs = Math.max(delayMs, nowMs - lastMs)
    lastMs = nowMs
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  try {
    const result = await work()
    return { result, delayMs }
  } finally {
    look()
    isOver = true
  }
}
