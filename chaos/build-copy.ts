// A copy of the build whose slots load slot-faults.cjs first; all else is unchanged. Owns the copy.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The repository's root; the path starts from the compiled file in dist/chaos/. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export class BuildCopy {
  readonly #directory = mkdtempSync(join(tmpdir(), 'brumate-chaos-'))

  constructor() {
    const dist = join(this.#directory, 'dist')
    for (const part of ['src', 'workers', 'packages'])
      cpSync(join(ROOT, 'dist', part), join(dist, part), { recursive: true })
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}')
    symlinkSync(join(ROOT, 'node_modules'), join(this.#directory, 'node_modules'), 'junction')
    const slot = join(dist, 'workers/slot.bundle.cjs')
    cpSync(join(ROOT, 'chaos/slot-faults.cjs'), join(dist, 'workers/slot-faults.cjs'))
    writeFileSync(slot, `'use strict'\nrequire('./slot-faults.cjs')\n${readFileSync(slot, 'utf8')}`)
  }

  /** Imports a module of the copy, such as `src/index.js`. */
  import<Module>(path: string): Promise<Module> {
    return import(`${pathToFileURL(this.#directory).href}/dist/${path}`) as Promise<Module>
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
