// A copy of the build in which a test replaces the slot's code or a constant; everything else is unchanged. Owns the copy.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { DIST } from './child.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export class HostileBuild {
  readonly #directory = mkdtempSync(join(tmpdir(), 'brumate-hostile-'))

  constructor() {
    const dist = join(this.#directory, 'dist')
    for (const part of ['src', 'workers', 'packages'])
      cpSync(join(fileURLToPath(DIST), part), join(dist, part), { recursive: true })
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}')
    symlinkSync(join(ROOT, 'node_modules'), join(this.#directory, 'node_modules'), 'junction')
  }

  /** Threads that start from now on load this source, which is CommonJS, as their slot. */
  writeSlot(source: string): void {
    writeFileSync(join(this.#directory, 'dist/workers/slot.bundle.cjs'), source)
  }

  /**
   * Sets a constant to another value in code that is loaded from now on.
   *
   * @throws if the file does not have the constant
   */
  setConstant(file: string, name: string, value: number): void {
    const path = join(this.#directory, 'dist', file)
    const before = readFileSync(path, 'utf8')
    const after = before.replace(new RegExp(`^const ${name} = .+;$`, 'm'), `const ${name} = ${value};`)
    if (after === before) throw new Error(`${file} has no constant ${name}`)
    writeFileSync(path, after)
    // Load separate modules instead of the bundle, in which constants are inlined.
    writeFileSync(join(this.#directory, 'dist/src/index.js'), "export * from './modules.js'\n")
  }

  /** URL to pass to a child as its `dist`. */
  get dist(): string {
    return `${pathToFileURL(this.#directory).href}/dist/`
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
