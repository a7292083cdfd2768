// A session with callbacks, and a sibling of another tenant. A case is a list of code pieces that the session runs; its result is the
// outcome of each, the arguments that the callbacks received, and the memory of this process.

export async function open({ dist, cacheDir, slots = 2 }) {
  const { SessionManager } = await import(new URL('src/index.js', dist).href)
  const manager = await SessionManager.create({ cacheDir, slots })
  const sibling = await manager.createSession({ tenant: 'sibling' })

  return async ({ steps, timeoutMs = 10_000, limits = {}, recover = false }) => {
    const calls = []
    let count = 0
    const session = await manager.createSession({
      tenant: 'attacker',
      limits,
      callbacks: {
        echo: (args) => {
          count += 1
          if (calls.length < 100) calls.push(args)
          return args.x
        },
        big: ({ bytes }) => new Uint8Array(bytes),
      },
    })
    const results = []
    for (const step of steps) {
      globalThis.gc?.()
      const result = await settled(session.execute(step, { timeoutMs }))
      globalThis.gc?.()
      results.push({ ...result, rssBytes: rss(), heapBytes: process.memoryUsage().heapUsed })
    }
    // Some attacks leave their own session unusable; reset must still repair it.
    if (recover) await session.reset()
    const after = await settled(session.execute('6 * 7'))
    const beside = await settled(sibling.execute('6 * 7'))
    const { pending } = session
    await session.close()
    const polluted = {}.polluted !== undefined || [].polluted !== undefined
    return {
      steps: results,
      calls,
      count,
      after,
      sibling: beside,
      pending,
      polluted,
    }
  }

  function rss() {
    globalThis.gc?.()
    return process.memoryUsage.rss()
  }

  function settled(promise) {
    return promise.then(
      ({ status, value, repr, peakMemoryBytes }) => ({ kind: status, value: repr ?? value, peakMemoryBytes }),
      ({ code, type, outcome, message }) => ({
        kind: 'error',
        code,
        type,
        outcome,
        message: message.slice(0, 500),
      }),
    )
  }
}
