// Managers that tests of a file share, because each costs a boot. For tests that neither close their manager nor read its counters.
import type { ManagerOptions, SessionManager } from 'brumate'
import { openManager } from './manager.js'

const managers = new Map<string, Promise<SessionManager>>()

/** Returns the same manager for the same options. It is closed with the test file (close-managers.ts). Tests close their sessions. */
export function sharedManager(options: ManagerOptions = {}): Promise<SessionManager> {
  const key = JSON.stringify(options)
  const manager = managers.get(key) ?? openManager(options)
  managers.set(key, manager)
  return manager
}

export async function closeSharedManagers(): Promise<void> {
  const open = [...managers.values()]
  managers.clear()
  await Promise.all(open.map(async (manager) => (await manager).close()))
}
