// The store that the processes of a run share, and the server behind it. Owns both: what a run made is gone after it.
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

/** A new store, and how to remove it. It goes with the process, too, if a signal ends that. */
export async function makeStore(
  kind: StoreKind,
): Promise<{ address: StoreAddress; remove(): Promise<void> }> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (kind === 'directory') {
    // In memory, where there is such a file system: what a killed process wrote survives in both.
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
