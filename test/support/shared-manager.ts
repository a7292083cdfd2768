// Managers that tests share, because each costs boots. For tests that do not close their manager, and read its counters only as differences.
import type { ManagerOptions, ManagerStats, SessionManager } from 'brumate'
import { openManager } from './manager.js'

interface Shared {
  readonly manager: Promise<SessionManager>
  /** Whether the test files that follow in this process get it. */
  readonly outlivesFile: boolean
}

const managers = new Map<string, Shared>()

/**
 * Returns the same manager for the same options. With no options but `slots`, also the test files that follow in this process get it; with
 * others it is closed with the test file (close-managers.ts). Tests close their sessions.
 */
export function sharedManager(options: ManagerOptions = {}): Promise<SessionManager> {
  const key = JSON.stringify(options)
  const outlivesFile = Object.keys(options).every((name) => name === 'slots')
  const shared = managers.get(key) ?? { manager: openManager(options), outlivesFile }
  managers.set(key, shared)
  return shared.manager
}

/** Closes the managers that the next test file does not get: those with other options, or with sessions that are still open. */
export async function closeSharedManagers(): Promise<void> {
  await Promise.all(
    [...managers].map(async ([key, shared]) => {
      const manager = await shared.manager
      const { attached, dormant, queued } = manager.stats()
      if (shared.outlivesFile && attached + dormant + queued === 0) return
      managers.delete(key)
      await manager.close()
    }),
  )
}

/** Returns a function that says by how much the manager's counters have grown since this call. */
export function countersSince(manager: SessionManager): () => ManagerStats['counters'] {
  const before = manager.stats().counters
  return () => {
    const now = manager.stats().counters
    const grown = Object.entries(now).map(([name, count]) => [
      name,
      count - before[name as keyof typeof before],
    ])
    return Object.fromEntries(grown) as typeof now
  }
}
