// The modules that an image imports by default: those of the requested packages. Owns that choice.
import type { FetchedWheel } from './fetch-wheels.js'
import type { Lock } from './lock.js'
import { parseRequirement } from './requirement.js'
import { readImportNames } from './wheel-file.js'

/** Submodules that programs use, but that their package does not import by itself. */
const SUBMODULES: Readonly<Record<string, readonly string[]>> = { matplotlib: ['matplotlib.pyplot'] }

/** The default modules, in the order of the lock. */
export async function defaultPreload(lock: Lock, wheels: readonly FetchedWheel[]): Promise<string[]> {
  const asked = new Set(lock.requirements.map((text) => parseRequirement(text).name))
  const modules: string[] = []
  for (const { name, imports } of lock.packages) {
    const wheel = asked.has(name) ? wheels.find((one) => one.name === name) : undefined
    if (wheel === undefined) continue
    const found = imports && imports.length > 0 ? imports : await readImportNames(wheel.path)
    const own = name.replaceAll('-', '_')
    // A package often installs more than its own module, such as commands and tests.
    modules.push(...(found.includes(own) ? [own] : found), ...(SUBMODULES[name] ?? []))
  }
  return modules
}
