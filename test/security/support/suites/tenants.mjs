// Two tenants, one after the other, on a manager with a single slot, which the first one's worker tries to keep. A case is one step of
// each tenant; its result is the outcome of the second.
export async function open({ dist, cacheDir }) {
  const { SessionManager } = await import(new URL('src/index.js', dist).href)
  return async ({ first, second }) => {
    const manager = await SessionManager.create({ cacheDir, slots: 1 })
    try {
      const owner = await manager.createSession({ tenant: 'first' })
      const next = manager.createSession({ tenant: 'second' })
      await owner.execute(first, { timeoutMs: 2000 }).catch(() => {})
      await owner.close()
      const session = await next
      const { repr } = await session.execute(second)
      return { repr }
    } catch (error) {
      return { error: `${error}` }
    } finally {
      await manager.close()
    }
  }
}
