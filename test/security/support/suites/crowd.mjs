// Four attackers at once, each with a slot of its own, and four neighbours that go on working. A case is what the attackers
// run; its result is what each came to, and what the neighbours' calls came to meanwhile.

/** Setup: as for `sandbox`. */
export async function open({ dist, cacheDir }) {
  const { SessionManager } = await import(new URL('src/index.js', dist).href)

  return async ({ attacks, limits, timeoutMs }) => {
    const manager = await SessionManager.create({ cacheDir, slots: 8, limits })
    const callbacks = { echo: ({ x }) => x }
    const neighbours = await Promise.all([1, 2, 3, 4].map(() => manager.createSession()))
    await Promise.all(neighbours.map((session) => session.execute('n = 0')))
    let attacked = true
    const working = neighbours.map(async (session) => {
      const timesMs = []
      let wrong = 0
      while (attacked || timesMs.length === 0) {
        const startedMs = performance.now()
        const { value } = await session.execute('n += 1; n')
        timesMs.push(performance.now() - startedMs)
        if (value !== timesMs.length) wrong++
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      return { timesMs, wrong }
    })
    const attackers = await Promise.all(attacks.map(() => manager.createSession({ callbacks })))
    const came = await Promise.all(
      attackers.map((session, index) =>
        session.execute(attacks[index], { timeoutMs }).then(
          () => ({ kind: 'result' }),
          ({ code, type, outcome }) => ({ kind: 'error', code, type, outcome }),
        ),
      ),
    )
    attacked = false
    const worked = await Promise.all(working)
    const after = await Promise.all(
      attackers.map(async (session) => {
        await session.reset()
        return (await session.execute('6 * 7')).value
      }),
    )
    await manager.close()
    return { came, worked, after }
  }
}
