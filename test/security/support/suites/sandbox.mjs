// A manager with an attacker's session and a sibling of another tenant. A case is a list of steps that the attacker takes; its result is
// the outcome of each, and whether both sessions still work.
import { inspect } from 'node:util'

/** Setup: `dist` is the build to load; `slots` and `cacheDir` are options of the manager. */
export async function open({ dist, cacheDir, slots = 4, maxTextLength = 4000 }) {
  const { SessionManager } = await import(new URL('src/index.js', dist).href)
  const manager = await SessionManager.create({ cacheDir, slots })
  const sibling = await manager.createSession({ tenant: 'sibling' })
  await sibling.execute('n = 41')

  return async ({ steps, timeoutMs = 15_000, limits = {}, env = {}, recover = false }) => {
    const bounds = { executionTimeoutMs: timeoutMs, ...limits }
    const session = await manager.createSession({ tenant: 'attacker', limits: bounds, env })
    const call = (step) => {
      if (typeof step === 'string') return session.execute(step, { timeoutMs })
      if ('code' in step) return session.execute(step.code, { timeoutMs: step.timeoutMs })
      if ('get' in step) return session.get(step.get).then((value) => ({ value }))
      return session.reset().then(() => ({}))
    }
    const results = []
    for (const step of steps) results.push(await settled(call(step)))
    // Some attacks leave their own session unusable; reset must still repair it.
    if (recover) await session.reset()
    const after = await settled(session.execute('6 * 7', { timeoutMs: 15_000 }))
    const beside = await settled(sibling.execute('n + 1', { timeoutMs: 15_000 }))
    await session.close()
    return { steps: results, after, sibling: beside }
  }

  function settled(promise) {
    return promise.then(told, failed)
  }

  function told({ value, repr, stdout, stderr, display, peakMemoryBytes }) {
    return {
      kind: 'result',
      // Formatting a huge integer would take longer than anything measured here.
      value:
        typeof value === 'bigint' ? 'a bigint' : text(inspect(value, { maxStringLength: maxTextLength })),
      repr: text(repr),
      stdout: text(stdout),
      stderr: text(stderr),
      display: text(inspect(display)),
      peakMemoryBytes,
      stdoutLength: stdout?.length,
    }
  }

  function failed(error) {
    const { name, code, type, outcome, limit, traceback, stdout, stderr } = error
    return {
      kind: 'error',
      name,
      code,
      type,
      outcome,
      limit,
      message: text(error.message),
      traceback: text(traceback),
      stdout: text(stdout),
      stderr: text(stderr),
      stdoutLength: stdout?.length,
    }
  }

  function text(value) {
    return typeof value === 'string' && value.length > maxTextLength ? value.slice(0, maxTextLength) : value
  }
}
