// A copy of the build whose slots load slot-faults.cjs first, and whose modules are separate, so that a run can change one. All else is
// unchanged. Owns the changes.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuildCopy } from './build-copy.js'

/** The repository's root; the path starts from the compiled file in dist/chaos/. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export class FaultyBuild {
  readonly #copy = new BuildCopy(ROOT)

  constructor() {
    this.#copy.loadModules()
    const slot = this.#copy.path('workers/slot.bundle.cjs')
    cpSync(join(ROOT, 'chaos/slot-faults.cjs'), this.#copy.path('workers/slot-faults.cjs'))
    writeFileSync(slot, `'use strict'\nrequire('./slot-faults.cjs')\n${readFileSync(slot, 'utf8')}`)
  }

  /** Imports a module of the copy, such as `src/index.js`. */
  import<Module>(path: string): Promise<Module> {
    return import(`${this.#copy.url}${path}`) as Promise<Module>
  }

  remove(): void {
    this.#copy.remove()
  }
}
