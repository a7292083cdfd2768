// Managers that use the tests' image cache.
import { type ManagerOptions, SessionManager } from 'brumate'
import { inject, onTestFinished } from 'vitest'

/** A manager with the tests' image, for the whole file: close it in `afterAll`. */
export function openManager(options: ManagerOptions = {}): Promise<SessionManager> {
  return SessionManager.create({ cacheDir: inject('cacheDir'), ...options })
}

/** A manager that is closed when the running test ends. */
export async function managerForTest(options: ManagerOptions = {}): Promise<SessionManager> {
  const manager = await openManager(options)
  onTestFinished(() => manager.close())
  return manager
}
