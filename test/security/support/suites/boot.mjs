// A manager whose slots fail to boot, in the way that slot.bundle.cjs of its build defines. A case is one attempt to create a session; its
// result is the error.
export async function open({ dist, cacheDir }) {
  const { SessionManager } = await import(new URL('src/index.js', dist).href)
  return async () => {
    const manager = await SessionManager.create({ cacheDir, slots: 2, acquireTimeoutMs: 400 })
    const error = await manager.createSession().then(
      () => undefined,
      (thrown) => thrown,
    )
    await manager.close()
    return {
      name: error?.name,
      code: error?.code,
      outcome: error?.outcome,
      message: error?.message,
    }
  }
}
