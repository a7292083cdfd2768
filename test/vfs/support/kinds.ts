// Runs one suite of tests for both kinds of storage. Owns temporary directories, removed with each test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Session, type SessionManager, type SessionOptions, VfsStorage } from 'brumate'
import { beforeAll, describe, onTestFinished } from 'vitest'
import { sharedManager } from '../../support/shared-manager.js'

/** As many sessions as were asked for. */
type Pair = [first: Session, second: Session, ...Session[]]

export interface Kind {
  readonly name: string
  /** Creates an empty storage that is closed with the test. */
  storage(): Promise<VfsStorage>
  /** Creates sessions that share the storage and are closed with the test. They take no checkpoints by themselves. */
  sessions(storage: VfsStorage, count: number, options?: SessionOptions): Promise<Pair>
  readonly manager: () => SessionManager
}

/** @param parent where the directory is created */
export async function temporaryDirectory(parent = tmpdir()): Promise<string> {
  const path = await mkdtemp(join(parent, 'brumate-vfs-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** The manager that the tests of a file share. */
export const storageManager = (): Promise<SessionManager> => sharedManager({ slots: 4 })

/** Runs the suite for each kind of storage, with the shared manager. */
export function describeStorages(title: string, suite: (kind: Kind) => void): void {
  describe(title, () => {
    let manager: SessionManager
    beforeAll(async () => {
      manager = await storageManager()
    })
    const closing = (storage: VfsStorage) => {
      onTestFinished(() => storage.close())
      return storage
    }
    const sessions = async (storage: VfsStorage, count: number, options: SessionOptions = {}) => {
      const opened: Session[] = []
      for (let i = 0; i < count; i++)
        opened.push(
          await manager.createSession({ tenant: 'tests', checkpoint: 'manual', ...options, vfs: storage }),
        )
      onTestFinished(async () => {
        for (const session of opened) await session.close()
      })
      return opened as unknown as Pair
    }
    const common = { sessions, manager: () => manager }
    describe('in memory', () => {
      suite({ ...common, name: 'memory', storage: async () => closing(new VfsStorage()) })
    })
    describe('a directory of the host', () => {
      const storage = async () => closing(VfsStorage.directory(await temporaryDirectory()))
      suite({ ...common, name: 'directory', storage })
    })
  })
}
