// A manager on the tests' image cache, closed with the test file.
import { type ManagerOptions, SessionManager } from 'brumate'
import { inject, onTestFinished } from 'vitest'

/** A manager of the tests' own image, for the whole file: close it in `afterAll`. */
export function openManager(options: ManagerOptions = {}): Promise<SessionManager> {
  return SessionManager.create({ cacheDir: inject('cacheDir'), ...options })
}

/** A manager that is closed when the running test ends. */
export async function managerForTest(options: ManagerOptions = {}): Promise<SessionManager> {
  const manager = await openManager(options)
  onTestFinished(() => manager.close())
  return manager
}
