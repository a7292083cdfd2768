// A copy of the build in which a test replaces the slot's code or a constant; everything else is unchanged. Owns the changes.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BuildCopy } from '../../../chaos/build-copy.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export class HostileBuild {
  readonly #copy = new BuildCopy(ROOT)
  #hasModules = false

  /** Threads that start from now on load this source, which is CommonJS, as their slot. */
  writeSlot(source: string): void {
    writeFileSync(this.#copy.path('workers/slot.bundle.cjs'), source)
  }

  /**
   * Sets a constant to another value in code that is loaded from now on.
   *
   * @throws if the file does not have the constant
   */
  setConstant(file: string, name: string, value: number): void {
    // The bundle has the values of constants in place of their names.
    if (!this.#hasModules) this.#copy.loadModules()
    this.#hasModules = true
    const path = this.#copy.path(file)
    const before = readFileSync(path, 'utf8')
    const after = before.replace(new RegExp(`^const ${name} = .+;$`, 'm'), `const ${name} = ${value};`)
    if (after === before) throw new Error(`${file} has no constant ${name}`)
    writeFileSync(path, after)
  }

  /** URL to pass to a child as its `dist`. */
  get dist(): string {
    return this.#copy.url
  }

  remove(): void {
    this.#copy.remove()
  }
}
