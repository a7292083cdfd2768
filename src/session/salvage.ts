// Restores the plain values of a snapshot whose memory fits no slot. Owns which names come back.
import { ConversionError, PythonError } from '../shared/errors.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Value } from '../shared/values/value.js'

/**
 * Sets each global that the snapshot stores as a plain value. Returns the names of all others, and of values that Python does not take.
 *
 * @param set sets a global of the session, which has just been reset
 */
export async function salvageGlobals(
  snapshot: Snapshot,
  set: (name: string, value: Value) => Promise<void>,
): Promise<string[]> {
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
  const described = snapshot.manifest.globals.map(({ name }) => name)
  return [...new Set([...described, ...values.map(([name]) => name)])].filter((name) => !taken.has(name))
}
