// Managers that tests of a file share, because each costs a boot: for tests that neither close their manager nor look at its counters.
import type { ManagerOptions, SessionManager } from 'brumate'
import { afterAll } from 'vitest'
import { openManager } from './manager.js'

const managers = new Map<string, Promise<SessionManager>>()

/** The same manager for the same options, closed with the test file. Tests close their sessions. */
export function sharedManager(options: ManagerOptions = {}): Promise<SessionManager> {
  const key = JSON.stringify(options)
  const manager = managers.get(key) ?? openManager(options)
  managers.set(key, manager)
  return manager
}

afterAll(async () => {
  for (const manager of managers.values()) await (await manager).close()
})
