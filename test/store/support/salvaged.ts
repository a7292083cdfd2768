// Checks that `brumate store salvage` opens a store by the given location, by salvaging one old session there.
import type { SnapshotStore } from 'brumate'
import { expect, inject } from 'vitest'
import { openManager } from '../../support/manager.js'
import { storeOld } from '../../support/other-image.js'
import { callProgram } from '../../support/program.js'

export async function expectSalvage(store: SnapshotStore, ...location: readonly string[]): Promise<void> {
  const manager = await openManager({ store, slots: 1 })
  try {
    await storeOld(manager, store, 'old')
    const args = ['--standard', '--cache-dir', inject('cacheDir'), '--prefix', 'old', '--slots', '1']
    const { stdout } = await callProgram('store', 'salvage', ...location, ...args)
    expect(stdout).toBe('1 session salvaged\n  old (acme): lost f\n0 sessions already on a target image\n')
    await using session = await manager.openSession('old')
    expect(await session.get('x')).toBe(41)
    await session.delete()
  } finally {
    await manager.close()
  }
}
