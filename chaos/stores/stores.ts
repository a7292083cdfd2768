// The store that the processes of a run share, and its server. Owns both: after the run, nothing of them is left.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, type SnapshotStore } from 'brumate'
import { freePort } from '../../test/store/support/processes.js'
import { startPostgres, startRedis } from '../../test/store/support/servers.js'

export const STORES = ['directory', 'postgres', 'redis'] as const
export type StoreKind = (typeof STORES)[number]

/** Where a process finds the store: a path or a URL. */
export interface StoreAddress {
  readonly kind: StoreKind
  readonly at: string
}

export function isStoreKind(kind: string): kind is StoreKind {
  return STORES.some((known) => known === kind)
}

/** Creates a store, and returns how to remove it. It is also removed when a signal ends the process. */
export async function makeStore(
  kind: StoreKind,
): Promise<{ address: StoreAddress; remove(): Promise<void> }> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (kind === 'directory') {
    // Uses a file system in memory if there is one: in both, what a killed process wrote survives.
    const at = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'brumate-chaos-'))
    const remove = () => rmSync(at, { recursive: true, force: true })
    process.once('exit', remove)
    return { address: { kind, at }, remove: async () => remove() }
  }
  const { server, url } = kind === 'postgres' ? await startPostgres() : await startRedis(await freePort())
  process.once('exit', () => rmSync(server.directory, { recursive: true, force: true, maxRetries: 3 }))
  return { address: { kind, at: url }, remove: () => server.stop() }
}

export async function openStore({ kind, at }: StoreAddress): Promise<SnapshotStore> {
  if (kind === 'directory') return new DirectoryStore(at)
  if (kind === 'postgres') return new (await import('brumate/stores/postgres')).PostgresStore(at)
  return new (await import('brumate/stores/redis')).RedisStore(at)
}
