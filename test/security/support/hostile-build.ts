// A copy of the build whose slots are what a test writes: everything on the main thread is the real thing. Owns the copy.
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { DIST } from './child.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export class HostileBuild {
  readonly #directory = mkdtempSync(join(tmpdir(), 'brumate-hostile-'))

  constructor() {
    const dist = join(this.#directory, 'dist')
    for (const part of ['src', 'workers'])
      cpSync(join(fileURLToPath(DIST), part), join(dist, part), { recursive: true })
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}')
    symlinkSync(join(ROOT, 'node_modules'), join(this.#directory, 'node_modules'), 'junction')
  }

  /** Threads that start from now on load this, which is CommonJS. */
  writeSlot(source: string): void {
    writeFileSync(join(this.#directory, 'dist/workers/slot.bundle.cjs'), source)
  }

  /** URL to be given to a child as its `dist`. */
  get dist(): string {
    return `${pathToFileURL(this.#directory).href}/dist/`
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
