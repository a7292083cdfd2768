// Restores the plain values of a snapshot whose image is not available. Owns which globals are restored and which are reported as lost.
import { ConversionError, PythonError, SnapshotError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Value } from '../shared/values/value.js'

/** What salvage could not restore. */
export interface SalvageLoss {
  /** Names of globals: functions, classes, modules, and other values that are not plain. */
  readonly globals: readonly string[]
  /** Paths of private files, up to a thousand. */
  readonly files: readonly string[]
  /** Names of the callbacks that a suspended execution waited for. The execution is lost, too. */
  readonly pendingCalls: readonly string[]
}

export const NOTHING_LOST: SalvageLoss = { globals: [], files: [], pendingCalls: [] }

/**
 * Sets each global that the snapshot stores as a plain value. Returns what is lost, including the names of values that Python rejects.
 *
 * @param set sets a global of the session, which has just been reset
 */
export async function salvageGlobals(
  snapshot: Snapshot,
  set: (name: string, value: Value) => Promise<void>,
): Promise<SalvageLoss> {
  const values = Object.entries(snapshot.globals())
  const taken = new Set<string>()
  for (const [name, value] of values) {
    try {
      await set(name, value)
      taken.add(name)
    } catch (error) {
      if (!(error instanceof ConversionError || error instanceof PythonError)) throw error
    }
  }
  const refused = values.flatMap(([name]) => (taken.has(name) ? [] : [name]))
  return lossOf(snapshot, taken, refused)
}

/**
 * Rejects a snapshot that does not describe its globals, because what salvage would lose is unknown.
 *
 * @throws SnapshotError of reason `incompatible`
 */
export function requireDescribed(snapshot: Snapshot): void {
  if (snapshot.isDescribed) return
  const { imageId } = snapshot.parts.head
  throw new SnapshotError(
    'incompatible',
    `the snapshot cannot be salvaged: it was the last checkpoint before a crash, and does not list the globals, which only its image ${imageId} can read; open the session once with that image and close it, then salvage it`,
  )
}

/**
 * Returns what salvage would lose if Python accepts every plain value. Needs no interpreter.
 *
 * @throws SnapshotError see `requireDescribed`
 */
export function expectedLoss(snapshot: Snapshot): SalvageLoss {
  requireDescribed(snapshot)
  return lossOf(snapshot, new Set(Object.keys(snapshot.globals())), [])
}

/** @param refused names that Python rejected; the manifest may not list all of them */
function lossOf(snapshot: Snapshot, taken: ReadonlySet<string>, refused: readonly string[]): SalvageLoss {
  const { globals, files, pending } = snapshot.manifest
  const described = globals.flatMap(({ name }) => (taken.has(name) ? [] : [name]))
  return {
    globals: [...new Set([...described, ...refused])],
    files: files.map(({ path }) => path),
    pendingCalls: pending.map(({ name }) => name),
  }
}
